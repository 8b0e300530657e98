"""Studies whose truth is known, and how often a report's claims about them are false."""
