"""The language model and dictionary of the engine pocketsphinx, made from what people say to the characters."""
