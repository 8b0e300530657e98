"""From YAML to a valid study; every mistake is reported with its place in the file."""
