"""Echo cancellers. One module an engine."""
