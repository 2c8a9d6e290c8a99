"""What is fuzzed, a kind of file a module."""
