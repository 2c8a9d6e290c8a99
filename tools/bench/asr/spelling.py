"""Makes a checkpoint of random weights say twelve words and stop, whatever it hears.

Random weights never end a sentence by themselves, and tricks to end it differ from engine to engine. Here the
decoder's position table decides: the row of each place gets a large share of the embedding of the token that
shall follow there. Every engine then gives the same words by its ordinary way of decoding, with its ordinary
guards, for the ordinary cost; that they agree is checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

SHARE = 60.0  # times the unit vector of the embedding: far above everything random
POSITIONS = "model.decoder.embed_positions.weight"
EMBEDDING = "model.decoder.embed_tokens.weight"
WORD = re.compile(r"Ġ[a-z]{2,5}")


def word_ids(vocabulary: Mapping[str, int], count: int) -> list[int]:
    """`count` different tokens that are whole words, from all over a byte-level vocabulary."""
    found = sorted(number for token, number in vocabulary.items() if WORD.fullmatch(token))
    return found[:: len(found) // count][:count]


def text_of(vocabulary: Mapping[str, int], ids: list[int]) -> str:
    """The words that such tokens spell."""
    tokens = {number: token for token, number in vocabulary.items()}
    return " ".join(tokens[number].removeprefix("Ġ") for number in ids)


def spell(folder: Path, count: int, start_tokens: int = 2) -> str:
    """Changes the Hugging Face folder in place; returns the words that it says from now on."""
    from safetensors.numpy import load_file, save_file

    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    end = json.loads((folder / "config.json").read_text(encoding="utf-8"))["eos_token_id"]
    ids = word_ids(vocabulary, count)
    weights = load_file(folder / "model.safetensors")
    embedding, positions = weights[EMBEDDING], weights[POSITIONS].copy()
    for place, token in enumerate([*ids, end], start_tokens - 1):
        positions[place] += SHARE * embedding[token] / np.linalg.norm(embedding[token])
    weights[POSITIONS] = positions
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return text_of(vocabulary, ids)
