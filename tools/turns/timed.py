"""The synthesizers once more, telling where in the sound each word ends."""

from __future__ import annotations

import ctypes as c
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import soxr
from numpy.typing import NDArray

from tools.train.speech.festival import Festival
from tools.train.speech.voices import RATE_HZ, Espeak, Flite, Samples, _Wave

Wave = NDArray[np.float32]
_LAST_SEGMENT = b"daughtern.R:SylStructure.daughtern.daughtern.R:Segment.end"
_WORD_BEGINS = 1  # an event of espeak-ng's speak_lib.h


class Spoken(NamedTuple):
    """Sound at 16 kHz, and for each word of the text (parted by spaces) the sample at which it ends."""

    samples: Samples
    ends: tuple[int, ...]


class TimedFlite(Flite):
    """flite, asked for its tokens before its sound."""

    def __init__(self) -> None:
        super().__init__()
        pointer, name, number = c.c_void_p, c.c_char_p, c.c_float
        for function, result, arguments in (
            ("flite_synth_text", pointer, [name, pointer]),
            ("utt_relation", pointer, [pointer, name]),
            ("relation_head", pointer, [pointer]),
            ("item_next", pointer, [pointer]),
            ("ffeature_float", number, [pointer, name]),
            ("utt_wave", c.POINTER(_Wave), [pointer]),
            ("delete_utterance", None, [pointer]),
            ("flite_feat_set_float", None, [pointer, name, number]),
        ):
            getattr(self._flite, function).restype = result
            getattr(self._flite, function).argtypes = arguments

    def say(self, text: str, voice: str, stretch: float, pitch_hz: float) -> Spoken:
        """`stretch` multiplies durations."""
        flite = self._flite
        handle, features = self._voices[voice]
        flite.flite_feat_set_float(features, b"duration_stretch", stretch)
        flite.flite_feat_set_float(features, b"int_f0_target_mean", pitch_hz)
        utterance = flite.flite_synth_text(text.encode(), handle)
        wave = flite.utt_wave(utterance).contents
        samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy()
        ends, token = [], flite.relation_head(flite.utt_relation(utterance, b"Token"))
        while token:
            ends.append(round(flite.ffeature_float(token, _LAST_SEGMENT) * RATE_HZ))
            token = flite.item_next(token)
        flite.delete_utterance(utterance)
        return Spoken(samples, tuple(ends))


class _Event(c.Structure):
    """espeak-ng's espeak_EVENT."""

    _fields_ = [
        ("type", c.c_int),
        ("identifier", c.c_uint),
        ("text_position", c.c_int),
        ("length", c.c_int),
        ("audio_ms", c.c_int),
        ("sample", c.c_int),
        ("user_data", c.c_void_p),
        ("id", c.c_char * 8),
    ]


class TimedEspeak(Espeak):
    """espeak-ng, which says when each word begins."""

    def _make_callback(self) -> Callable[..., int]:
        kind = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.POINTER(_Event))
        self._begins: list[tuple[int, int]] = []

        def receive(samples: Any, count: int, events: Any) -> int:
            if samples and count > 0:
                self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
            number = 0
            while events and events[number].type != 0:
                event = events[number]
                if event.type == _WORD_BEGINS:
                    self._begins.append((event.text_position - 1, event.audio_ms * RATE_HZ // 1000))
                number += 1
            return 0

        return kind(receive)

    def say(self, text: str, voice: str, words_per_minute: float, pitch: float, spread: float) -> Spoken:
        """`pitch` and `spread` are espeak's 0 … 100."""
        self._begins.clear()
        samples = self.speak(text, voice, words_per_minute, pitch, spread)
        begins = dict(self._begins)
        starts = [found.start() for found in re.finditer(r"\S+", text)]
        ends = [begins.get(start, 0) for start in starts[1:]]
        return Spoken(samples, (*ends, len(samples)))


class TimedFestival(Festival):
    """festival, asked for its tokens after it has spoken."""

    def say(self, text: str, voice: str, stretch: float, pitch: float) -> Spoken:
        """`stretch` multiplies durations, `pitch` the mean F0 where the voice allows it."""
        samples = self.speak(text, voice, stretch, pitch)
        asked = (
            '(mapcar (lambda (item) (if (item.parent item) (format t "%f " (item.feat item "word_end"))'
            ' (format t "token ")))'
        )
        lines = self._order(f"(begin {asked} (utt.relation.items spoken 'Token)) nil)")
        tokens = " ".join(lines).split("token")[1:]
        ends = [max(map(float, re.findall(r"\d+\.\d+", token)), default=0.0) for token in tokens]
        return Spoken(samples, tuple(round(end_s * RATE_HZ) for end_s in ends))


def resized(spoken: Spoken, size: float) -> Spoken:
    """Played faster by `size`: a smaller throat."""
    samples = np.asarray(soxr.resample(spoken.samples, RATE_HZ * size, RATE_HZ), np.int16)
    return Spoken(samples, tuple(round(end / size) for end in spoken.ends))
