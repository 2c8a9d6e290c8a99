"""What keeps a recogniser from hearing things: when to doubt a pass, when it runs in circles.

The thresholds are those of Radford et al. 2022, section 4.5 (mean log-probability, compression ratio, the
no-speech token); the loop rule is ours, for loops that are cut before they compress well.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from epsilon.engines.facts import Facts

LONGEST_LOOP = 8  # tokens in a run
REPEATS, LOOP_TOKENS = 3, 9  # a loop comes so often and is so long: "no no no no" is speech


@dataclass(frozen=True)
class Pass:
    """What one pass over the sound gave."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(
        default_factory=list
    )  # of the tokens that were free to choose, the end's too
    frames: list[int] = field(
        default_factory=list
    )  # encoder frame of each token; empty when the graph has none
    no_speech: float = 0.0  # probability of the no-speech token
    circles: bool = False  # stopped because it went in circles

    @property
    def confidence(self) -> float:
        """Mean log-probability of the tokens that were free to choose; 0 when none was."""
        return float(np.mean(self.logprobs)) if self.logprobs else 0.0


@dataclass(frozen=True)
class Limits:
    """Thresholds beyond which a pass is not believed; a model's facts may name its own."""

    min_logprob: float = -1.25  # mean; below it the words are guesses about a noise
    max_no_speech: float = 0.6  # probability; with a mean below `unsure_logprob`, there was no speech
    unsure_logprob: float = -1.0
    compression: float = 2.4  # text that packs better than this says the same again and again
    tokens_per_second: float = 10.0  # nobody speaks faster
    spare_tokens: float = 5.0

    @classmethod
    def from_facts(cls, facts: Facts) -> Limits:
        """The thresholds named in a model's facts, the usual ones for the rest."""
        return cls(**{name: facts.number(name, usual) for name, usual in vars(cls()).items()})

    def tokens(self, seconds: float) -> int:
        """How many tokens at most can have been said in so many seconds."""
        return int(seconds * self.tokens_per_second + self.spare_tokens)

    def repetitive(self, found: Pass, text: str) -> bool:
        """The pass went in circles: worth a second one in a longer context."""
        return found.circles or compression_ratio(text) > self.compression

    def silent(self, found: Pass) -> bool:
        """The words are guesses about something that is not speech."""
        unsaid = found.no_speech > self.max_no_speech and found.confidence < self.unsure_logprob
        return unsaid or found.confidence < self.min_logprob


def compression_ratio(text: str) -> float:
    """Bytes of the text over bytes of its zlib form: the more it repeats itself, the larger."""
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain)) if plain else 0.0


def loop_length(ids: Sequence[int]) -> int:
    """How long the run of tokens is that repeats itself at the end of `ids`; 0 when none does."""
    for length in range(1, LONGEST_LOOP + 1):
        repeats = max(REPEATS, -(-LOOP_TOKENS // length))
        end = ids[-length * repeats :]
        if len(end) == length * repeats and all(end[i] == end[i - length] for i in range(length, len(end))):
            return length
    return 0


def without_loop(ids: Sequence[int], length: int) -> list[int]:
    """`ids` with the repeated run of this length at their end said once."""
    end = len(ids)
    while end > length and ids[end - 1] == ids[end - 1 - length]:
        end -= 1
    return list(ids[:end])
