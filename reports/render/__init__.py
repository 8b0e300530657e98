"""Renderers that turn blocks into HTML, PDF, LaTeX, plain text, and CSV."""
