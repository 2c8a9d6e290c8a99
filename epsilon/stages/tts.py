"""Tts: phrase to sound, the first chunk as soon as it exists."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from epsilon.config.character import VoiceSettings
from epsilon.engines.protocols import Synthesizer
from epsilon.engines.tts import phonemes
from epsilon.messages import Message, Phrase, Sound
from epsilon.stage import Place, Stage


class Tts(Stage):
    """Speaks in the character's style."""

    def __init__(self, place: Place, synthesizer: Synthesizer, voice: VoiceSettings) -> None:
        super().__init__(place)
        self.synthesizer, self.voice = synthesizer, voice

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Phrase)
        style = self.synthesizer.styles[self.voice.style]
        spoken = phonemes.convert(item.text)
        chunks = self.synthesizer.speak(spoken, style, self.voice.speed) if spoken else iter(())
        for chunk in chunks:
            yield Sound(item.mark, item.index, item.text, chunk.samples, phrase_ends=False, last=False)
        yield Sound(
            item.mark, item.index, item.text, np.zeros(0, np.float32), phrase_ends=True, last=item.last
        )
