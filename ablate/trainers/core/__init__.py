"""The trainer that trains the trials of a study with the core, `g2g_core`."""
