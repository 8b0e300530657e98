"""Files that survive crashes: atomic writes, locks, signals, digests, and remembered answers."""
