"""What a report says: every sentence is made from claims and counted facts, and from nothing
else."""
