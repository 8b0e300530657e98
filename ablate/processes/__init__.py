"""Processes that a command starts: what they inherit, how they are watched, and what ends them."""
