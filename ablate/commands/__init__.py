"""The commands of the command line, by what they are about.

Heavy packages are imported when a command runs.
"""
