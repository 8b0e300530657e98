"""From the numbers of a study to typed claims: what may be said of it, and how surely."""
