"""`train` and `translate`: one network, without a study around it."""

COMMANDS = ()
