"""Building blocks of a report: blocks of text and figures, numbers, and colors."""
