"""Makes the shipped model from a checkpoint, then fits the fusion: `python -m tools.train.endpoint.export`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from epsilon.engines.endpoint.features import SIZE
from tools.train.endpoint.fuse import fuse
from tools.train.endpoint.model import Endpoint, Shape, Step
from tools.train.runs import load_network

GRAPH = "endpoint.onnx"


def load_endpoint(checkpoint: Path) -> Endpoint:
    """The network of a checkpoint, in evaluation mode."""
    model: Endpoint = load_network(checkpoint, lambda shape: Endpoint(Shape(**shape)))
    return model


def export_graph(model: Endpoint, path: Path) -> float:
    """Writes the step as a graph; returns its largest difference from the whole network over 50 windows."""
    shape = model.shape
    state = torch.zeros(shape.layers, shape.width)
    with torch.no_grad():
        torch.onnx.export(
            Step(model).eval(),
            (torch.zeros(1, SIZE), state),
            str(path),
            input_names=["row", "state"],
            output_names=["over", "next"],
            opset_version=17,
            dynamo=False,
        )
        rows = torch.randn(1, 50, SIZE)
        wanted = model(rows)[0, :, 0].numpy()
    session, found, remembered = onnxruntime.InferenceSession(str(path)), [], state.numpy()
    for row in rows[0].numpy():
        over, remembered = session.run(None, {"row": row[None], "state": remembered})
        found.append(over[0, 0])
    return float(np.abs(np.array(found) - wanted).max())


def export(run: Path, out: Path, stand_in: bool = False) -> None:
    """Every file of the model."""
    out.mkdir(parents=True, exist_ok=True)
    model = load_endpoint(run / "checkpoint.pt")
    difference = export_graph(model, out / GRAPH)
    size = (out / GRAPH).stat().st_size
    print(f"{out / GRAPH}: {size / 1e6:.2f} MB, largest difference from torch {difference:.1e}")
    fuse(run / "turns", out, stand_in)


def main() -> None:
    """Reads the options and exports."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("build/train/endpoint"))
    parser.add_argument("--out", type=Path, default=Path("models/pocket/endpoint"))
    parser.add_argument("--stand-in", action="store_true", help="counts of word pairs instead of the mind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    export(options.run, options.out, options.stand_in)


if __name__ == "__main__":
    main()
