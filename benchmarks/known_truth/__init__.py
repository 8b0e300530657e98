"""Studies whose truth is known, and how often the claims that a report makes of them are false."""
