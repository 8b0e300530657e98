"""Systems beside G2G that the paper builds on, each with its own networks, stages, and losses."""
