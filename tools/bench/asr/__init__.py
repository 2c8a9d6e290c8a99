"""What hearing costs: the toy's recogniser beside others on the same weights, in processor time on one thread."""

from __future__ import annotations

RATE_HZ = 16_000
SECONDS = 4.0  # of sound in the comparison with others
WORDS = 12  # tokens in its transcript, each a word
HOP_S = 0.5  # between partials
STREAM_SECONDS = 6.0
TOKENS_PER_SECOND = 3.3  # people speak two and a half words a second
