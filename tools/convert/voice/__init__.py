"""Cuts a published Kokoro-type voice in three, so that its sound can be computed window by window.

Beside the graph and the voices come front.onnx (the phrase whole, at a low rate), vocoder.onnx (any stretch of it),
meter.onnx (what the vocoder's norms are to do, from a sample of the phrase) and windows.yaml.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import yaml

from epsilon.engines.protocols import Delivery
from epsilon.engines.tts.kokoro import SOUNDS, CutPhrases, Kokoro, WholePhrases, spoken
from epsilon.engines.tts.kokoro_files import CUT, FRONT, METER, VOCODER, WINDOWS, graph_path
from epsilon.engines.tts.styletts2 import Feeds
from epsilon.realtime import Seat
from epsilon.ring import Samples
from epsilon.runtimes import Graph
from epsilon.runtimes import onnx as runtime
from tools.convert.asr.float_graph import read
from tools.convert.voice import measuring
from tools.convert.voice.parts import FLOAT, INT64, Seams, Walk, piece, renamed, value
from tools.convert.voice.surgery import affine, norms_of, silent, with_alignment, with_meter, with_tables

WHOLE = "whole.onnx"  # not kept

__all__ = ["Report", "convert"]


@dataclass(frozen=True)
class Report:
    """What was found out: the window's surroundings, and how far what is said differs."""

    sight: measuring.Sight
    hop: int  # samples of a frame
    cut: measuring.Deviation
    twice: measuring.Deviation  # the published graph beside itself: its noise is drawn anew each time


def convert(folder: Path, tell: Callable[[str], None]) -> Report:
    """Cut the voice in a folder. ModelError when it cannot be cut."""
    path = graph_path(folder)
    with tempfile.TemporaryDirectory(dir=folder) as making:
        tell(f"cutting {path.name}")
        cut(path, Path(making))
        tell("speaking")
        report = _report(path, Path(making))
        for name in (*CUT, WINDOWS):
            (Path(making) / name).replace(folder / name)
    return report


def cut(path: Path, folder: Path) -> None:
    """Write front.onnx, meter.onnx and vocoder.onnx, and whole.onnx: the vocoder as it was, with the meter."""
    walk = Walk(read(path), path)
    seams = walk.seams()
    norms = norms_of(Walk(_vocoder(walk, seams), path))
    onnx.save(_front(walk, seams), str(folder / FRONT))
    onnx.save(affine(_vocoder(walk, seams), norms), str(folder / VOCODER))
    whole = with_meter(_vocoder(walk, seams), norms)
    onnx.save(whole, str(folder / WHOLE))
    onnx.save(silent(whole), str(folder / METER))


def _front(walk: Walk, seams: Seams) -> onnx.ModelProto:
    outputs = [
        value(seams.frames, FLOAT, 1, "channels", "t"),
        value(seams.source, FLOAT, 1, "bins", "steps"),
        value(seams.durations, INT64),
    ]
    whole = piece(walk, walk.graph.input, outputs)
    aligned = with_alignment(with_tables(whole), seams.alignment, seams.durations)
    names = {seams.frames: "frames", seams.source: "source", seams.durations: "durations"}
    # once more a piece: what made the alignment before is not needed any more
    return renamed(piece(Walk(aligned, walk.path), walk.graph.input, outputs), names)


def _vocoder(walk: Walk, seams: Seams) -> onnx.ModelProto:
    inputs = [
        value(seams.frames, FLOAT, 1, walk.channels(seams.frames), "t"),
        value(seams.source, FLOAT, 1, walk.channels(seams.source), "steps"),
        value("style", FLOAT, 1, 256),
    ]
    names = {seams.frames: "frames", seams.source: "source", seams.sound: "audio"}
    return renamed(piece(walk, inputs, [value(seams.sound, FLOAT, "samples")]), names)


@dataclass(frozen=True)
class Take:
    """A phrase said by the graph as it was: once in parts, and once more by the published file."""

    whole: Samples
    between_pads: Samples  # of the whole, what the toy lets out
    again: Samples
    hop: int
    steps: int


def _report(path: Path, making: Path) -> Report:
    """Says some sentences in all ways, with the first of the voices."""
    graphs = {name: runtime.load(making / name, Seat()) for name in (FRONT, WHOLE, METER, VOCODER)}
    graph = runtime.load(path, Seat())
    published = Kokoro(path.parent, WholePhrases(graph, path))
    delivery = Delivery(next(iter(published.styles.values())))
    phrases = [published.spell(text, more=False).symbols for text in measuring.SENTENCES]
    takes = [_take(graphs, graph, published.feeds(symbols, delivery)) for symbols in phrases]
    hop, steps = takes[0].hop, takes[0].steps
    sight = measuring.sight(graphs[METER], graphs[VOCODER], hop, steps)
    _write_facts(making / WINDOWS, sight, hop, steps)
    windowed = Kokoro(path.parent, CutPhrases(graphs[FRONT], graphs[METER], graphs[VOCODER], making))
    said = [chunk.samples for symbols in phrases for chunk in windowed.speak(symbols, delivery)]
    whole, between_pads, again = (
        np.concatenate([getattr(take, name) for take in takes]) for name in ("whole", "between_pads", "again")
    )
    in_windows = measuring.compare(np.concatenate(said), between_pads)
    return Report(sight, hop, in_windows, measuring.compare(again, whole))


def _take(graphs: Mapping[str, Graph], published: Graph, feeds: Feeds) -> Take:
    read = graphs[FRONT](feeds)
    window = {"frames": read["frames"], "source": read["source"], "style": feeds["style"]}
    whole = graphs[WHOLE](window)["audio"].reshape(-1)
    frames, durations = read["frames"].shape[2], read["durations"].reshape(-1)
    begin, stop = spoken(durations * (len(whole) // int(durations.sum())))
    again = next(sound for name, sound in published(feeds).items() if name in SOUNDS).reshape(-1)
    return Take(whole, whole[begin:stop], again, len(whole) // frames, read["source"].shape[2] // frames)


def _write_facts(path: Path, sight: measuring.Sight, hop: int, steps: int) -> None:
    facts = {"left_frames": sight.left, "right_frames": sight.right, "hop": hop, "source_steps": steps}
    path.write_text(yaml.safe_dump(facts, sort_keys=False), encoding="utf-8")
