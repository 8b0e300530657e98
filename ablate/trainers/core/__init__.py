"""The core, g2g_core, as what trains the trials of a study."""
