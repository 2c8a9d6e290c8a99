"""Effects: the character's chain of voice effects, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from epsilon.engines.protocols import Effect
from epsilon.messages import Message, Sound
from epsilon.stage import Place, Stage
from epsilon.turn import Mark


class Effects(Stage):
    """Runs each chunk through the chain; after the last one the chain may ring on."""

    def __init__(self, place: Place, chain: Sequence[Effect]) -> None:
        super().__init__(place)
        self.chain = chain
        self.mark: Mark | None = None

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Sound)
        if item.mark != self.mark:
            self.mark = item.mark
            for effect in self.chain:
                effect.reset()
        tail_frames = sum(effect.tail_frames for effect in self.chain) if item.last else 0
        samples = (
            np.concatenate([item.samples, np.zeros(tail_frames, np.float32)]) if tail_frames else item.samples
        )
        for effect in self.chain:
            samples = effect.process(samples)
        yield replace(item, samples=samples)
