"""Judges runs that other programs made, by the same rules and in the same report as studies."""
