"""What a language model costs: the toy's runtimes beside other engines on one network of 77 M parameters."""

from __future__ import annotations

PIECES = (8, 32, 128)  # tokens of a prefill
CONTEXT, DECODED = 64, 64  # decoding goes from the one over so many more
LONGEST = 256  # positions that an engine makes room for
SEEN = 32  # tokens after which scores are compared with those of the network in float32
