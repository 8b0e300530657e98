"""Files that survive crashes: atomic writes, locks, signals, the ledger, remembered answers."""
