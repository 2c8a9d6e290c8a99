"""Training batches: pieces of utterances, padded to one length, with everything the losses compare against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from epsilon.engines.tts.symbols import TOKENS
from tools.train.voice.corpus import HOP_SAMPLES, TAIL_FRAMES, Corpus
from tools.train.voice.model import ENERGY_CENTRE, ENERGY_SPREAD, F0_CENTRE, F0_SPREAD
from tools.train.voice.pieces import Piece, cut, read, whole
from tools.train.voice.prosody import bend, clauses

_FADE = np.array((-1.0, -5.0), dtype=np.float32)  # log amplitude of the frames of a closing pad that fades
assert len(_FADE) == TAIL_FRAMES
_GAIN, _LARGEST_GAIN = 0.25, 0.6  # log amplitude: the energy that the decoder reads is what sounds


@dataclass(frozen=True)
class Batch:
    """`mask` [batch, frames] and `lengths` [batch] say what is padding; F0 and energy are scaled as in the model."""

    voices: Tensor
    tokens: Tensor
    lengths: Tensor
    log_durations: Tensor  # at the voice's own pace
    owner: Tensor  # [batch, frames] token of each frame
    position: Tensor  # [batch, 4, frames]
    mask: Tensor
    f0: Tensor  # as spoken
    f0_target: Tensor  # as the melody should be at the voice's own pitch
    voiced: Tensor
    energy: Tensor  # as spoken
    energy_target: Tensor  # as loud as it should be
    pulse: Tensor
    noise: Tensor
    samples: Tensor  # [batch, frames * HOP_SAMPLES], ±1


def _position(durations: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    """As model.position, in numpy."""
    own = durations[owner].astype(np.float32)
    since = np.arange(len(owner)) - (np.cumsum(durations) - durations)[owner] + 0.5
    rows = (since / own, own * 0.1, np.minimum(since * 0.2, 2.0), np.minimum((own - since) * 0.2, 2.0))
    return np.stack(rows).astype(np.float32)


def _rounded(length: int, step: int) -> int:
    """Up to a multiple of `step`: few different shapes, for each of which oneDNN compiles a kernel of its own."""
    return -(-length // step) * step


def _padded(rows: Sequence[NDArray], length: int) -> Tensor:
    """Rows of unequal first dimension, zero-padded to `length`."""
    out = np.zeros((len(rows), length, *rows[0].shape[1:]), dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return torch.from_numpy(out)


def _louder(filters: NDArray[np.float16], gain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel-cepstra of a filter `gain` [frames] louder, in log amplitude."""
    out = filters.astype(np.float32)
    out[:, 0] += gain
    return out


def _fade(piece: Piece) -> NDArray[np.float32]:
    """What is added to the log amplitude of each frame of a piece that fades out in its closing pad."""
    fade = np.zeros(len(piece), dtype=np.float32)
    if piece.fades:
        fade[-len(_FADE) :] = _FADE
    return fade


def _frames_of(piece: Piece, gain: float) -> dict[str, NDArray]:
    """What a batch holds of each frame of a piece."""
    reading, corpus, frames = piece.reading, piece.reading.corpus, piece.frames
    log_f0, voiced = np.log(corpus.f0_hz[frames]), corpus.voiced[frames]
    fade = _fade(piece)
    loud = reading.energy[frames] + fade
    symbols = [TOKENS[token] for token in piece.tokens]
    own = log_f0 - np.log(corpus.pitch[piece.utterance])
    bent, louder = bend(symbols, piece.durations, own, voiced, reading.swing)
    owner = np.repeat(np.arange(len(piece.tokens)), piece.durations)
    return {
        "owner": owner,
        "position": _position(piece.durations, owner).T,
        "mask": np.ones(len(piece), dtype=np.float32),
        "f0": (log_f0 - F0_CENTRE) / F0_SPREAD,
        "f0_target": (bent - F0_CENTRE) / F0_SPREAD,
        "voiced": voiced.astype(np.float32),
        "energy": (loud + gain - ENERGY_CENTRE) / ENERGY_SPREAD,
        "energy_target": (loud + louder - ENERGY_CENTRE) / ENERGY_SPREAD,
        "pulse": _louder(corpus.pulse[frames], gain + fade),
        "noise": _louder(corpus.noise[frames], gain + fade),
    }


