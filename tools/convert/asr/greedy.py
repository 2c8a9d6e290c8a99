"""A converted pair of graphs run the plain way: the most likely token after another, for comparisons.

No draft, no guard against loops, no thresholds: what the graphs alone say. The toy's own recogniser is
epsilon.engines.asr.whisper.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from epsilon.dsp.mel import HOP_FRAMES, LogMel
from epsilon.ring import Samples
from tools.convert.asr.graph import Graph
from tools.convert.asr.numbers import Arrays

Ids = list[int]


@dataclass
class Greedy:
    """Graphs and the tables that stand before them."""

    encoder: Graph
    decoder: Graph
    embedding: np.ndarray  # [V, D]
    positions: np.ndarray  # [P, D]
    start: tuple[int, ...]
    end: int
    bands: int

    def encode(self, mel: np.ndarray) -> Arrays:
        """cross_k and cross_v of mel [1, bands, 2T]."""
        return self.encoder({"mel": mel})

    def decode(self, crossed: Arrays, steps: int) -> Ids:
        """At most `steps` tokens after the start, without the end."""
        found: Ids = []
        out = self.step(self.start, 0, crossed, None)
        while len(found) < steps:
            token = int(out["ids"][0, -1])
            if token == self.end:
                break
            found.append(token)
            if len(found) < steps:
                out = self.step((token,), len(self.start) + len(found) - 1, crossed, out)
        return found

    def step(self, ids: Ids | tuple[int, ...], place: int, crossed: Arrays, before: Arrays | None) -> Arrays:
        """One pass over `ids` that stand at `place`, after the pass `before`."""
        x = self.embedding[list(ids)].astype(np.float32) + self.positions[place : place + len(ids)]
        layers, _, heads, _, width = crossed["cross_k"].shape
        empty = np.zeros((layers, 1, heads, 0, width), np.float32)
        feeds = {
            "x": x[None].astype(np.float32),
            "past_k": before["new_k"] if before else empty,
            "past_v": before["new_v"] if before else empty,
            "cross_k": crossed["cross_k"],
            "cross_v": crossed["cross_v"],
        }
        if "first" in self.decoder.input_shapes:
            row = len(self.start) - 1 - place
            feeds["first"] = np.array([row if 0 <= row < len(ids) else -1], np.int64)
        return self.decoder(feeds)

    def hear(self, sound: Samples, context: int, steps: int) -> Ids:
        """The tokens of `sound` at 16 kHz in a context of so many encoder frames of 20 ms."""
        mel = LogMel(self.bands)
        mel.push(sound[: 2 * context * HOP_FRAMES])
        return self.decode(self.encode(mel.window(2 * context)), steps)


def read(folder: Path, start: tuple[int, ...], end: int) -> Greedy:
    """The recogniser whose graphs and tables lie in a folder."""
    encoder, decoder = Graph(folder / "encoder.onnx"), Graph(folder / "decoder.onnx")
    tables = np.load(folder / "embedding.npy", mmap_mode="r"), np.load(folder / "positions.npy")
    return Greedy(encoder, decoder, *tables, start, end, int(encoder.input_shapes["mel"][1]))
