"""Converts a recogniser's encoder for the RK3588 NPU: `python -m tools.convert.asr.rknn MODEL_FOLDER`.

One encoder.rknn with one compiled shape for each context, beside encoder.onnx; the decoder stays on the CPU.
rknn-toolkit2 converts in a virtual environment of its own (build/rknn-venv, made when it is missing) and
simulates each context on recordings; where the result is not alike enough to float32 nothing is written.
Nothing made here has run on an NPU yet: what is compared is the toolkit's simulator.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from epsilon.config.models import measure
from epsilon.engines.facts import Facts
from epsilon.errors import EpsilonError, ModelError
from epsilon.runtimes.rknn_file import describe
from tools.convert.asr.features import features, recordings
from tools.convert.asr.float_graph import float_encoder, without_nested_strides
from tools.convert.asr.half import kept
from tools.convert.asr.rknn_venv import python_of

LEAST_COSINE = {"fp16": 0.9999, "w8a8": 0.995}
HINTS = {
    "fp16": "python -m tools.convert.asr.audit shows where numbers leave the range of float16",
    "w8a8": "leave out --int8: 8 bits are too few for this encoder, or calibrate with more recordings",
}
COMPARED = 4  # pieces of sound for each context; the simulator takes seconds for one
CALIBRATED = 32

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What is to be converted, and how."""

    folder: Path  # of the model
    contexts: tuple[int, ...]  # steps of 20 ms
    encoder: Path  # in float32, or with int8 products, which are undone
    calibration: Path  # folder of recordings to compare with, and to calibrate int8 with
    precision: str = "fp16"
    chip: str = "rk3588"


def convert(wish: Wish, python: Path, tell: Tell = print) -> Path:
    """Writes encoder.rknn and its line in model.yaml, both or none; ModelError when it is not alike enough."""
    facts = Facts(wish.folder / "model.yaml")
    _check_contexts(wish, facts)
    with tempfile.TemporaryDirectory(prefix=".rknn-", dir=wish.folder.absolute()) as scratch:
        task = _task(wish, facts.whole("bands"), Path(scratch))
        tell(f"== {wish.encoder} for {wish.chip} in {wish.precision}, contexts {list(wish.contexts)}")
        _run(python, task, Path(scratch))
        _judge(wish, json.loads(Path(task["report"]).read_text()), tell)
        made = Path(task["out"])
        described = describe(made)
        line = {
            "toolkit": described.toolkit,
            "chip": wish.chip,
            "precision": wish.precision,
            "contexts": list(wish.contexts),
            "sha256": measure(made).sha256,
        }
        target = wish.folder / "encoder.rknn"
        made.replace(target)
    _note(wish.folder / "model.yaml", line)
    tell(f"{target}: {target.stat().st_size / 1e6:.1f} MB, made by rknn-toolkit2 {described.toolkit}")
    return target


def _check_contexts(wish: Wish, facts: Facts) -> None:
    there = facts.wholes("contexts")
    missing = [context for context in wish.contexts if context not in there]
    if missing or not wish.contexts:
        raise ModelError(f"knows the contexts {list(there)}, not {missing}", str(facts.path), "--contexts")


def _task(wish: Wish, bands: int, scratch: Path) -> dict[str, Any]:
    """What the program in the other environment is told; the files it needs lie in `scratch`."""
    model = float_encoder(wish.encoder)
    if kept(model):
        hint = "cure it with --cure scale or clamp"
        raise ModelError("keeps numbers in float32, which the NPU cannot", str(wish.encoder), hint)
    reference, graph = scratch / "reference.onnx", scratch / "graph.onnx"
    onnx.save(model, reference)
    if len(wish.contexts) > 1:
        without_nested_strides(model)
    onnx.save(model, graph)
    frames = [2 * context for context in wish.contexts]
    paths = recordings(wish.calibration)
    compared = {}
    for count in frames:
        compared[str(count)] = str(scratch / f"features-{count}.npy")
        pieces = [mel[0] for mel, _ in zip(features(paths, bands, count), range(COMPARED), strict=False)]
        np.save(compared[str(count)], np.stack(pieces))
    int8 = wish.precision == "w8a8"
    return {
        "graph": str(graph),
        "reference": str(reference),
        "bands": bands,
        "frames": frames,
        "chip": wish.chip,
        "dataset": _dataset(paths, bands, max(frames), scratch) if int8 else "",
        "features": compared,
        "out": str(scratch / "encoder.rknn"),
        "report": str(scratch / "report.json"),
    }


