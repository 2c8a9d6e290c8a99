"""Voice detectors: sound to the probability that somebody speaks."""
