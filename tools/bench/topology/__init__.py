"""Depth against width: what networks of equal size and different shape cost, alone and beside ears and voice."""

from __future__ import annotations

PREFILL = 32  # tokens
DECODED = 32  # tokens, from a context of PREFILL on
LIMIT = 128  # positions that a cache holds
