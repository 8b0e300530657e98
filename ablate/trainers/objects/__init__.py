"""A Python object of any package as what trains the trials of a study."""
