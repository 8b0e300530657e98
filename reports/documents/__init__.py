"""The files of a study's folder as types: what is written in them, and what follows from it."""
