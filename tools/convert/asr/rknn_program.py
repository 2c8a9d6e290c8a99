"""Runs in the virtual environment of rknn-toolkit2: converts a graph, simulates it, writes what came out.

`python rknn_program.py TASK.json`; started by tools.convert.asr.rknn, imports nothing of this project. The
toolkit simulates only what the same process has built, so both happen here. The simulator computes what the
NPU would; how fast the NPU would be it does not know.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


def main(task_path: str) -> int:
    """Converts and simulates as the task says; 1 when the toolkit refuses."""
    task = json.loads(Path(task_path).read_text())
    toolkit = importlib.import_module("rknn.api").RKNN(verbose=False)
    try:
        build(toolkit, task)
        report = {name: compare(toolkit, task, path) for name, path in task["features"].items()}
    except (RuntimeError, ValueError) as refusal:  # the toolkit's log raises ValueError
        lines = [line for line in str(refusal).splitlines() if line.strip()]
        print(f"rknn-toolkit2: {lines[-1] if lines else refusal}", file=sys.stderr)
        return 1
    finally:
        toolkit.release()
    Path(task["report"]).write_text(json.dumps(report))
    return 0


def build(toolkit: Any, task: dict[str, Any]) -> None:
    """Writes the .rknn and starts the simulator."""
    shapes = [[1, task["bands"], frames] for frames in task["frames"]]
    largest = max(shapes, key=lambda shape: shape[2])
    # One shape only: a fixed graph; the toolkit's "dynamic" means several fixed ones.
    several = {"dynamic_input": [[shape] for shape in shapes]} if len(shapes) > 1 else {}
    step(
        "settings",
        lambda: toolkit.config(target_platform=task["chip"], optimization_level=3, **several),
    )
    step("reading", lambda: toolkit.load_onnx(task["graph"], inputs=["mel"], input_size_list=[largest]))
    if task["dataset"]:
        step("building in int8", lambda: toolkit.build(do_quantization=True, dataset=task["dataset"]))
    else:
        step("building in float16", lambda: toolkit.build(do_quantization=False))
    step("writing", lambda: toolkit.export_rknn(task["out"]))
    step("starting the simulator", lambda: toolkit.init_runtime(target=None))


def step(name: str, act: Callable[[], int]) -> None:
    """One call of the toolkit, told and timed; RuntimeError for any code but 0."""
    print(f"-- {name}", flush=True)
    start_s = time.monotonic()
    code = act()
    if code != 0:
        raise RuntimeError(f"{name} failed with code {code}")
    print(f"-- {name}: {time.monotonic() - start_s:.0f} s", flush=True)


def compare(toolkit: Any, task: dict[str, Any], features: str) -> dict[str, dict[str, float]]:
    """For each output, the worst over the features [n, bands, frames] against float32 on onnxruntime."""
    session = onnxruntime.InferenceSession(task["reference"], providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    worst = {name: {"cosine": 1.0, "error": 0.0, "finite": 1.0} for name in names}
    for mel in np.load(features):
        found = toolkit.inference(inputs=[mel[None]], data_format=["nchw"])
        if found is None or len(found) != len(names):
            raise RuntimeError(f"the simulator gave {found and len(found)} outputs, not {len(names)}")
        for name, ours, theirs in zip(names, found, session.run(names, {"mel": mel[None]}), strict=True):
            note(worst[name], np.asarray(ours, np.float64), theirs.astype(np.float64))
    return worst


def note(worst: dict[str, float], ours: np.ndarray, theirs: np.ndarray) -> None:
    """Keeps the worst cosine, the largest difference and the smallest share of finite numbers."""
    if ours.shape != theirs.shape:
        raise RuntimeError(f"the simulator gave the shape {ours.shape}, not {theirs.shape}")
    finite = np.isfinite(ours)
    worst["finite"] = min(worst["finite"], float(finite.mean()))
    ours = np.where(finite, ours, 0.0)
    sizes = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    worst["cosine"] = min(worst["cosine"], float(np.vdot(ours, theirs)) / sizes if sizes else 0.0)
    worst["error"] = max(worst["error"], float(np.abs(ours - theirs).max()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
