"""What a study would run, what each trial depends on, and what it would cost."""
