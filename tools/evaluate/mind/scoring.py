"""Log-probabilities of tokens, by the engine's contract alone: start, append, logits, fork."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

SURPRISING = -1.0  # nats per token: a reply below this on average is one that the model itself finds unlikely


class Scored(NamedTuple):
    """A token's log-probability, and whether no other was likelier."""

    logprob: float
    likeliest: bool


def log_softmax(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    """Scores [vocabulary] to log-probabilities."""
    scores = logits.astype(np.float64)
    scores -= scores.max()
    return scores - math.log(np.exp(scores).sum())


def score(mind: Any, seq: Any, ids: Sequence[int]) -> list[Scored]:
    """Each id after the sequence and the ids before it; the sequence then holds them too, but for the last."""
    scored = []
    for place, token in enumerate(ids):
        if place:
            mind.append(seq, [ids[place - 1]])
        chances = log_softmax(mind.logits(seq))
        scored.append(Scored(float(chances[token]), int(np.argmax(chances)) == token))
    return scored


def sequence(mind: Any, ids: Sequence[int]) -> Any:
    """A sequence that holds the ids."""
    seq = mind.start()
    mind.append(seq, ids)
    return seq


def area_under_curve(better: Sequence[float], worse: Sequence[float]) -> float:
    """How often a number of the first kind is above one of the second, ties half: 0.5 tells nothing apart."""
    above = sum((high > low) + 0.5 * (high == low) for high in better for low in worse)
    return above / (len(better) * len(worse))
