"""From a study file to finished trials and their tables. Nothing in it knows torch or statistics."""
