"""Trials that are runs of a program of the user's: its command line, its processes, and the metrics
that it writes."""
