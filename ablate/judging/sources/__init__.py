"""Kinds of sources, each in a module of its own, which declares it in `SOURCES`."""
