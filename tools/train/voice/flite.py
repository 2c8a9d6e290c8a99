"""The teacher: flite's clustergen voices through ctypes, with the inside of each utterance laid open.

flite is a statistical synthesizer: a tree picks a mel-cepstrum, a pitch and five band strengths for every 5
ms, a smoother (MLPG) runs over them and a vocoder (MLSA filter) makes the sound. The student learns from
those parameters as well as from the sound, which is what lets it learn in an hour on one core.

Structures follow the headers of flite 2.2 (cst_cg.h, cst_track.h, cst_wave.h, cst_voice.h).
"""

import ctypes as c
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from epsilon.errors import EpsilonError

SAMPLE_RATE_HZ = 16000
FRAME_SAMPLES = 80  # flite's own step, 5 ms
VOICES = ("slt", "rms", "awb")

_P = c.c_void_p
_TOKEN = "R:SylStructure.parent.parent.R:Token.parent."
_DATABASE: Any = (
    [("name", _P), ("types", _P), ("num_types", c.c_int), ("sample_rate", c.c_int)]
    + [("f0_mean", c.c_float), ("f0_stddev", c.c_float)]
    + [("num_f0_models", c.c_int), ("f0_trees", _P), ("num_param_models", c.c_int), ("param_trees", _P)]
    + [("spamf0_accent_tree", _P), ("spamf0_phrase_tree", _P)]
    + [("num_channels", _P), ("num_frames", _P), ("model_vectors", _P)]
    + [("num_channels_spamf0_accent", c.c_int), ("num_frames_spamf0_accent", c.c_int)]
    + [("spamf0_accent_vectors", _P), ("model_min", _P), ("model_range", _P), ("qtable", _P)]
    + [("model_shape", c.c_int), ("frame_advance", c.c_float)]
    + [("num_dur_models", c.c_int), ("dur_stats", _P), ("dur_cart", _P), ("phone_states", _P)]
    + [("do_mlpg", c.c_int), ("dynwin", _P), ("dynwinsize", c.c_int)]
    + [("mlsa_alpha", c.c_float), ("mlsa_beta", c.c_float), ("multimodel", c.c_int), ("mixed", c.c_int)]
    + [("bands", c.c_int), ("taps", c.c_int), ("filters", c.POINTER(c.POINTER(c.c_double)))]
    + [("spamf0", c.c_int), ("gain", c.c_float)]
)


class _Clustergen(c.Structure):
    _fields_ = _DATABASE


_TRACK: Any = [("type", c.c_char_p), ("frames", c.c_int), ("channels", c.c_int), ("times", _P)]
_TRACK += [("rows", c.POINTER(c.POINTER(c.c_float)))]
_WAVE: Any = [("type", c.c_char_p), ("rate", c.c_int), ("samples", c.c_int), ("channels", c.c_int)]
_WAVE += [("data", c.POINTER(c.c_short))]


class _Track(c.Structure):
    _fields_ = _TRACK


class _Wave(c.Structure):
    _fields_ = _WAVE


@dataclass(frozen=True)
class Phone:
    """One segment: flite's phone name, its stress, where it ends, and what stands before it in the text."""

    name: str
    stressed: bool
    end_s: float
    starts_word: bool
    punctuation: str  # what follows the word that this phone belongs to


@dataclass(frozen=True)
class Said:
    """One utterance of the teacher. Frames are 5 ms."""

    phones: list[Phone]
    f0_hz: NDArray[np.float32]  # [frames], 0 where unvoiced
    cepstrum: NDArray[np.float32]  # [frames, 25], mel-cepstrum after smoothing
    strengths: NDArray[np.float32]  # [frames, 5], pulse share of each band
    samples: NDArray[np.int16]


def _library(name: str) -> c.CDLL:
    try:
        return c.CDLL(name, mode=c.RTLD_GLOBAL)
    except OSError as error:
        raise EpsilonError(f"cannot load {name}: {error}", hint="apt-get install libflite1") from error


def _declare(lib: c.CDLL) -> None:
    """Give ctypes the types of the functions used here; without them pointers are cut to 32 bits."""
    returns_pointer = {
        "flite_synth_text": [c.c_char_p, _P],
        "utt_relation": [_P, c.c_char_p],
        "relation_head": [_P],
        "item_next": [_P],
        "path_to_item": [_P, c.c_char_p],
        "feat_val": [_P, c.c_char_p],
        "val_track": [_P],
        "val_cg_db": [_P],
        "mlpg": [_P, _P],
        "utt_wave": [_P],
    }
    for name, arguments in returns_pointer.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = _P, arguments
    lib.ffeature_string.restype, lib.ffeature_string.argtypes = c.c_char_p, [_P, c.c_char_p]
    lib.item_feat_float.restype, lib.item_feat_float.argtypes = c.c_float, [_P, c.c_char_p]
    lib.flite_feat_set_float.argtypes = [_P, c.c_char_p, c.c_float]
    lib.flite_add_lang.argtypes = [c.c_char_p, _P, _P]
    lib.delete_utterance.argtypes = lib.delete_track.argtypes = [_P]


