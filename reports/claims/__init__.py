"""Typed claims from the numbers of a study: what a report may say, and how surely."""
