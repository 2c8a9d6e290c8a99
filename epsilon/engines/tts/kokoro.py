"""Kokoro-type voices (hexgrad's Kokoro-82M, a StyleTTS2 at 24 kHz) from the files that are published, unchanged.

The graph reads `tokens` or `input_ids` [1, n], `style` [1, 256] and `speed` [1] and says the phrase whole; some also
tell how long each symbol lasts. Where `tools.convert.voice` has cut it, it is spoken window by window: front.onnx sees
the phrase whole, vocoder.onnx any stretch of its frames. The vocoder's norms would look at the whole phrase as well:
meter.onnx tells from a sample of it what they would find, and all windows are given the same, so that they join
without a seam. A phrase of less than a second is measured whole, and then said as the published graph does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from epsilon.config.models import Model
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import Chunk, Delivery, Spelt
from epsilon.engines.tts import phonemes
from epsilon.engines.tts.ipa import IDS, from_arpabet
from epsilon.engines.tts.kokoro_files import (
    CUT,
    FRONT,
    STYLE_SIZE,
    WINDOWS,
    graph_path,
    is_cut,
    read_styles,
    style_names,
)
from epsilon.engines.tts.styletts2 import Feeds, Style, Window, spans
from epsilon.engines.tts.symbols import PAD, SPACE
from epsilon.errors import ModelError, nearest
from epsilon.realtime import Seat
from epsilon.runtimes import Array, Graph, Runtime

__all__ = ["Kokoro", "load", "style_names"]

TAKES_PITCH = False  # its graph has no input for it
SAMPLE_RATE_HZ = 24_000
STRETCHES, STRETCH_FRAMES = 3, 8  # measured of a phrase, frames of 12.5 ms …
SHORT_FRAMES = 72  # … that is longer than this
FIRST_CHUNK_S = 0.1  # each frame of it is waited for
QUIET_FRAMES, QUIET_DB = 1800, 60  # 75 ms of the silence before and after a phrase stay
MOST_SYMBOLS = 510  # in one pass, besides the pads
TOKENS = ("input_ids", "tokens")
SOUNDS = ("audio", "waveform")
DURATIONS = ("duration", "durations", "pred_dur")


class WholePhrases:
    """Speaks with the published graph: the first sound leaves when the last is known."""

    def __init__(self, graph: Graph, path: Path) -> None:
        self._graph = graph
        self.tokens, self._sound = _found(TOKENS, graph.inputs, path), _found(SOUNDS, graph.outputs, path)
        self._durations = next((name for name in DURATIONS if name in graph.outputs), "")

    def windows(self, feeds: Feeds) -> Iterator[Window]:
        """The phrase in slices, and the samples of each symbol if the graph tells."""
        said = self._graph(feeds)
        audio, durations = said[self._sound].reshape(-1), said.get(self._durations, np.zeros(0)).reshape(-1)
        durations = _stretched(durations, len(audio))
        begin, stop = spoken(durations) if len(durations) else audible(audio)
        for start, end in spans(stop - begin, SAMPLE_RATE_HZ):
            yield audio[begin + start : begin + end], _shortened(durations, begin, stop)


class CutPhrases:
    """Speaks with three graphs: front and meter once, then the vocoder on a window at a time."""

    def __init__(self, front: Graph, meter: Graph, vocoder: Graph, folder: Path) -> None:
        facts = Facts(folder / WINDOWS)
        self._front, self._meter, self._vocoder = front, meter, vocoder
        self.tokens = _found(TOKENS, front.inputs, folder / FRONT)
        self._left, self._right = facts.whole("left_frames"), facts.whole("right_frames")
        self._hop, self._steps = facts.whole("hop"), facts.whole("source_steps")

    def windows(self, feeds: Feeds) -> Iterator[Window]:
        """The phrase in windows, each computed when it is asked for, and the samples of each symbol."""
        read = self._front(feeds)
        length, style = read["frames"].shape[2], {"style": feeds["style"]}
        durations = _stretched(read["durations"].reshape(-1), length * self._hop)
        norms = self._meter(style | self._joined(read, stretches(length)))
        begin, stop = (edge // self._hop for edge in spoken(durations))
        durations = _shortened(durations, begin * self._hop, stop * self._hop)
        for start, end in spans(stop - begin, SAMPLE_RATE_HZ // self._hop, FIRST_CHUNK_S):
            first, last = max(0, begin + start - self._left), min(length, begin + end + self._right)
            audio = self._vocoder(style | norms | self._joined(read, [(first, last)]))["audio"].reshape(-1)
            skipped = (begin + start - first) * self._hop
            yield audio[skipped : skipped + (end - start) * self._hop], durations

    def _joined(self, read: Mapping[str, Array], pieces: Sequence[tuple[int, int]]) -> Feeds:
        """Stretches of the frames one after another, with the excitation's steps: one more than the frames have."""
        steps, source = self._steps, read["source"]
        excited = [source[:, :, first * steps : last * steps] for first, last in pieces]
        end = pieces[-1][1] * steps
        return {
            "frames": np.concatenate([read["frames"][:, :, first:last] for first, last in pieces], axis=2),
            "source": np.concatenate([*excited, source[:, :, end : end + 1]], axis=2),
        }


