"""Tiny models with random weights: the right interfaces and no sense, to test engines without training."""
