"""A study as sections and words see it."""
