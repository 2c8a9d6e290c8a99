"""What a pass costs, shape by shape in turn: by the clock, and in processor time of the thread that asks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from epsilon.config.models import Model
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from epsilon.runtimes.decoder import Decoder
from tools.bench.topology import DECODED, PREFILL
from tools.bench.topology.shapes import VOCABULARY


@dataclass
class Times:
    """Milliseconds of every round: of a prefill, and of a decoded token."""

    prefill_wall: list[float] = field(default_factory=list)
    prefill_cpu: list[float] = field(default_factory=list)
    decode_wall: list[float] = field(default_factory=list)
    decode_cpu: list[float] = field(default_factory=list)

    def median(self, name: str) -> float:
        """Of one of them."""
        return statistics.median(getattr(self, name))


def load(folder: Path, seat: Seat) -> Decoder:
    """A shape's graph as the toy loads it."""
    return onnx.load_decoder(Model("bench", folder, "llm", "mistral", "", "", "", {}), seat)


def timed(decoders: Mapping[str, Decoder], rounds: int) -> dict[str, Times]:
    """Every decoder once a round, so that what else the machine does falls on all of them."""
    caches = {name: decoder.new() for name, decoder in decoders.items()}
    found = {name: Times() for name in decoders}
    for name, decoder in decoders.items():
        _once(decoder, caches[name], Times())  # the first pass takes the memory
    for _ in range(rounds):
        for name, decoder in decoders.items():
            _once(decoder, caches[name], found[name])
    return found


def _once(decoder: Decoder, cache: Any, times: Times) -> None:
    ids = np.random.default_rng(1).integers(0, VOCABULARY, PREFILL).tolist()
    decoder.keep(cache, 0)
    began = _now()
    scores = decoder.run(cache, ids)
    between = _now()
    for _ in range(DECODED):
        scores = decoder.run(cache, [int(scores.argmax())])
    ended = _now()
    times.prefill_wall.append(between[0] - began[0])
    times.prefill_cpu.append(between[1] - began[1])
    times.decode_wall.append((ended[0] - between[0]) / DECODED)
    times.decode_cpu.append((ended[1] - between[1]) / DECODED)


def _now() -> tuple[float, float]:
    return time.perf_counter_ns() / 1e6, time.thread_time_ns() / 1e6
