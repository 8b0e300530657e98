"""What a report says: every sentence is made from claims and counted facts only."""
