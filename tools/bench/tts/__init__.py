"""The voice, timed: when its first sound leaves and how fast the rest follows, beside kokoro-onnx."""

PHRASE = "My little boat went down the river and around the stone bridge."  # twelve words
RUNTIMES = ("onnx", "openvino")
ONE_SHOT, FIRST, ALL = "one-shot", "first", "all"
"""The whole phrase by the whole graph; until the first chunk of it; all chunks."""
FIRST_PIECE = "first piece"
"""Until the first chunk of the first piece that the toy would cut the phrase into."""
