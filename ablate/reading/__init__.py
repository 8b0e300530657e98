"""Read study files from YAML, and report every mistake with its place in the file."""
