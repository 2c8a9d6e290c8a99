"""Trains the model that hears whether the user is done, on spoken turns that are made for it."""
