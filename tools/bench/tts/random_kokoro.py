"""A Kokoro of RANDOM weights, by the published network's own code: python -m tools.bench.tts.random_kokoro FOLDER.

Runs in the peers' virtual environment. The network has the published sizes (82 M parameters) and is exported as the
published files were; only the durations are biased, so that a symbol lasts as long as in speech.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

GRAPH, VOICES, STYLES = "kokoro-random.onnx", "voices-random.bin", ("af_random", "bm_random")
FRAMES_BIAS = -2.75  # sigmoid of it, summed over 50: three frames of 25 ms
TRACED = 8


def network(torch: Any, folder: Path) -> Any:
    """The package's model, built without its text side and without weights."""
    found = find_spec("kokoro")
    assert found is not None and found.submodule_search_locations is not None
    package = ModuleType("kokoro")  # its own __init__ would import the text side
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["kokoro"] = package
    models = import_module("kokoro.model")
    sizes = Path(str(find_spec("kokoro_onnx").origin)).with_name("config.json")  # type: ignore[union-attr]
    torch.manual_seed(0)
    nothing = folder / "no-weights.pth"
    torch.save({}, nothing)
    config = json.loads(sizes.read_text(encoding="utf-8"))
    model = models.KModel(repo_id="none", config=config, model=str(nothing), disable_complex=True)
    nothing.unlink()
    model.predictor.duration_proj.linear_layer.bias.data.fill_(FRAMES_BIAS)
    return models.KModelForONNX(model).eval()


def export(folder: Path) -> None:
    """The graph with durations, and two voices."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    ids = torch.tensor([[0, *range(1, 1 + TRACED), 0]])
    arguments = (ids, 0.1 * torch.randn(1, 256), torch.ones(1))
    model = network(torch, folder)
    unfinished = folder / "unfinished"
    torch.onnx.export(
        model,
        arguments,
        str(unfinished),
        input_names=["input_ids", "style", "speed"],
        output_names=["waveform", "duration"],
        dynamic_axes={"input_ids": {1: "n"}, "waveform": {0: "samples"}, "duration": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )
    random = np.random.default_rng(0)
    tables = {name: (0.1 * random.standard_normal((510, 1, 256))).astype(np.float32) for name in STYLES}
    with (folder / VOICES).open("wb") as file:
        np.savez(file, allow_pickle=False, **tables)
    unfinished.rename(folder / GRAPH)


if __name__ == "__main__":
    export(Path(sys.argv[1]))