def _dataset(paths: list[Path], bands: int, frames: int, scratch: Path) -> str:
    """Recordings in the largest shape, a file each, and the list of them that the toolkit calibrates with."""
    names = []
    for place, mel in zip(range(CALIBRATED), features(paths, bands, frames), strict=False):
        names.append(str(scratch / f"calibration-{place}.npy"))
        np.save(names[-1], mel)
    listing = scratch / "calibration.txt"
    listing.write_text("\n".join(names) + "\n")
    return str(listing)


def _run(python: Path, task: dict[str, Any], scratch: Path) -> None:
    """Runs the program from a copy in `scratch`.

    Beside the original stand modules of this project that it must not find, and the toolkit leaves files
    where it runs.
    """
    (scratch / "task.json").write_text(json.dumps(task))
    shutil.copy(Path(__file__).with_name("rknn_program.py"), scratch)
    command = [str(python.absolute()), "rknn_program.py", "task.json"]
    try:
        code = subprocess.run(command, cwd=scratch, check=False).returncode
    except OSError as error:
        raise ModelError(f"cannot be run: {error.strerror or error}", str(python), "--python") from error
    if code:
        raise ModelError(f"the conversion ended with code {code}; its reason is in the lines above")


def _judge(wish: Wish, report: dict[str, dict[str, dict[str, float]]], tell: Tell) -> None:
    least = LEAST_COSINE[wish.precision]
    bad = []
    tell(f"{'context':>8} {'output':<8} {'cosine':>10} {'largest error':>14} {'finite':>7}")
    for frames, outputs in report.items():
        for name, found in outputs.items():
            good = found["cosine"] >= least and found["finite"] == 1.0
            bad += [] if good else [f"{name} at {int(frames) // 2}"]
            numbers = f"{found['cosine']:10.7f} {found['error']:14.4f} {found['finite']:7.1%}"
            tell(f"{int(frames) // 2:>8} {name:<8} {numbers}{'' if good else '  too far'}")
    if bad:
        hint = HINTS[wish.precision]
        raise ModelError(
            f"simulated {', '.join(bad)} is not alike to float32: cosine below {least}", hint=hint
        )


def _note(path: Path, facts: dict[str, Any]) -> None:
    """Writes the line `rknn: {…}` of model.yaml anew and leaves the rest as it is."""
    text = re.sub(r"^rknn:.*\n?", "", path.read_text("utf-8"), flags=re.MULTILINE)
    shown = ", ".join(f"{key}: {value}" for key, value in facts.items())
    unfinished = path.with_suffix(".yaml.part")
    unfinished.write_text(f"{text.rstrip()}\nrknn: {{{shown}}}\n", "utf-8")
    unfinished.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the options and converts; code 2 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.convert.asr.rknn", description=__doc__)
    parser.add_argument("folder", type=Path, help="a recogniser's model folder")
    parser.add_argument("--contexts", type=int, nargs="+", default=[200, 500], help="in steps of 20 ms")
    parser.add_argument(
        "--encoder", type=Path, help="the encoder in float32; else the folder's, its int8 undone"
    )
    parser.add_argument("--calibration", type=Path, default=Path("tests/takes"), help="folder of recordings")
    parser.add_argument("--int8", action="store_true", help="weights and activations in 8 bits (w8a8)")
    parser.add_argument("--python", type=Path, help="the Python of an environment that has rknn-toolkit2")
    parser.add_argument("--venv", type=Path, default=Path("build/rknn-venv"), help="made when it is missing")
    chosen = parser.parse_args(arguments)
    encoder = chosen.encoder or chosen.folder / "encoder.onnx"
    precision = "w8a8" if chosen.int8 else "fp16"
    wish = Wish(chosen.folder, tuple(chosen.contexts), encoder, chosen.calibration, precision)
    try:
        convert(wish, chosen.python or python_of(chosen.venv))
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    print("model.yaml has changed: `epsilon models manifest --write` notes the new checksums")
    return 0


if __name__ == "__main__":
    sys.exit(main())
