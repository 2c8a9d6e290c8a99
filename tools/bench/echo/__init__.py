"""How well each echo canceller keeps the toy from hearing itself, and lets it hear the user meanwhile."""
