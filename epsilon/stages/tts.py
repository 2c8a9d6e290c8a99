"""Tts: phrase to sound, the first chunk as soon as it exists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from epsilon.config.character import VoiceSettings
from epsilon.engines.protocols import Synthesizer
from epsilon.engines.tts import phonemes
from epsilon.messages import Message, Phrase, Sound
from epsilon.ring import Samples
from epsilon.stage import Place, Stage


class Tts(Stage):
    """Speaks in the character's style."""

    def __init__(self, place: Place, synthesizer: Synthesizer, voice: VoiceSettings) -> None:
        super().__init__(place)
        self.synthesizer, self.voice = synthesizer, voice

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Phrase)
        recorded = item.clip is not None
        for samples in self._sound(item):
            yield Sound(item.mark, item.index, item.text, samples, False, False, recorded)
        end = np.zeros(0, np.float32)
        yield Sound(
            item.mark, item.index, item.text, end, phrase_ends=True, last=item.last, recorded=recorded
        )

    def _sound(self, phrase: Phrase) -> Iterator[Samples]:
        """The phrase's samples, a chunk at a time."""
        if phrase.clip is not None:
            yield phrase.clip
            return
        spoken = phonemes.convert(phrase.text)
        if spoken:
            style = self.synthesizer.styles[self.voice.style]
            for chunk in self.synthesizer.speak(spoken, style, self.voice.speed):
                yield chunk.samples
