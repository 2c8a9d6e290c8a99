"""StyleTTS2-type voices (Li et al. 2023) with Kokoro's interface, spoken window by window.

A model folder holds model.onnx (input_ids, style, speed, perhaps pitch -> audio, durations), voices.npz and
model.yaml. A voice that can stream has the same network in three graphs: style.onnx (style -> text_bends,
sound_bends) is asked once for a style, text.onnx (input_ids, text_bends, speed -> durations, text) sees the
phrase whole, decoder.onnx (these, sound_bends, perhaps pitch, span, phase -> audio, phase_behind) makes any
stretch of its frames. `span` is the stretch's first frame and the one behind its last. The graph itself looks at
as many frames around it as can be heard in it, and the phase of the voice's pulses is handed from stretch to
stretch: so they join without a seam.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.config.models import Model
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import LONGEST_CHUNK_S, Chunk, Delivery, Spelt
from epsilon.engines.tts import phonemes
from epsilon.engines.tts.archives import opened
from epsilon.errors import ModelError, nearest
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Array, Graph, Runtime

FIRST_CHUNK_S = 0.07  # somebody waits for it: with the 9 frames behind it 16, which CPUs take in one go
SECOND_CHUNK_S = 0.12  # for slow boards: it must be made while the first sounds
# What is looked at around a window costs as much for a short one: the longest take a fifth less time than 200 ms.
CHUNK_S = LONGEST_CHUNK_S
STREAMING = ("style", "text", "decoder")

Style = npt.NDArray[np.float32]
Feeds = dict[str, Array]
Window = tuple[Samples, Array]  # samples, and the frames of each symbol of the phrase


class WholePhrases:
    """Speaks with one graph: the first sound leaves when the last is known."""

    def __init__(self, graph: Graph, sample_rate_hz: int) -> None:
        self._graph, self._rate_hz = graph, sample_rate_hz

    @property
    def inputs(self) -> Collection[str]:
        """What the graph reads."""
        return self._graph.inputs

    def windows(self, feeds: Feeds) -> Iterator[Window]:
        """The phrase in slices."""
        said = self._graph(feeds)
        audio, durations = said["audio"].reshape(-1), said["durations"].reshape(-1)
        for start, end in spans(len(audio), self._rate_hz):
            yield audio[start:end], durations


class StreamedPhrases:
    """Speaks with three graphs: the style's once, the text side once a phrase, the decoder on a window at a time."""

    def __init__(self, style: Graph, text: Graph, decoder: Graph, frames_per_s: int) -> None:
        self._style, self._text, self._decoder = style, text, decoder
        self._frames_per_s = frames_per_s
        self._bends: tuple[bytes, Feeds] = (b"", {})  # of the style that spoke last

    @property
    def inputs(self) -> Collection[str]:
        """What the graphs read of a phrase, and of each other."""
        return {*self._style.inputs, *self._text.inputs, *self._decoder.inputs}

    def windows(self, feeds: Feeds) -> Iterator[Window]:
        """The phrase in windows, each computed when it is asked for."""
        phrase = feeds | self._bent(feeds["style"])
        phrase |= self._text({name: phrase[name] for name in self._text.inputs})
        durations = phrase["durations"].reshape(-1)
        window = {name: phrase[name] for name in self._decoder.inputs if name in phrase}
        window["phase"] = np.zeros(1, np.float32)
        for span in spans(int(durations.sum()), self._frames_per_s):
            said = self._decoder(window | {"span": np.array(span)})
            window["phase"] = said["phase_behind"]
            yield said["audio"].reshape(-1), durations

    def _bent(self, style: Array) -> Feeds:
        known, bends = self._bends
        if known != style.tobytes():
            bends = self._style({"style": style})
            self._bends = style.tobytes(), bends
        return bends


class StyleTts2:
    """The voice; see epsilon.engines.protocols.Synthesizer."""

    def __init__(self, folder: Path, phrases: WholePhrases | StreamedPhrases, facts: Facts) -> None:
        self.folder, self._phrases = folder, phrases
        self._ids = {symbol: place for place, symbol in enumerate(facts.texts("symbols"))}
        self.sample_rate_hz, self._hop = facts.whole("sample_rate"), facts.whole("hop")
        self._styles = _styles(folder / "voices.npz")

    @property
    def styles(self) -> Mapping[str, Style]:
        """Style vectors [style size] by name."""
        return self._styles

    def spell(self, text: str, more: bool) -> Spelt:
        """ARPAbet; see epsilon.engines.tts.phonemes. It stays up where the sentence goes on or a mark says so."""
        return phonemes.spell(text, more, marks_alone=True)

    def speak(self, symbols: Sequence[str], delivery: Delivery) -> Iterator[Chunk]:
        """The phrase in chunks; joined they are the phrase said at once."""
        ends: tuple[int, ...] = ()
        for samples, durations in self._phrases.windows(self.feeds(symbols, delivery)):
            first, ends = not ends, tuple((np.cumsum(durations) * self._hop).tolist())
            yield Chunk(samples, self.sample_rate_hz, ends if first else ())

    def feeds(self, symbols: Sequence[str], delivery: Delivery) -> Feeds:
        """What the graphs read of a phrase; ModelError for a symbol that the voice does not have."""
        feeds: Feeds = {
            "input_ids": np.array([self._encode(symbols)], np.int64),
            "style": delivery.style.reshape(1, -1),
            "speed": np.array([delivery.speed], np.float32),
        }
        if "pitch" in self._phrases.inputs:
            feeds["pitch"] = np.array([delivery.pitch], np.float32)
        return feeds

    def _encode(self, symbols: Sequence[str]) -> list[int]:
        for symbol in symbols:
            if symbol not in self._ids:
                raise ModelError(
                    f"the voice has no symbol '{symbol}'{nearest(symbol, self._ids)}",
                    where=str(self.folder / "model.yaml"),
                )
        return [self._ids[symbol] for symbol in symbols]


def load(model: Model, runtime: Runtime, seat: Seat) -> StyleTts2:
    """The voice in a model folder, streamed when the graphs for it are there."""
    facts = Facts(model.folder / "model.yaml")
    paths = [model.folder / f"{name}.onnx" for name in STREAMING]
    if all(path.exists() for path in paths):
        frames_per_s = facts.whole("sample_rate") // facts.whole("hop")
        style, text, decoder = (runtime.load(path, seat) for path in paths)
        return StyleTts2(model.folder, StreamedPhrases(style, text, decoder, frames_per_s), facts)
    return load_whole(model, runtime, seat)


def load_whole(model: Model, runtime: Runtime, seat: Seat) -> StyleTts2:
    """The voice with its one graph, whether it could stream or not."""
    facts = Facts(model.folder / "model.yaml")
    whole = WholePhrases(runtime.load(model.folder / "model.onnx", seat), facts.whole("sample_rate"))
    return StyleTts2(model.folder, whole, facts)


def spans(length: int, rate_per_s: int, first_s: float = FIRST_CHUNK_S) -> Iterator[tuple[int, int]]:
    """A first stretch of `length`, a somewhat longer one, then long ones: (start, end) of each."""
    start = 0
    for seconds in chain((first_s, SECOND_CHUNK_S), repeat(CHUNK_S)):
        if start >= length:
            return
        end = min(length, start + int(seconds * rate_per_s))
        yield start, end
        start = end


def style_names(folder: Path) -> list[str]:
    """The names of the styles in a model folder."""
    return list(_styles(folder / "voices.npz"))


def _styles(path: Path) -> dict[str, Style]:
    with opened(path) as tables:
        return {name: table.astype(np.float32).reshape(-1) for name, table in tables.items()}
