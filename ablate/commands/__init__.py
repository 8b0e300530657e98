"""The commands of the command line, grouped by topic.

Each command imports heavy packages only when it runs, so that `--help` is fast. The docstring of a
command is its help text.
"""
