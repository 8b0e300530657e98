"""Statistics as pure functions on arrays; simulations use fixed seeds."""
