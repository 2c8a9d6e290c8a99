"""Training batches: pieces of utterances, padded to one length, with everything the losses compare against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE, TOKENS
from tools.train.voice.corpus import HOP_SAMPLES, LEAD_FRAMES, TAIL_FRAMES, Corpus
from tools.train.voice.model import ENERGY_CENTRE, ENERGY_SPREAD, F0_CENTRE, F0_SPREAD
from tools.train.voice.spectrum import basis

_PAD_ID, _SPACE_ID = TOKENS.index(PAD), TOKENS.index(SPACE)
_MARK_IDS = {TOKENS.index(mark) for mark in PUNCTUATION}
_QUESTION_ID, _SHOUT_ID = TOKENS.index("?"), TOKENS.index("!")
_RISE_FRAMES = 40
_RISE = 0.35  # log: a question ends 40 % higher than the teacher, who reads it like a statement
_SHOUT = 0.3  # an exclamation's melody swings this much wider than the teacher's
_CUT_AT_PAUSE, _CUT_AT_WORD = 0.25, 0.12


@dataclass(frozen=True)
class Piece:
    """Part of an utterance: its own tokens and durations, and where its frames lie in the corpus."""

    voice: int
    corpus: Corpus
    utterance: int
    tokens: NDArray[np.int64]
    durations: NDArray[np.int64]
    first_frame: int
    complete: bool  # reaches the end of the utterance

    @property
    def frames(self) -> slice:
        """Its frames in the corpus."""
        return slice(self.first_frame, self.first_frame + int(self.durations.sum()))


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
    energy: Tensor
    pulse: Tensor
    noise: Tensor
    samples: Tensor  # [batch, frames * HOP_SAMPLES], ±1


def energy(corpus: Corpus) -> NDArray[np.float32]:
    """Log RMS of each frame, from its filters."""
    cosines = basis()[0][:, ::8].astype(np.float32)
    noise = np.exp(2 * (corpus.noise.astype(np.float32) @ cosines)).mean(axis=1)
    pulse = np.exp(2 * (corpus.pulse.astype(np.float32) @ cosines)).mean(axis=1)
    return np.asarray(0.5 * np.log(noise + pulse * corpus.voiced + 1e-9), dtype=np.float32)


def _whole(corpus: Corpus, voice: int, i: int) -> Piece:
    tokens = slice(corpus.token_ends[i - 1] if i else 0, corpus.token_ends[i])
    first = int(corpus.frame_ends[i - 1]) if i else 0
    ids, durations = corpus.tokens[tokens].astype(np.int64), corpus.durations[tokens].astype(np.int64)
    return Piece(voice, corpus, i, ids, durations, first, True)


def _cut(piece: Piece, rng: np.random.Generator) -> Piece:
    """The piece, or at random a part of it, as the toy too will speak a sentence in parts."""
    chance = rng.random()
    if chance < _CUT_AT_PAUSE:
        long_enough = piece.durations > LEAD_FRAMES + TAIL_FRAMES
        marks = np.flatnonzero(np.isin(piece.tokens, list(_MARK_IDS)) & long_enough)
        marks = marks[marks < len(piece.tokens) - 2]
        if len(marks):
            at = int(rng.choice(marks))
            return _before_pause(piece, at) if rng.random() < 0.5 else _after_pause(piece, at)
    elif chance < _CUT_AT_PAUSE + _CUT_AT_WORD:
        spaces = np.flatnonzero(piece.tokens == _SPACE_ID)
        if len(spaces) > 2:
            at = int(rng.choice(spaces[2:]))
            tokens = np.append(piece.tokens[:at], _PAD_ID)
            durations = np.append(piece.durations[:at], 0)
            return _part(piece, tokens, durations, piece.first_frame, False)
    return piece


def _part(piece: Piece, tokens: NDArray, durations: NDArray, first_frame: int, complete: bool) -> Piece:
    return Piece(piece.voice, piece.corpus, piece.utterance, tokens, durations, first_frame, complete)


def _before_pause(piece: Piece, mark: int) -> Piece:
    tokens = np.append(piece.tokens[: mark + 1], _PAD_ID)
    durations = np.append(piece.durations[: mark + 1], TAIL_FRAMES)
    durations[mark] -= TAIL_FRAMES
    return _part(piece, tokens, durations, piece.first_frame, False)


def _after_pause(piece: Piece, mark: int) -> Piece:
    tokens = np.insert(piece.tokens[mark + 1 :], 0, _PAD_ID)
    durations = np.insert(piece.durations[mark + 1 :], 0, LEAD_FRAMES)
    first = piece.first_frame + int(piece.durations[: mark + 1].sum()) - LEAD_FRAMES
    return _part(piece, tokens, durations, first, piece.complete)


def _melody_target(piece: Piece, log_f0: NDArray[np.float32]) -> NDArray[np.float32]:
    """The teacher's log F0 at its own pitch, with the rise and the swing it does not do itself."""
    corpus, i = piece.corpus, piece.utterance
    target = log_f0 - np.log(corpus.pitch[i])
    if not piece.complete or len(piece.tokens) < 3:
        return target
    spoken = len(target) - int(piece.durations[-2:].sum())
    if piece.tokens[-2] == _QUESTION_ID and corpus.rising[i]:
        count = min(_RISE_FRAMES, spoken)
        ramp = np.linspace(0, 1, count) ** 1.5 * _RISE
        target[spoken - count : spoken] += ramp
        target[spoken:] += _RISE
    elif piece.tokens[-2] == _SHOUT_ID:
        target += _SHOUT * (target - target.mean())
    return target


