"""One trial and its folder."""
