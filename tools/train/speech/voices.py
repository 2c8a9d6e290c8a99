"""flite and espeak-ng called in-process through ctypes: text in, 16 kHz int16 samples out."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

RATE_HZ = 16_000
FLITE_PITCH_HZ = {"slt": 175.0, "rms": 100.0, "awb": 125.0, "kal16": 100.0}
Samples = NDArray[np.int16]

# Parameter numbers and audio mode of espeak-ng's speak_lib.h.
_RATE, _PITCH, _RANGE = 1, 3, 4
_SYNCHRONOUS, _UTF8 = 2, 1


class _Wave(c.Structure):
    """flite's cst_wave."""

    _fields_ = [
        ("type", c.c_char_p),
        ("sample_rate", c.c_int),
        ("num_samples", c.c_int),
        ("num_channels", c.c_int),
        ("samples", c.POINTER(c.c_short)),
    ]


def _library(name: str) -> c.CDLL:
    try:
        return c.CDLL(name, mode=c.RTLD_GLOBAL)
    except OSError as error:
        raise RuntimeError(f"{name} is missing: apt install libflite1 libespeak-ng1 ({error})") from error


class Flite:
    """The four flite voices that speak at 16 kHz."""

    def __init__(self) -> None:
        self._flite = _library("libflite.so.1")
        english, lexicon = _library("libflite_usenglish.so.1"), _library("libflite_cmulex.so.1")
        self._flite.flite_init()
        self._flite.flite_add_lang.argtypes = [c.c_char_p, c.c_void_p, c.c_void_p]
        self._flite.flite_add_lang(
            b"eng", c.cast(english.usenglish_init, c.c_void_p), c.cast(lexicon.cmulex_init, c.c_void_p)
        )
        self._flite.flite_text_to_wave.restype = c.POINTER(_Wave)
        self._flite.flite_text_to_wave.argtypes = [c.c_char_p, c.c_void_p]
        self._flite.delete_wave.argtypes = [c.c_void_p]
        self._flite.flite_feat_set_float.argtypes = [c.c_void_p, c.c_char_p, c.c_float]
        self._voices = {voice: self._register(f"cmu_us_{voice}") for voice in FLITE_PITCH_HZ}

    def _register(self, name: str) -> tuple[int, int]:
        register = getattr(_library(f"libflite_{name}.so.1"), f"register_{name}")
        register.restype, register.argtypes = c.c_void_p, [c.c_char_p]
        voice = register(None)
        features = c.cast(voice + 8, c.POINTER(c.c_void_p))[0]  # second field of cst_voice
        return voice, features

    def speak(self, text: str, voice: str, stretch: float, pitch: float) -> Samples:
        """`stretch` multiplies durations, `pitch` the voice's mean F0."""
        handle, features = self._voices[voice]
        self._flite.flite_feat_set_float(features, b"duration_stretch", stretch)
        self._flite.flite_feat_set_float(features, b"int_f0_target_mean", FLITE_PITCH_HZ[voice] * pitch)
        wave = self._flite.flite_text_to_wave(text.encode(), handle)
        samples = np.ctypeslib.as_array(wave.contents.samples, (wave.contents.num_samples,)).copy()
        rate_hz = wave.contents.sample_rate
        self._flite.delete_wave(wave)
        if rate_hz != RATE_HZ:
            raise RuntimeError(f"flite voice {voice} speaks at {rate_hz} Hz, not {RATE_HZ} Hz")
        return samples


class Espeak:
    """espeak-ng: accents and variants by name, such as `en-gb+f2`."""

    def __init__(self) -> None:
        self._espeak = _library("libespeak-ng.so.1")
        self.rate_hz: int = self._espeak.espeak_Initialize(_SYNCHRONOUS, 500, None, 0)
        self._pieces: list[Samples] = []
        self._callback = self._make_callback()
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._espeak.espeak_SetVoiceByName.argtypes = [c.c_char_p]
        self._espeak.espeak_Synth.argtypes = [
            c.c_char_p, c.c_size_t, c.c_uint, c.c_int, c.c_uint, c.c_uint, c.c_void_p, c.c_void_p,
        ]  # fmt: skip

    def _make_callback(self) -> Callable[..., int]:
        kind = c.CFUNCTYPE(c.c_int, c.POINTER(c.c_short), c.c_int, c.c_void_p)

        def receive(samples: c.Array[c.c_short], count: int, _events: int) -> int:
            if samples and count > 0:
                self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
            return 0

        return kind(receive)

    def speak(
        self, text: str, voice: str, words_per_minute: float, pitch: float, pitch_range: float
    ) -> Samples:
        """`pitch` and `pitch_range` are espeak's 0 … 100."""
        self._pieces.clear()
        if self._espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice!r}: apt install espeak-ng-data")
        for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._espeak.espeak_SetParameter(parameter, int(value), 0)
        encoded = text.encode()
        self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        self._espeak.espeak_Synchronize()
        if not self._pieces:
            return np.zeros(0, np.int16)
        return np.asarray(soxr.resample(np.concatenate(self._pieces), self.rate_hz, RATE_HZ), np.int16)