def _position(durations: NDArray[np.int64], owner: NDArray[np.int64]) -> NDArray[np.float32]:
    """As model.position, in numpy."""
    own = durations[owner].astype(np.float32)
    since = np.arange(len(owner)) - (np.cumsum(durations) - durations)[owner] + 0.5
    rows = (since / own, own * 0.1, np.minimum(since * 0.2, 2.0), np.minimum((own - since) * 0.2, 2.0))
    return np.stack(rows).astype(np.float32)


def _length(piece: Piece) -> int:
    return int(piece.durations.sum())


def _rounded(length: int, step: int) -> int:
    """Up to a multiple of `step`: few different shapes, for each of which oneDNN compiles a kernel of its own."""
    return -(-length // step) * step


def _padded(rows: Sequence[NDArray], length: int) -> Tensor:
    """Rows of unequal first dimension, zero-padded to `length`."""
    out = np.zeros((len(rows), length, *rows[0].shape[1:]), dtype=rows[0].dtype)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return torch.from_numpy(out)


def collate(pieces: Sequence[Piece], energies: Sequence[NDArray[np.float32]]) -> Batch:
    """One batch; `energies[v]` is the energy of every frame of voice v's corpus."""
    lengths = torch.tensor([len(piece.tokens) for piece in pieces])
    width, frames = _rounded(int(lengths.max()), 16), _rounded(max(_length(p) for p in pieces), 32)
    owners = [np.repeat(np.arange(len(p.tokens)), p.durations) for p in pieces]
    log_f0 = [np.log(p.corpus.f0_hz[p.frames]) for p in pieces]
    targets = [_melody_target(p, f0.copy()) for p, f0 in zip(pieces, log_f0, strict=True)]
    paces = [p.durations / p.corpus.stretch[p.utterance] for p in pieces]
    sound = [p.corpus.samples[p.frames.start * HOP_SAMPLES : p.frames.stop * HOP_SAMPLES] for p in pieces]
    loud = [(energies[p.voice][p.frames] - ENERGY_CENTRE) / ENERGY_SPREAD for p in pieces]
    positions = [_position(p.durations, owner).T for p, owner in zip(pieces, owners, strict=True)]
    return Batch(
        voices=torch.tensor([piece.voice for piece in pieces]),
        tokens=_padded([piece.tokens for piece in pieces], width),
        lengths=lengths,
        log_durations=_padded([np.log1p(pace).astype(np.float32) for pace in paces], width),
        owner=_padded(owners, frames),
        position=_padded(positions, frames).transpose(1, 2),
        mask=_padded([np.ones(len(owner), dtype=np.float32) for owner in owners], frames),
        f0=_padded([(f0 - F0_CENTRE) / F0_SPREAD for f0 in log_f0], frames),
        f0_target=_padded([(f0 - F0_CENTRE) / F0_SPREAD for f0 in targets], frames),
        voiced=_padded([p.corpus.voiced[p.frames].astype(np.float32) for p in pieces], frames),
        energy=_padded(loud, frames),
        pulse=_padded([p.corpus.pulse[p.frames].astype(np.float32) for p in pieces], frames),
        noise=_padded([p.corpus.noise[p.frames].astype(np.float32) for p in pieces], frames),
        samples=_padded([s.astype(np.float32) / 32768 for s in sound], frames * HOP_SAMPLES),
    )


class Batches:
    """Endless shuffled batches over several voices; the first `held_out` utterances of each are kept for checking."""

    def __init__(
        self, corpora: Sequence[Sequence[Corpus]], frames: int, seed: int, held_out: int = 24
    ) -> None:
        """`corpora[v]` are the corpora of voice v, `frames` how many frames, padding included, make a batch."""
        joined = [(v, corpus) for v, several in enumerate(corpora) for corpus in several]
        self._energies = [energy(corpus) for _, corpus in joined]
        self._voice_of = [v for v, _ in joined]
        self._frames, self._rng = frames, np.random.default_rng(seed)
        self._train, self.check = [], []
        for place, (_, corpus) in enumerate(joined):
            pieces = [_whole(corpus, place, i) for i in range(len(corpus))]
            self.check += [self._collate(pieces[:held_out])]
            self._train += pieces[held_out:]

    def _collate(self, pieces: Sequence[Piece]) -> Batch:
        batch = collate(pieces, self._energies)
        batch.voices.copy_(torch.tensor([self._voice_of[piece.voice] for piece in pieces]))
        return batch

    def __iter__(self) -> Iterator[Batch]:
        while True:
            order = self._rng.permutation(len(self._train))
            for pool in np.array_split(order, max(1, len(order) // 256)):
                yield from self._pool([_cut(self._train[i], self._rng) for i in pool])

    def _pool(self, pieces: list[Piece]) -> Iterator[Batch]:
        """Batches of one pool, alike in length so that little is padding, in random order."""
        pieces.sort(key=_length)
        groups: list[list[Piece]] = [[]]
        for piece in pieces:
            if (len(groups[-1]) + 1) * _rounded(_length(piece), 32) > self._frames and groups[-1]:
                groups.append([])
            groups[-1].append(piece)
        for i in self._rng.permutation(len(groups)):
            yield self._collate(groups[i])
