"""How well a language model plays the toy's characters: held-out questions, memory, context, silence and more."""
