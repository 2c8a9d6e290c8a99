"""Who is listened to: a style of a voice as it is, or a character as the toy lets it speak."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.clock import ManualClock
from epsilon.config import folders
from epsilon.config.character import VoiceSettings, load_character
from epsilon.config.models import Model, find_model, verify
from epsilon.engines.protocols import Chunk, Delivery, Effect, Spelt, Synthesizer
from epsilon.errors import ConfigError, nearest
from epsilon.messages import Phrase, Sound, Token
from epsilon.parts import load_effects
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.stage import Place
from epsilon.stages.effects import Effects
from epsilon.stages.phrases import Phrases
from epsilon.stages.tts import Tts
from epsilon.turn import Turn
from tools.evaluate.voice import RATE_HZ


@dataclass(frozen=True)
class Spoken:
    """A phrase as the engine gave it, at its own rate."""

    symbols: Sequence[str]
    ends: tuple[int, ...]  # where each symbol ends
    joins: tuple[int, ...]  # where its chunks meet
    rate_hz: int
    delivery: Delivery
    samples: Samples


@dataclass(frozen=True)
class Said:
    """A text as a speaker said it. Positions are frames at 16 kHz."""

    dry: Samples  # before the effects
    wet: Samples
    joins: tuple[int, ...]  # in `wet`: where chunks meet, of the voice and of the stages behind it
    borders: tuple[int, ...]  # where phrases meet
    phrases: tuple[Spoken, ...]
    cpu_s: float
    first_cpu_s: float  # until the first chunk had passed the effects

    @property
    def symbols(self) -> list[str]:
        """Of all phrases."""
        return [symbol for phrase in self.phrases for symbol in phrase.symbols]

    @property
    def ends(self) -> list[int]:
        """Where each symbol ends in `dry`; empty where the voice does not tell."""
        return in_a_row(self.phrases, [phrase.ends for phrase in self.phrases])


def in_a_row(phrases: Sequence[Spoken], places: Sequence[Sequence[int]]) -> list[int]:
    """Frames of each phrase as frames at 16 kHz of all phrases one after the other."""
    found, before = list[int](), 0
    for phrase, own in zip(phrases, places, strict=True):
        found += [before + place * RATE_HZ // phrase.rate_hz for place in own]
        before += len(phrase.samples) * RATE_HZ // phrase.rate_hz
    return found


class Listener:
    """A voice that is overheard while the stages use it."""

    def __init__(self, voice: Synthesizer) -> None:
        self.voice = voice
        self.heard: list[Spoken] = []

    @property
    def styles(self) -> Mapping[str, Any]:
        """The voice's."""
        return self.voice.styles

    def spell(self, text: str, more: bool) -> Spelt:
        """The voice's."""
        return self.voice.spell(text, more)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """The voice's chunks as they come; what they were is kept when the phrase is over."""
        chunks = list[Chunk]()
        for chunk in self.voice.speak(symbols, delivery):
            chunks.append(chunk)
            yield chunk
        if chunks:
            samples = np.concatenate([chunk.samples for chunk in chunks])
            joins = tuple(np.cumsum([len(chunk.samples) for chunk in chunks[:-1]]).tolist())
            rate_hz = chunks[0].sample_rate_hz
            self.heard.append(Spoken(symbols, chunks[0].ends, joins, rate_hz, delivery, samples))


class Speaker:
    """The stages behind the text, without their threads: phrases (when `cut`), tts, effects."""

    def __init__(
        self,
        name: str,
        voice: Synthesizer,
        settings: VoiceSettings,
        chain: Sequence[Effect] = (),
        cut: bool = False,
    ) -> None:
        self.name, self.voice, self.settings, self.cut = name, voice, settings, cut
        self._turn, self._listener = Turn(), Listener(voice)
        place = Place(Seat(), self._turn, ManualClock())
        self._phrases = Phrases(place)
        self._tts, self._effects = Tts(place, self._listener, settings), Effects(place, chain)

    def say(self, text: str) -> Said:
        """The text as one phrase, or when the speaker is `cut` in phrases as a reply."""
        self._listener.heard.clear()
        dry, wet = list[Samples](), list[Samples]()
        borders, first_s = set[int](), 0.0
        began_s = time.process_time()
        for phrase in self._cut(text):
            for sound in self._tts.work(phrase):
                for heard in self._effects.work(sound):
                    assert isinstance(sound, Sound) and isinstance(heard, Sound)
                    dry.append(sound.samples)
                    wet.append(heard.samples)
                    first_s = first_s or time.process_time() - began_s
            borders |= {sum(map(len, dry)), sum(map(len, wet))}
        cpu_s = time.process_time() - began_s
        phrases = self._listener.heard
        joins = {sum(map(len, wet[:count])) for count in range(len(wet))}
        joins |= set(in_a_row(phrases, [phrase.joins for phrase in phrases]))
        return Said(
            np.concatenate(dry),
            np.concatenate(wet),
            tuple(sorted(joins - borders - {0})),
            tuple(sorted(at for at in borders if at < sum(map(len, wet)))),
            tuple(phrases),
            cpu_s,
            first_s,
        )

    def _cut(self, text: str) -> list[Phrase]:
        mark = self._turn.next()
        if not self.cut:
            return [Phrase(mark, 0, text, last=True)]
        return [one for one in self._phrases.work(Token(mark, text, last=True)) if isinstance(one, Phrase)]


def load_voice(named: str, runtime: str = "onnx", engine: str = "styletts2") -> tuple[Any, Path]:
    """The voice of a folder or of a name in the manifest, and its folder, on one thread.

    A folder is read by `engine`; a model of the manifest by its own.
    """
    known = folders.module_names("runtimes")
    if runtime not in known:
        raise ConfigError(f"no runtime '{runtime}'{nearest(runtime, known)}")
    folder = Path(named)
    if folder.is_dir():
        model = Model(folder.name, folder, "tts", engine, licence="-", source="-", made_by="-", files={})
    else:
        model = find_model(named)
        verify(model)
    module = importlib.import_module(f"epsilon.engines.tts.{model.engine}")
    return module.load(model, importlib.import_module(f"epsilon.runtimes.{runtime}"), Seat()), model.folder


def of_style(voice: Synthesizer, style: str) -> Speaker:
    """A style at its own pace and pitch, each text in one phrase; ConfigError for one that the voice has not."""
    if style not in voice.styles:
        raise ConfigError(f"the voice has no style '{style}'{nearest(style, voice.styles)}")
    return Speaker(style, voice, VoiceSettings(style=style))


def of_character(voice: Synthesizer, name: str) -> Speaker:
    """A character with its pace, its pitch and its effects, cut into phrases as the toy cuts them."""
    character = load_character(name)
    style = character.voice.style
    if style not in voice.styles:
        where = character.where.place("voice", "style")
        raise ConfigError(f"the voice has no style '{style}'{nearest(style, voice.styles)}", where)
    return Speaker(name, voice, character.voice, load_effects(character), cut=True)
