"""Trains the pocket models on data made here."""
