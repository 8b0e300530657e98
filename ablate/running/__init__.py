"""Run the trials of a study, in this process or on Ray workers, and show their progress."""
