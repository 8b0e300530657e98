"""Other systems that the paper builds on, each with its own networks, stages, and losses."""
