"""Board, character and model files: typed fields with units; errors with file, line and the nearest name."""
