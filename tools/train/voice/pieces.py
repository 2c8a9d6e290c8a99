"""Pieces of utterances: whole ones, and parts such as the toy speaks when it cuts a sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE, TOKENS
from tools.train.voice.corpus import LEAD_FRAMES, TAIL_FRAMES, Corpus
from tools.train.voice.prosody import falling, swing_of
from tools.train.voice.spectrum import basis

Ints = NDArray[np.int64]

_PAD_ID, _SPACE_ID = TOKENS.index(PAD), TOKENS.index(SPACE)
_MARK_IDS = [TOKENS.index(mark) for mark in PUNCTUATION]
_CUT_AT_PAUSE, _CUT_AT_WORD = 0.25, 0.2
_FIRST_WORDS = 5  # where the toy cuts its first phrase at the latest


@dataclass(frozen=True)
class Reading:
    """A corpus, the voice that reads it, and what is worked out once for all of it."""

    corpus: Corpus
    voice: int
    energy: NDArray[np.float32]  # log RMS of each frame
    swing: float  # see `prosody.bend`


@dataclass(frozen=True)
class Piece:
    """Part of an utterance: its own tokens and durations, and where its frames lie in the corpus."""

    reading: Reading
    utterance: int
    tokens: Ints
    durations: Ints
    first_frame: int
    fades: bool = False  # its closing pad lies in the next word, whose sound is faded out there

    @property
    def frames(self) -> slice:
        """Its frames in the corpus."""
        return slice(self.first_frame, self.first_frame + len(self))

    def __len__(self) -> int:
        return int(self.durations.sum())


def read(corpus: Corpus, voice: int) -> Reading:
    """What pieces need of a corpus."""
    utterances = np.repeat(np.arange(len(corpus)), np.diff(corpus.frame_ends, prepend=0))
    own = np.log(corpus.f0_hz) - np.log(corpus.pitch)[utterances]
    corpus = replace(corpus, tokens=_marked_by_tune(corpus))
    return Reading(corpus, voice, _energy(corpus), swing_of(own[corpus.voiced]))


def _marked_by_tune(corpus: Corpus) -> NDArray[np.int16]:
    """The tokens, as `prosody.falling` spells them."""
    utterances = np.split(corpus.tokens, corpus.token_ends[:-1])
    spelt = [TOKENS.index(symbol) for ids in utterances for symbol in falling([TOKENS[i] for i in ids])]
    return np.array(spelt, dtype=np.int16)


def _energy(corpus: Corpus) -> NDArray[np.float32]:
    """Log RMS of each frame, from its filters."""
    cosines = basis()[0][:, ::8].astype(np.float32)
    noise = np.exp(2 * (corpus.noise.astype(np.float32) @ cosines)).mean(axis=1)
    pulse = np.exp(2 * (corpus.pulse.astype(np.float32) @ cosines)).mean(axis=1)
    return np.asarray(0.5 * np.log(noise + pulse * corpus.voiced + 1e-9), dtype=np.float32)


def whole(reading: Reading, i: int) -> Piece:
    """Utterance `i`."""
    corpus = reading.corpus
    tokens = slice(corpus.token_ends[i - 1] if i else 0, corpus.token_ends[i])
    first = int(corpus.frame_ends[i - 1]) if i else 0
    ids, durations = corpus.tokens[tokens].astype(np.int64), corpus.durations[tokens].astype(np.int64)
    return Piece(reading, i, ids, durations, first)


def cut(piece: Piece, rng: np.random.Generator) -> Piece:
    """The piece, or at random a part of it, as the toy too will speak a sentence in parts."""
    chance = rng.random()
    if chance < _CUT_AT_PAUSE:
        return _at_pause(piece, rng)
    if chance < _CUT_AT_PAUSE + _CUT_AT_WORD:
        return _at_word(piece, rng)
    return piece


def _at_pause(piece: Piece, rng: np.random.Generator) -> Piece:
    long_enough = piece.durations > LEAD_FRAMES + TAIL_FRAMES
    marks = np.flatnonzero(np.isin(piece.tokens, _MARK_IDS) & long_enough)
    marks = marks[marks < len(piece.tokens) - 2]
    if not len(marks):
        return piece
    at = int(rng.choice(marks))
    return _before_pause(piece, at) if rng.random() < 0.5 else _after_pause(piece, at)


def _at_word(piece: Piece, rng: np.random.Generator) -> Piece:
    """Without a mark before the closing pad: the sentence goes on. The sound fades there, so that it does not click."""
    spaces = np.flatnonzero(piece.tokens == _SPACE_ID)
    if len(spaces) <= 2:
        return piece
    usual = len(spaces) >= _FIRST_WORDS and rng.random() < 0.5
    at = int(spaces[_FIRST_WORDS - 1] if usual else rng.choice(spaces[2:]))
    tokens, durations = np.append(piece.tokens[:at], _PAD_ID), np.append(piece.durations[:at], TAIL_FRAMES)
    return replace(piece, tokens=tokens, durations=durations, fades=True)


def _before_pause(piece: Piece, mark: int) -> Piece:
    tokens = np.append(piece.tokens[: mark + 1], _PAD_ID)
    durations = np.append(piece.durations[: mark + 1], TAIL_FRAMES)
    durations[mark] -= TAIL_FRAMES
    return replace(piece, tokens=tokens, durations=durations)


def _after_pause(piece: Piece, mark: int) -> Piece:
    tokens = np.insert(piece.tokens[mark + 1 :], 0, _PAD_ID)
    durations = np.insert(piece.durations[mark + 1 :], 0, LEAD_FRAMES)
    first = piece.first_frame + int(piece.durations[: mark + 1].sum()) - LEAD_FRAMES
    return replace(piece, tokens=tokens, durations=durations, first_frame=first)
