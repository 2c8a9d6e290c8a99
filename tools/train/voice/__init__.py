"""Trains the pocket voice: a StyleTTS2-type model taught by flite's clustergen voices."""
