"""Passes that split, mix, and mix again the images of pairs (Figures 1 and 3 of the paper)."""
