"""Trainers of the trials of a study: the core, a Python object, or any command."""
