"""Whisper-type recognisers, heard while the user still talks.

Three things make it quick (notes on the method: Machacek et al. 2023; Radford et al. 2022 for the network):
the encoder sees the shortest context that fits, not 30 s; the last hypothesis is checked in one decoder pass
and only what changed is decoded anew (the result is that of decoding from scratch); what two passes agree on
is settled for good.

A model folder holds encoder.onnx (mel -> cross_k, cross_v), decoder.onnx (x, past_k, past_v, cross_k, cross_v
-> ids, logprobs, new_k, new_v), embedding.npy, positions.npy, tokenizer.json and model.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.dsp.mel import HOP_FRAMES, SAMPLE_RATE_HZ, LogMel
from epsilon.engines.asr.agreement import agreed, loop_length, without_loop
from epsilon.engines.asr.vocabulary import Vocabulary
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import Hypothesis
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph, Runtime

SHORTEST_FRAMES = SAMPLE_RATE_HZ // 10  # less sound than this is no word
TOKENS_PER_SECOND, SPARE_TOKENS = 10.0, 5  # nobody speaks faster; more is a hallucination
DEFAULT_MIN_LOGPROB = -1.25  # mean of the tokens; below it the words are guesses about a noise

Array = npt.NDArray[np.float32]
Cache = tuple[Array, Array]


@dataclass
class Hearing:
    """One utterance so far. `earlier` holds the words of what was cut off when it outgrew the encoder."""

    mel: LogMel = field(default_factory=LogMel)
    sound: list[Samples] = field(default_factory=list)
    earlier: tuple[str, ...] = ()
    ids: list[int] = field(default_factory=list)  # best tokens of the last pass
    settled: int = 0  # how many words of them are committed
    passed: int = 0  # frames of sound that the last pass saw


class Whisper:
    """The recogniser; see epsilon.engines.protocols.Recognizer."""

    def __init__(self, folder: Path, encoder: Graph, decoder: Graph) -> None:
        facts = Facts(folder / "model.yaml")
        self._encoder, self._decoder = encoder, decoder
        self._vocabulary = Vocabulary(folder / "tokenizer.json")
        self._embedding = _array(folder / "embedding.npy")
        self._positions = _array(folder / "positions.npy")
        self._start, self._end = facts.wholes("start"), facts.whole("end")
        self._contexts = sorted(facts.wholes("contexts"))  # encoder frames of 20 ms
        self._padding = int(facts.number("padding_ms", 500) * SAMPLE_RATE_HZ / 1000) // HOP_FRAMES
        self._min_logprob = facts.number("min_logprob", DEFAULT_MIN_LOGPROB)
        layers, _, heads, _, width = decoder.inputs["past_k"]
        self._empty = np.zeros((int(layers), 1, int(heads), 0, int(width)), np.float32)

    @property
    def longest_frames(self) -> int:
        """Feature frames (10 ms) that the longest context holds besides its padding."""
        return 2 * self._contexts[-1] - self._padding

    def start(self) -> Hearing:
        """The state of a new utterance."""
        return Hearing()

    def hear(self, hearing: Hearing, samples: Samples) -> Hypothesis:
        """Take further samples [n] at 16 kHz; one encoder pass and at least one decoder pass."""
        hearing.mel.push(samples)
        hearing.sound.append(samples)
        while hearing.mel.frames > self.longest_frames:
            self._cut(hearing)
        self._listen(hearing)
        words = self._vocabulary.words(hearing.ids)
        return Hypothesis(hearing.earlier + words[: hearing.settled], words[hearing.settled :])

    def finish(self, hearing: Hearing) -> Hypothesis:
        """All words committed. The last pass has seen all the sound, so nothing is left to compute."""
        return Hypothesis(hearing.earlier + self._vocabulary.words(hearing.ids))

    def recognise(self, mel: LogMel, draft: list[int], keep: int = 0) -> list[int]:
        """Best tokens for the sound; the first `keep` of `draft` are certain, the rest only saves time."""
        context = next(size for size in self._contexts if 2 * size >= mel.frames + self._padding)
        crossed = self._encoder({"mel": mel.window(2 * context)})
        seconds = mel.samples / SAMPLE_RATE_HZ
        room = len(self._positions) - len(self._start) - 1
        limit = min(room, max(keep, int(seconds * TOKENS_PER_SECOND) + SPARE_TOKENS))
        ids, logprobs = self._decode((crossed["cross_k"], crossed["cross_v"]), draft[:room], keep, limit)
        # Once a word is certain there is speech, and a doubtful guess at the rest beats none.
        doubtful = keep == 0 and len(logprobs) > 0 and float(np.mean(logprobs)) < self._min_logprob
        return [] if doubtful else ids

    def _listen(self, hearing: Hearing) -> None:
        if hearing.mel.samples == hearing.passed or hearing.mel.samples < SHORTEST_FRAMES:
            return
        hearing.passed = hearing.mel.samples
        before = self._vocabulary.words(hearing.ids)
        keep = self._vocabulary.tokens_of(hearing.ids, hearing.settled)
        hearing.ids = self.recognise(hearing.mel, hearing.ids, keep)
        hearing.settled = max(hearing.settled, agreed(before, self._vocabulary.words(hearing.ids)))

    def _cut(self, hearing: Hearing) -> None:
        """Settle speech that outgrew the encoder up to its quietest place, and go on from there."""
        limit = self.longest_frames
        at = hearing.mel.quietest(limit // 2, limit) * HOP_FRAMES
        sound = np.concatenate(hearing.sound)
        head, hearing.mel = LogMel(), LogMel()
        head.push(sound[:at])
        hearing.mel.push(sound[at:])
        keep = self._vocabulary.tokens_of(hearing.ids, hearing.settled)
        hearing.earlier += self._vocabulary.words(self.recognise(head, hearing.ids, keep))
        hearing.sound, hearing.ids, hearing.settled, hearing.passed = [sound[at:]], [], 0, 0

    def _decode(self, cross: Cache, draft: list[int], keep: int, limit: int) -> tuple[list[int], list[float]]:
        """Greedy tokens and the log probabilities of those that were free to choose, the end's too."""
        first = len(self._start)
        best, scores, cache = self._step([*self._start, *draft], 0, (self._empty, self._empty), cross)
        best, scores = best[first - 1 :], scores[first - 1 :]  # best[j] follows draft[:j]
        ids: list[int] = []
        logprobs: list[float] = []
        at = 0  # row of `best` that follows `ids`
        while len(ids) < limit:
            token = draft[len(ids)] if len(ids) < keep else int(best[at])
            if len(ids) >= keep:
                logprobs.append(float(scores[at]))
            if token == self._end:
                break
            ids.append(token)
            length = loop_length(ids)
            if length:
                return max(without_loop(ids, length), draft[:keep], key=len), logprobs
            if draft[: len(ids)] == ids:
                at = len(ids)
                continue
            place = first + len(ids) - 1
            best, scores, cache = self._step([token], place, _cropped(cache, place), cross)
            at = 0
        return ids, logprobs

    def _step(self, ids: list[int], place: int, past: Cache, cross: Cache) -> tuple[Array, Array, Cache]:
        """For `ids` [n] at `place`: the best next ids [n], their log probabilities [n], the cache."""
        x = self._embedding[ids].astype(np.float32) + self._positions[place : place + len(ids)]
        feeds = {"x": x[None], "past_k": past[0], "past_v": past[1], "cross_k": cross[0], "cross_v": cross[1]}
        out = self._decoder(feeds)
        return out["ids"][0], out["logprobs"][0], (out["new_k"], out["new_v"])


def load(model: Model, runtime: Runtime, seat: Seat) -> Whisper:
    """The recogniser in a model folder."""
    encoder = runtime.load(model.folder / "encoder.onnx", seat)
    decoder = runtime.load(model.folder / "decoder.onnx", seat)
    return Whisper(model.folder, encoder, decoder)


def _array(path: Path) -> Array:
    """A table [rows, width], mapped and not read: only rows that are used cost memory."""
    try:
        table: Array = np.load(path, mmap_mode="r")
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except (ValueError, EOFError) as error:
        raise ModelError(f"is not a numpy array: {error}", where=str(path)) from error
    return table


def _cropped(cache: Cache, length: int) -> Cache:
    """The first `length` places of a cache [layers, 1, heads, places, width]."""
    if cache[0].shape[3] == length:
        return cache
    return np.ascontiguousarray(cache[0][:, :, :, :length]), np.ascontiguousarray(cache[1][:, :, :, :length])
