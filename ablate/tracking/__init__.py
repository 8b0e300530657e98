"""Copies the trials' folders to MLflow; the only package that imports MLflow."""
