"""Trials that run a program of the user: its command line, its processes, and its metrics."""
