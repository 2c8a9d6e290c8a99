"""The recogniser's two graphs by themselves: what a longer context and a longer draft cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from epsilon.dsp.mel import BANDS
from epsilon.engines.asr.decoding import Decoder
from epsilon.realtime import Seat
from epsilon.runtimes import Runtime
from tools.bench.peers.serving import Given, Task

STEPS_PER_SECOND = 50  # encoder frames
LONGEST_S = 30
PASSES = (1, 14)  # tokens: one step, and a check of two start tokens and twelve words


def graph_tasks(folder: Path, runtime: Runtime) -> dict[str, Task]:
    """`encoder 4 s` and, where the checkpoint has the positions, `encoder 30 s`; `decoder 1` and `decoder 14`
    for a pass over so many tokens."""
    facts = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    bands = int(facts.get("bands", BANDS))
    encoder = runtime.load(folder / "encoder.onnx", Seat())

    def mel(seconds: int) -> Any:
        features = np.random.default_rng(1).standard_normal((1, bands, 2 * STEPS_PER_SECOND * seconds))
        return features.astype(np.float32)

    def encode(seconds: int) -> Task:
        features = mel(seconds)
        return Task(lambda _: lambda: encoder({"mel": features}), lambda _: "")

    crossed = encoder({"mel": mel(4)})
    cross = crossed["cross_k"], crossed["cross_v"]
    found = {"encoder 4 s": encode(4)}
    if facts.get("random_weights"):  # a shape of the public checkpoints, which have the positions
        found[f"encoder {LONGEST_S} s"] = encode(LONGEST_S)
    for count in PASSES:
        decoder = Decoder(
            runtime.load(folder / "decoder.onnx", Seat()),
            np.load(folder / "embedding.npy", mmap_mode="r"),
            np.load(folder / "positions.npy", mmap_mode="r"),
            facts["start"][:1],
            facts["end"],
        )
        draft = list(range(count - 1))
        found[f"decoder {count}"] = Task(_one_pass(decoder, cross, draft), lambda _: "")
    return found


def _one_pass(decoder: Decoder, cross: Any, draft: list[int]) -> Callable[[Given], Callable[[], Any]]:
    """A single pass over the start and the draft: a transcript of no more than one token needs no other."""
    return lambda _: lambda: decoder.decode(cross, draft, 0, 1)
