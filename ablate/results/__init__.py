"""The results tables of a study, its status, and its report."""
