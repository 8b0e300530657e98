"""Statistics as pure functions on arrays; what is random takes its generator."""
