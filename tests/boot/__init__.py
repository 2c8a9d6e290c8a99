"""Boots images in emulated machines without a network card, talks to them, breaks them."""
