"""The training loop, its steps, and what can go wrong in them."""
