"""Whether a turn's words are all of it: a small recurrent network over the words and the pauses between them.

It has learned from what the ears make of turns, so that misheard words weigh less than with a rule. `words.npz` of
the model's folder holds its vocabulary (text, a word a line) and weights; a step is a few small products.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.errors import ModelError

PAUSE = "|"  # stands where the user paused
MOST_WORDS = 16  # from the end; what was said long before is forgotten
UNKNOWN = 0  # the place of all words that are in no list
ARRAYS = (
    "vocabulary",
    "embedding",
    "of_input",
    "of_state",
    "input_bias",
    "state_bias",
    "answer",
    "answer_bias",
)
WORDS = "words.npz"

Array = npt.NDArray[np.float32]


def with_pauses(words: Sequence[str], pauses: Sequence[int]) -> list[str]:
    """The words with a mark after so many of them, for every pause but the one that lasts."""
    marks = {count for count in pauses if 0 < count < len(words)}
    found = list[str]()
    for count, word in enumerate(words, 1):
        found.append(word)
        if count in marks:
            found.append(PAUSE)
    return found


class Wording:
    """The network: one layer of gated recurrent units."""

    def __init__(self, arrays: dict[str, npt.NDArray[np.generic]]) -> None:
        text = bytes(arrays["vocabulary"].astype(np.uint8)).decode()
        self._places = {word: place for place, word in enumerate(text.split("\n"), UNKNOWN + 1)}
        self._arrays = {name: arrays[name].astype(np.float32) for name in ARRAYS[1:]}

    def log_odds(self, words: Sequence[str]) -> float:
        """That nothing follows these words and pauses; 0 where there are none."""
        if not words:
            return 0.0
        own = self._arrays
        state = np.zeros(own["of_state"].shape[1], np.float32)
        for word in words[-MOST_WORDS:]:
            read = own["embedding"][self._places.get(word, UNKNOWN)]
            by_input = own["of_input"] @ read + own["input_bias"]
            by_state = own["of_state"] @ state + own["state_bias"]
            state = _next(by_input, by_state, state)
        return float(own["answer"] @ state + own["answer_bias"])


def _next(by_input: Array, by_state: Array, state: Array) -> Array:
    """A step of torch's GRU."""
    size = len(state)
    gates = 1 / (1 + np.exp(-(by_input[: 2 * size] + by_state[: 2 * size])))
    new = np.tanh(by_input[2 * size :] + gates[:size] * by_state[2 * size :])
    state = (1 - gates[size:]) * new + gates[size:] * state
    return state.astype(np.float32)


def read(folder: Path) -> Wording:
    """The network in a model's folder."""
    path = folder / WORDS
    try:
        with np.load(path) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot be read: {error}", where=str(path)) from error
    if sorted(arrays) != sorted(ARRAYS):
        raise ModelError(f"should hold {', '.join(ARRAYS)}", where=str(path))
    return Wording(arrays)
