"""`status`, `report`, `verify` and `ui`: what a run left."""

COMMANDS = ()
