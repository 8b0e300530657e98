"""Many trials: in this process or on Ray workers, look by look, with progress."""
