"""Measures the models that ship."""
