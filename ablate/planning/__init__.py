"""Plans: what a study would run, what each trial depends on, and what the study would cost."""
