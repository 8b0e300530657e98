"""The trainer that trains the trials of a study with a Python object of any package."""
