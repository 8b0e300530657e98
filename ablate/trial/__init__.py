"""Runs one trial and keeps its folder: journal, document, and figures."""
