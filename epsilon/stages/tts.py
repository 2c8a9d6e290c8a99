"""Tts: phrase to sound, the first chunk as soon as it exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from epsilon.config.character import Mood, VoiceSettings
from epsilon.dsp.fade import fade_out
from epsilon.dsp.resample import StreamResampler
from epsilon.engines.protocols import SAMPLE_RATE_HZ, Chunk, Delivery, Spelt, Synthesizer
from epsilon.engines.tts.tunes import continued
from epsilon.messages import Message, Phrase, Sound
from epsilon.ring import Samples
from epsilon.stage import Place, Stage

USUAL = Mood()
END_FRAMES = SAMPLE_RATE_HZ // 200

Piece = tuple[Samples, tuple[int, ...]]


class Tts(Stage):
    """Speaks in the character's style, and in the phrase's mood."""

    def __init__(self, place: Place, synthesizer: Synthesizer, voice: VoiceSettings) -> None:
        super().__init__(place)
        self.synthesizer, self.voice = synthesizer, voice
        self.first_sound_s = 0.0  # what the first sound of a phrase took at the warm-up
        self.begun = ""  # what has been said of a sentence that goes on
        self.turn.watch(self.bell)

    def may_begin(self, item: Message) -> bool:
        """Of an answer that may never be wanted only the first phrase is made."""
        assert isinstance(item, Phrase)
        return item.index == 0 or self.turn.is_committed(item.mark) or self.turn.is_stale(item.mark)

    def warm_up(self) -> None:
        """Say something to nobody: what is read or made ready at a first use must not keep the first answer waiting."""
        ready = Phrase(self.turn.now, 0, "Ready.", last=True)
        for _ in self._sound(ready):
            pass
        began_s = self.clock.now()
        next(self._sound(ready), None)
        self.first_sound_s = self.clock.now() - began_s

    def work(self, item: Message) -> Iterator[Message]:
        assert isinstance(item, Phrase)
        recorded = item.clip is not None
        for samples, word_ends in self._sound(item):
            yield Sound(item.mark, item.index, item.text, samples, False, False, recorded, word_ends)
        end = np.zeros(0, np.float32)
        yield Sound(
            item.mark, item.index, item.text, end, phrase_ends=True, last=item.last, recorded=recorded
        )

    def delivery(self, mood: str) -> Delivery:
        """How the character says something in a mood; one it does not have is its usual one."""
        voice, now = self.voice, self.voice.moods.get(mood, USUAL)
        return Delivery(
            self.synthesizer.styles[voice.style], voice.speed * now.speed, voice.pitch + now.pitch
        )

    def _sound(self, phrase: Phrase) -> Iterator[Piece]:
        """The phrase's samples at 16 kHz, a chunk at a time, and with each where the words end."""
        text = self._written(phrase)
        if phrase.clip is not None:
            yield phrase.clip, ()
            return
        spelt = self.synthesizer.spell(text, phrase.more)
        if spelt.symbols:
            chunks = self.synthesizer.speak(spelt.symbols, self.delivery(phrase.mood))
            yield from ending_softly(timed(chunks, spelt))

    def _written(self, phrase: Phrase) -> str:
        """Its text, with the mark that its sentence has as a whole."""
        before = self.begun if phrase.index else ""
        self.begun = f"{before} {phrase.text}" if phrase.more else ""
        return continued(phrase.text, before)


def timed(chunks: Iterator[Chunk], spelt: Spelt) -> Iterator[Piece]:
    """Chunks at 16 kHz, each with the frame of the phrase in which every word ends."""
    resampler: StreamResampler | None = None
    word_ends: tuple[int, ...] = ()
    for chunk in chunks:
        if chunk.ends:
            word_ends = ends_of_words(spelt.words, chunk)
        if chunk.sample_rate_hz == SAMPLE_RATE_HZ:
            yield chunk.samples, word_ends
            continue
        resampler = resampler or StreamResampler(chunk.sample_rate_hz, SAMPLE_RATE_HZ)
        yield resampler.push(chunk.samples), word_ends
    if resampler is not None:
        yield resampler.finish(), word_ends


def ending_softly(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces of a phrase, its last END_FRAMES faded out: a voice that stops in mid-sound does not click."""
    held: Samples = np.zeros(0, np.float32)
    word_ends: tuple[int, ...] = ()
    for samples, word_ends in pieces:
        whole = np.concatenate((held, samples))
        ready = max(0, len(whole) - END_FRAMES)
        held = whole[ready:]
        yield whole[:ready], word_ends
    yield fade_out(held), word_ends


def ends_of_words(words: Sequence[int], chunk: Chunk) -> tuple[int, ...]:
    """Where each written word ends, in frames at 16 kHz; one that is not spoken ends with the word before it."""
    ends: list[int] = []
    for word, end in zip(words, chunk.ends, strict=True):
        while len(ends) <= word:
            ends.append(ends[-1] if ends else 0)
        ends[word] = end * SAMPLE_RATE_HZ // chunk.sample_rate_hz
    return tuple(ends)