def _rows(pointer: int) -> NDArray[np.float32]:
    track = c.cast(pointer, c.POINTER(_Track)).contents
    rows = [np.ctypeslib.as_array(track.rows[i], (track.channels,)) for i in range(track.frames)]
    return np.array(rows, dtype=np.float32)


class Teacher:
    """One flite voice. Not thread-safe: flite keeps its languages and features in globals."""

    def __init__(self, voice: str) -> None:
        """Load `voice` (one of VOICES). Raises EpsilonError if flite's libraries are not installed."""
        self._lib = _library("libflite.so.1")
        english, lexicon = _library("libflite_usenglish.so.1"), _library("libflite_cmulex.so.1")
        _declare(self._lib)
        self._lib.flite_init()
        self._lib.flite_add_lang(b"eng", c.cast(english.usenglish_init, _P), c.cast(lexicon.cmulex_init, _P))
        register: Any = getattr(_library(f"libflite_cmu_us_{voice}.so.1"), f"register_cmu_us_{voice}")
        register.restype, register.argtypes = _P, [c.c_char_p]
        self._voice: int = register(None)
        self._features = c.cast(self._voice + 8, c.POINTER(_P))[0]  # second field of cst_voice
        self._db: int = self._lib.val_cg_db(self._lib.feat_val(self._features, b"cg_db"))
        db = c.cast(self._db, c.POINTER(_Clustergen)).contents
        self.alpha, self.beta, self.gain = float(db.mlsa_alpha), float(db.mlsa_beta), float(db.gain) or 1.0
        self.f0_mean_hz, self.f0_deviation_hz = float(db.f0_mean), float(db.f0_stddev)
        self.filters = np.array([[db.filters[b][i] for i in range(db.taps)] for b in range(db.bands)])

    def say(self, text: str, stretch: float = 1.0, pitch: float = 1.0) -> Said:
        """Speak `text`, `stretch` times as slowly and `pitch` times as high as the voice does by itself."""
        set_float = self._lib.flite_feat_set_float
        set_float(self._features, b"duration_stretch", stretch)
        set_float(self._features, b"int_f0_target_mean", self.f0_mean_hz * pitch)
        set_float(self._features, b"int_f0_target_stddev", self.f0_deviation_hz * pitch)
        utterance = self._lib.flite_synth_text(text.encode("ascii", "ignore"), self._voice)
        try:
            return self._read(utterance)
        finally:
            self._lib.delete_utterance(utterance)

    def _read(self, utterance: int) -> Said:
        lib = self._lib
        features = c.cast(utterance, c.POINTER(_P))[0]
        raw = lib.val_track(lib.feat_val(features, b"param_track"))
        smooth = lib.mlpg(raw, self._db)
        rows = _rows(smooth)
        lib.delete_track(smooth)
        strengths = _rows(lib.val_track(lib.feat_val(features, b"str_track")))
        wave = c.cast(lib.utt_wave(utterance), c.POINTER(_Wave)).contents
        samples = np.ctypeslib.as_array(wave.data, (wave.samples,)).copy()
        return Said(self._phones(utterance), rows[:, 0].copy(), rows[:, 1:].copy(), strengths, samples)

    def _phones(self, utterance: int) -> list[Phone]:
        lib, phones, word_before = self._lib, [], None
        item = lib.relation_head(lib.utt_relation(utterance, b"Segment"))
        while item:
            word = lib.path_to_item(item, b"R:SylStructure.parent.parent")
            phones.append(
                Phone(
                    name=self._text(item, "name"),
                    stressed=self._text(item, "R:SylStructure.parent.stress") == "1",
                    end_s=lib.item_feat_float(item, b"end"),
                    starts_word=word is not None and word != word_before,
                    punctuation="" if word is None else self._punctuation(item, word),
                )
            )
            word_before = word if word is not None else word_before
            item = lib.item_next(item)
        return phones

    def _text(self, item: int, path: str) -> str:
        found: bytes = self._lib.ffeature_string(item, path.encode())
        return found.decode()

    def _punctuation(self, item: int, word: int) -> str:
        """What the text has after this word; a token such as 42 has several words, only its last one counts."""
        if self._lib.path_to_item(item, b"R:SylStructure.parent.parent.R:Token.n"):
            return ""
        found = self._text(item, _TOKEN + "punc")
        return "" if found == "0" else found
