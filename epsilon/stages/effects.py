"""Effects: the character's chain of voice effects, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from epsilon.dsp.limit import soft
from epsilon.engines.protocols import Effect
from epsilon.messages import Message, Sound
from epsilon.stage import Place, Stage
from epsilon.turn import Mark


class Effects(Stage):
    """Runs each chunk through the chain and keeps it from clipping; after the last one the chain may ring on.

    What the chain delays is no dead air: a reply's first chunk is shorter by that, and the rest follows in time.
    """

    def __init__(self, place: Place, chain: Sequence[Effect]) -> None:
        super().__init__(place)
        self.chain = chain
        self.mark: Mark | None = None
        self.to_skip = 0  # frames of silence that the chain still gives before the reply begins

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Sound)
        if item.mark != self.mark:
            self._begin(item.mark)
        samples = item.samples
        if item.last and (tail_frames := sum(effect.tail_frames for effect in self.chain)):
            samples = np.concatenate([samples, np.zeros(tail_frames, np.float32)])
        for effect in self.chain:
            samples = effect.process(samples)
        skipped = min(self.to_skip, len(samples))
        self.to_skip -= skipped
        yield replace(item, samples=soft(samples[skipped:]))

    def _begin(self, mark: Mark) -> None:
        self.mark = mark
        self.to_skip = sum(effect.delay_frames for effect in self.chain)
        for effect in self.chain:
            effect.reset()
