"""How images are split, mixed, and mixed again (Figures 1 and 3 of the paper)."""
