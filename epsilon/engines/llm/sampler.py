"""Which token comes next: temperature, repetition penalty, bias, top-p and min-p, reproducible by seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from epsilon.config.character import Sampling

Logits = npt.NDArray[np.float32]


class Sampler:
    """Picks the tokens of one reply.

    `settings.temperature` 0 takes the likeliest. `top_p` keeps the likeliest tokens that together have that
    much probability (Holtzman et al. 2020), `min_p` those with at least that fraction of the likeliest's
    (Nguyen et al. 2024), `repetition` divides the positive logits of tokens this reply already has and
    multiplies the negative ones (Keskar et al. 2019). `bias` is added to the logits of its tokens first; minus
    infinity forbids a token. `seed` is any number or numbers, such as (seed, turn): the same seed gives the same
    reply.
    """

    def __init__(
        self, settings: Sampling, seed: int | Sequence[int], bias: Mapping[int, float] | None = None
    ) -> None:
        self._settings = settings
        self._random = np.random.default_rng(seed)
        self._bias = bias or {}
        self._picked: list[int] = []
        self._forbidden: Collection[int] = ()
        self._liked: Collection[int] = ()
        self._liking = 0.0

    def forbid(self, tokens: Collection[int]) -> None:
        """Never pick these until told otherwise."""
        self._forbidden = tokens

    def like(self, tokens: Collection[int], liking: float) -> None:
        """Add `liking` to the logits of these until told otherwise."""
        self._liked, self._liking = tokens, liking

    def take_back(self, count: int) -> None:
        """The last `count` tokens were not said after all."""
        del self._picked[len(self._picked) - count :]

    def pick(self, logits: Logits) -> int:
        """The chosen id from logits [vocabulary]."""
        scores = logits.astype(np.float64)
        for token, liking in self._bias.items():
            scores[token] += liking
        self._penalise(scores)
        scores[list(self._liked)] += self._liking
        scores[list(self._forbidden)] = -np.inf
        token = int(np.argmax(scores)) if self._settings.temperature == 0 else self._draw(scores)
        self._picked.append(token)
        return token

    def _penalise(self, scores: npt.NDArray[np.float64]) -> None:
        if self._settings.repetition == 1 or not self._picked:
            return
        seen = np.unique(self._picked)
        factor = self._settings.repetition
        scores[seen] = np.where(scores[seen] > 0, scores[seen] / factor, scores[seen] * factor)

    def _draw(self, scores: npt.NDArray[np.float64]) -> int:
        order = np.argsort(-scores, kind="stable")
        weights = np.exp((scores[order] - scores[order[0]]) / self._settings.temperature)
        weights /= weights.sum()
        before = np.cumsum(weights) - weights  # what the likelier tokens have together
        keep = (before < self._settings.top_p) & (weights >= self._settings.min_p * weights[0])
        keep[0] = True
        kept = np.where(keep, weights, 0.0)
        place = np.searchsorted(np.cumsum(kept), self._random.random() * kept.sum(), side="right")
        return int(order[min(int(place), int(np.flatnonzero(keep)[-1]))])
