"""Trains the mind of the pocket set: writes dialogues, makes a vocabulary, trains, exports."""
