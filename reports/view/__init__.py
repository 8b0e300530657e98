"""A study as the report's sections and sentences see it."""