class Kokoro:
    """The voice; see epsilon.engines.protocols.Synthesizer."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, folder: Path, phrases: WholePhrases | CutPhrases) -> None:
        self.folder, self._phrases = folder, phrases
        self._styles = {name: table.reshape(-1) for name, table in read_styles(folder).items()}

    @property
    def styles(self) -> Mapping[str, Style]:
        """By name the rows of each voice's table, one after another [rows * 256]: row n - 1 is for n symbols."""
        return self._styles

    def spell(self, text: str, more: bool) -> Spelt:
        """IPA as misaki writes it; see epsilon.engines.tts.ipa."""
        return from_arpabet(phonemes.spell(text, more), text)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """The phrase in chunks of at most 250 ms; one that is longer than the graph can read is said in pieces."""
        pieces = list(passes(symbols))
        for piece in pieces:
            ends: tuple[int, ...] = ()
            for samples, durations in self._phrases.windows(self.feeds(piece, delivery)):
                first, ends = not ends, tuple(np.cumsum(durations).tolist())
                known = first and len(pieces) == 1
                yield Chunk(samples, self.sample_rate_hz, ends if known else ())

    def feeds(self, symbols: Sequence[str], delivery: Delivery) -> Feeds:
        """What the graphs read of a phrase; ModelError for a symbol or a pitch, which the voice does not have."""
        if delivery.pitch:
            raise ModelError("the voice has no pitch", str(self.folder), "use the effect pitch instead")
        table, said = delivery.style.reshape(-1, STYLE_SIZE), sum(symbol != PAD for symbol in symbols)
        return {
            self._phrases.tokens: np.array([self._encode(symbols)], np.int64),
            "style": table[min(max(said, 1), len(table)) - 1 :][:1],
            "speed": np.array([delivery.speed], np.float32),
        }

    def _encode(self, symbols: Sequence[str]) -> list[int]:
        for symbol in symbols:
            if symbol not in IDS:
                raise ModelError(
                    f"the voice has no symbol '{symbol}'{nearest(symbol, IDS)}", str(self.folder)
                )
        return [IDS[symbol] for symbol in symbols]


def load(model: Model, runtime: Runtime, seat: Seat) -> Kokoro:
    """The voice in a model folder, in windows when it has been cut."""
    folder = model.folder
    if is_cut(folder):
        front, meter, vocoder = (runtime.load(folder / name, seat) for name in CUT)
        return Kokoro(folder, CutPhrases(front, meter, vocoder, folder))
    return load_whole(model, runtime, seat)


def load_whole(model: Model, runtime: Runtime, seat: Seat) -> Kokoro:
    """The voice by its published graph, whether it has been cut or not."""
    path = graph_path(model.folder)
    return Kokoro(model.folder, WholePhrases(runtime.load(path, seat), path))


def spoken(durations: Array) -> tuple[int, int]:
    """(start, end) of the samples that are let out: of the silence of the pads no more than QUIET_FRAMES.

    `durations` are in samples, the pads' first and last. Without this every phrase of a reply would be followed by
    half a second of nothing.
    """
    total = int(durations.sum())
    before, after = (max(0, int(durations[place]) - QUIET_FRAMES) for place in (0, -1))
    return (before, total - after) if len(durations) > 1 else (0, total)


def audible(audio: Array) -> tuple[int, int]:
    """The same by ear, where the graph does not tell durations: what is QUIET_DB under the peak is silence."""
    loud = np.flatnonzero(np.abs(audio) > np.abs(audio).max(initial=0.0) * 10 ** (-QUIET_DB / 20))
    if not len(loud):
        return 0, len(audio)
    return max(0, int(loud[0]) - QUIET_FRAMES), min(len(audio), int(loud[-1]) + QUIET_FRAMES)


def stretches(length: int) -> list[tuple[int, int]]:
    """(start, end) of the frames that are measured of a phrase: some spread evenly, of a short one all."""
    if length <= SHORT_FRAMES:
        return [(0, length)]
    starts = np.linspace(0, length - STRETCH_FRAMES, STRETCHES).astype(int).tolist()
    return [(start, start + STRETCH_FRAMES) for start in starts]


def passes(symbols: Sequence[str]) -> Iterator[list[str]]:
    """The symbols in as few pieces as the graph can read, cut after a space where there is one, padded as they were."""
    said = [symbol for symbol in symbols if symbol != PAD]
    if len(said) <= MOST_SYMBOLS:
        yield list(symbols)
        return
    while said:
        most = said[:MOST_SYMBOLS]
        spaces = [place for place, symbol in enumerate(most) if symbol == SPACE]
        end = spaces[-1] + 1 if spaces and len(said) > MOST_SYMBOLS else len(most)
        yield [PAD, *said[:end], PAD]
        said = said[end:]


def _found(names: tuple[str, ...], there: Collection[str], path: Path) -> str:
    """Which of the names the graph has."""
    for name in names:
        if name in there:
            return name
    listed = ", ".join(there)
    raise ModelError(f"not a Kokoro-type voice: none of {', '.join(names)} among {listed}", where=str(path))


def _shortened(durations: Array, begin: int, stop: int) -> Array:
    """Durations in samples, of which only those between begin and stop are let out."""
    edges = np.clip(np.concatenate([[0], np.cumsum(durations)]), begin, stop)
    return np.diff(edges).astype(np.int64)


def _stretched(durations: Array, samples: int) -> Array:
    """Durations in frames as samples: all frames are as long."""
    total = int(durations.sum())
    return durations.astype(np.int64) * (samples // total) if total else durations.astype(np.int64)
