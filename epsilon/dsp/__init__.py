"""Arithmetic on arrays: no state that outlives its object, no devices, no models."""