def _sound(piece: Piece, gain: float) -> NDArray[np.float32]:
    frames = piece.frames
    samples = piece.reading.corpus.samples[frames.start * HOP_SAMPLES : frames.stop * HOP_SAMPLES]
    sound = samples.astype(np.float32) * np.float32(np.exp(gain) / 32768)
    if piece.fades:
        sound[-TAIL_FRAMES * HOP_SAMPLES :] *= np.linspace(1, 0, TAIL_FRAMES * HOP_SAMPLES, dtype=np.float32)
    return sound


def collate(pieces: Sequence[Piece], gains: Sequence[float]) -> Batch:
    """One batch. `gains` make each piece louder, log amplitude; what the melody is taught stays as it is."""
    lengths = torch.tensor([len(piece.tokens) for piece in pieces])
    width, frames = _rounded(int(lengths.max()), 16), _rounded(max(map(len, pieces)), 32)
    rows = [_frames_of(piece, gain) for piece, gain in zip(pieces, gains, strict=True)]
    framed = {name: _padded([row[name] for row in rows], frames) for name in rows[0]}
    framed["position"] = framed["position"].transpose(1, 2)
    paces = [p.durations / p.reading.corpus.stretch[p.utterance] for p in pieces]
    sounds = [_sound(piece, gain) for piece, gain in zip(pieces, gains, strict=True)]
    return Batch(
        voices=torch.tensor([piece.reading.voice for piece in pieces]),
        tokens=_padded([piece.tokens for piece in pieces], width),
        lengths=lengths,
        log_durations=_padded([np.log1p(pace).astype(np.float32) for pace in paces], width),
        samples=_padded(sounds, frames * HOP_SAMPLES),
        **framed,
    )


def _has_tune(piece: Piece) -> bool:
    """A question or a list: what it is like at its end is decided at its beginning."""
    found = clauses([TOKENS[token] for token in piece.tokens])
    return any(clause.of > 2 or clause.mark == "?" for clause in found)


class Batches:
    """Endless shuffled batches over several voices; the first `held_out` utterances of each are kept for checking."""

    def __init__(
        self, corpora: Sequence[Sequence[Corpus]], frames: int, seed: int, held_out: int = 24
    ) -> None:
        """`corpora[v]` are the corpora of voice v, `frames` how many frames, padding included, make a batch."""
        self._frames, self._rng = frames, np.random.default_rng(seed)
        self._train: list[Piece] = []
        self.check: list[Batch] = []
        for voice, several in enumerate(corpora):
            for corpus in several:
                reading = read(corpus, voice)
                pieces = [whole(reading, i) for i in range(len(corpus))]
                self.check.append(collate(pieces[:held_out], [0.0] * len(pieces[:held_out])))
                self._train += pieces[held_out:]
        self._with_tunes = [piece for piece in self._train if _has_tune(piece)]

    def _collate(self, pieces: Sequence[Piece]) -> Batch:
        gains = np.clip(self._rng.normal(0, _GAIN, len(pieces)), -_LARGEST_GAIN, _LARGEST_GAIN)
        return collate(pieces, gains.tolist())

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield from self._round(self._train, cuts=True)

    def of_tunes(self) -> Iterator[Batch]:
        """Endless batches of whole utterances with questions and lists; of all where there are none."""
        while True:
            yield from self._round(self._with_tunes or self._train, cuts=False)

    def _round(self, pieces: Sequence[Piece], cuts: bool) -> Iterator[Batch]:
        order = self._rng.permutation(len(pieces))
        for pool in np.array_split(order, max(1, len(order) // 256)):
            yield from self._pool([cut(pieces[i], self._rng) if cuts else pieces[i] for i in pool])

    def _pool(self, pieces: list[Piece]) -> Iterator[Batch]:
        """Batches of one pool, alike in length so that little is padding, in random order."""
        pieces.sort(key=len)
        groups: list[list[Piece]] = [[]]
        for piece in pieces:
            if (len(groups[-1]) + 1) * _rounded(len(piece), 32) > self._frames and groups[-1]:
                groups.append([])
            groups[-1].append(piece)
        for i in self._rng.permutation(len(groups)):
            yield self._collate(groups[i])
