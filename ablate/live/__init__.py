"""The live page: the report of a study while it runs, and what its trials do at the moment."""
