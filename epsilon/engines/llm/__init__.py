"""Language models: tokens to tokens. A module with `load` is an engine; the others are shared by all."""
