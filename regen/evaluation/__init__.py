"""How well a rewrite took, on samples that it was not learned from."""
