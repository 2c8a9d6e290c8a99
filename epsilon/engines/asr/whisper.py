"""Whisper-type recognisers, heard while the user still talks.

Three things make it quick (notes on the method: Machacek et al. 2023; Radford et al. 2022 for the network):
the encoder sees the shortest context that fits, not 30 s; the last hypothesis is checked in one decoder pass
and only what changed is decoded anew (the result is that of decoding from scratch); what two passes agree on
is settled for good.

A model folder holds encoder.onnx (mel -> cross_k, cross_v), decoder.onnx (x, past_k, past_v, cross_k, cross_v
-> ids, logprobs, new_k, new_v), embedding.npy, positions.npy, tokenizer.json and model.yaml. A decoder may
also say `frames` (where in the sound each token is) and `no_speech`, and may take `first`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from epsilon.config.models import Model
from epsilon.dsp.mel import BANDS, HOP_FRAMES, SAMPLE_RATE_HZ, LogMel
from epsilon.engines.asr.agreement import agreed
from epsilon.engines.asr.decoding import Array, Decoder
from epsilon.engines.asr.guards import Limits, Pass
from epsilon.engines.asr.vocabulary import Vocabulary
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import Hypothesis
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph, Runtime, fixed_sizes

SHORTEST_FRAMES = SAMPLE_RATE_HZ // 10  # less sound than this is no word
LONGEST_S = 15  # an utterance that goes on longer is cut at a settled word
LONGER = 1.5  # times the context: where a pass that went in circles is tried again
# Feature frames (1 s) at the end, to look for a pause in when nothing says where the words are.
CUT_ROOM = 100
MEL_PER_SECOND = SAMPLE_RATE_HZ // HOP_FRAMES


@dataclass
class Hearing:
    """One utterance so far. `earlier` holds the words of what was cut off when it grew too long."""

    mel: LogMel
    sound: list[Samples] = field(default_factory=list)
    earlier: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()  # words of the last pass that are committed
    ids: list[int] = field(default_factory=list)  # best tokens of the last pass
    places: list[int] = field(default_factory=list)  # feature frame of each; empty when the graph has none
    passed: int = 0  # frames of sound that the last pass saw


class Whisper:
    """The recogniser; see epsilon.engines.protocols.Recognizer."""

    def __init__(self, folder: Path, encoder: Graph, decoder: Graph) -> None:
        facts = Facts(folder / "model.yaml")
        self._encoder = encoder
        self._decoder = Decoder(
            decoder,
            _array(folder / "embedding.npy"),
            _array(folder / "positions.npy"),
            facts.wholes("start"),
            facts.whole("end"),
        )
        self._vocabulary = Vocabulary(folder / "tokenizer.json", facts.text("words", "lower") == "cased")
        self._bands = int(facts.number("bands", BANDS))
        sizes = fixed_sizes(encoder, "mel", 2)  # an accelerator's graph may have only a few
        contexts = [size for size in facts.wholes("contexts") if not sizes or 2 * size in sizes]
        if not contexts:
            raise ModelError(
                f"the encoder takes none of the 'contexts', only {sizes} frames", where=str(facts.path)
            )
        self._contexts = sorted(contexts)  # encoder frames of 20 ms
        self._padding = int(facts.number("padding_ms", 500) * SAMPLE_RATE_HZ / 1000) // HOP_FRAMES
        self._limits = Limits.from_facts(facts)
        longest = int(facts.number("max_s", LONGEST_S) * MEL_PER_SECOND)
        self.longest_frames = min(2 * self._contexts[-1] - self._padding, longest)  # feature frames (10 ms)

    def start(self) -> Hearing:
        """The state of a new utterance."""
        return Hearing(LogMel(self._bands))

    def hear(self, hearing: Hearing, samples: Samples) -> Hypothesis:
        """Take further samples [n] at 16 kHz; at most one pass, unless they outgrow the longest utterance."""
        while (room := self.longest_frames * HOP_FRAMES - hearing.mel.samples) < len(samples):
            self._take(hearing, samples[:room])
            self._cut(hearing)
            samples = samples[room:]
        self._take(hearing, samples)
        words = self._words(hearing)
        settled = len(hearing.settled)
        return Hypothesis(hearing.earlier + words[:settled], words[settled:])

    def finish(self, hearing: Hearing) -> Hypothesis:
        """All words committed. The last pass has seen all the sound, so nothing is left to compute."""
        return Hypothesis(hearing.earlier + self._words(hearing))

    def recognise(self, mel: LogMel, draft: list[int], keep: int = 0) -> Pass:
        """Best tokens for the sound; the first `keep` of `draft` are certain, the rest only saves time.

        `frames` of the result are feature frames (10 ms).
        """
        context = next(size for size in self._contexts if 2 * size >= mel.frames + self._padding)
        found = self._pass(mel, context, draft, keep)
        longer = next((size for size in self._contexts if size >= LONGER * context), self._contexts[-1])
        if longer > context and self._repetitive(found):
            # A context that is too short for it can itself make a Whisper run in circles.
            found = self._pass(mel, longer, found.ids, keep)
        # Once a word is certain there is speech, and a doubtful guess at the rest beats none.
        return Pass() if keep == 0 and self._limits.silent(found) else found

    def _pass(self, mel: LogMel, context: int, draft: list[int], keep: int) -> Pass:
        """One pass of the encoder over a context in steps of 20 ms, and as many of the decoder as it takes."""
        crossed = self._encoder({"mel": mel.window(2 * context)})
        cross = crossed["cross_k"], crossed["cross_v"]
        limit = min(self._decoder.room, max(keep, self._limits.tokens(mel.samples / SAMPLE_RATE_HZ)))
        found = self._decoder.decode(cross, draft, keep, limit)
        stride = 2 * context // cross[0].shape[3]  # feature frames in one of the encoder's
        found.frames[:] = [frame * stride for frame in found.frames]
        return found

    def _words(self, hearing: Hearing) -> tuple[str, ...]:
        """The words of the last pass; those that are settled as they were settled."""
        return hearing.settled + self._vocabulary.words(hearing.ids)[len(hearing.settled) :]

    def _repetitive(self, found: Pass) -> bool:
        return self._limits.repetitive(found, " ".join(self._vocabulary.words(found.ids)))

    def _take(self, hearing: Hearing, samples: Samples) -> None:
        """Add to the sound of an utterance and, if there is any news, hear it again."""
        hearing.mel.push(samples)
        hearing.sound.append(samples)
        if hearing.mel.samples == hearing.passed or hearing.mel.samples < SHORTEST_FRAMES:
            return
        hearing.passed = hearing.mel.samples
        before = self._words(hearing)
        keep = self._vocabulary.tokens_of(hearing.ids, len(hearing.settled))
        found = self.recognise(hearing.mel, hearing.ids, keep)
        hearing.ids, hearing.places = found.ids, found.frames
        now = self._words(hearing)
        hearing.settled = now[: max(len(hearing.settled), agreed(before, now))]

    def _cut(self, hearing: Hearing) -> None:
        """Settle an utterance that has grown too long up to one of its words, and go on after it."""
        words = self._words(hearing)
        count = len(hearing.settled) or max(0, len(words) - 1)
        tokens = self._vocabulary.tokens_of(hearing.ids, count)
        if not hearing.places or tokens == 0 or hearing.places[tokens - 1] < self.longest_frames // 4:
            self._cut_anywhere(hearing)
            return
        places = [*hearing.places, self.longest_frames]
        at = hearing.mel.quietest(places[tokens - 1], max(places[tokens], places[tokens - 1] + 1))
        self._go_on(hearing, words[:count], at, hearing.ids[tokens:])

    def _cut_anywhere(self, hearing: Hearing) -> None:
        """The same without knowing where the words are: at a pause in the last second."""
        at = hearing.mel.quietest(self.longest_frames - CUT_ROOM, self.longest_frames)
        head = LogMel(self._bands)
        head.push(np.concatenate(hearing.sound)[: at * HOP_FRAMES])
        keep = self._vocabulary.tokens_of(hearing.ids, len(hearing.settled))
        hearing.ids = self.recognise(head, hearing.ids, keep).ids
        self._go_on(hearing, self._words(hearing), at, [])

    def _go_on(self, hearing: Hearing, words: tuple[str, ...], at: int, draft: list[int]) -> None:
        """Leave `words` and the sound before feature frame `at` behind."""
        rest = np.concatenate(hearing.sound)[at * HOP_FRAMES :]
        hearing.earlier += words
        hearing.mel, hearing.sound, hearing.passed = LogMel(self._bands), [rest], 0
        hearing.mel.push(rest)
        hearing.settled, hearing.ids, hearing.places = (), draft, []


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
