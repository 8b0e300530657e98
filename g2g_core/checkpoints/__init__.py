"""Checkpoints: their parts, their files, and the layouts of other code."""
