"""The class RKNN as the conversion uses it: return codes, and an .rknn file that says what it was told.

The environment variable RKNN_DOUBLE names how it misbehaves: a method that fails, `far` for numbers that are
off, `inf` for some that are not finite.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from tests.models import npu


class RKNN:
    """See the package."""

    def __init__(self, verbose: bool = False) -> None:
        self._fault = os.environ.get("RKNN_DOUBLE", "")
        self._settings: dict[str, Any] = {}
        self._graph = ""
        self._shapes: list[list[int]] = []
        self._simulates = False

    def config(self, **settings: Any) -> int:
        """0 or -1."""
        self._settings = settings
        return self._code("config")

    def load_onnx(self, model: str, inputs: list[str], input_size_list: list[list[int]]) -> int:
        """0 or -1."""
        sets = self._settings.get("dynamic_input")
        self._graph = model
        self._shapes = [one[0] for one in sets] if sets else input_size_list
        return self._code("load_onnx")

    def build(self, do_quantization: bool, dataset: str | None = None) -> int:
        """0, or ValueError as the real one's log raises it."""
        if self._fault == "build":
            raise ValueError("Traceback (most recent call last):\n  File …\nunsupported operation: Magic\n")
        if do_quantization:
            for name in Path(str(dataset)).read_text().split():
                assert np.load(name).shape == tuple(max(self._shapes))
        return 0

    def export_rknn(self, path: str) -> int:
        """0 or -1."""
        largest_first = sorted(self._shapes, reverse=True)
        session = self._session()
        outputs: dict[str, list[list[int]]] = {output.name: [] for output in session.get_outputs()}
        for shape in largest_first:
            results = session.run(list(outputs), {"mel": np.zeros(shape, np.float32)})
            for sizes, array in zip(outputs.values(), results, strict=True):
                sizes.append(list(array.shape))
        npu.write(Path(path), {"mel": largest_first}, outputs, chip=self._settings["target_platform"])
        return self._code("export_rknn")

    def init_runtime(self, target: str | None = None) -> int:
        """0 or -1."""
        self._simulates = True
        return self._code("init_runtime")

    def inference(self, inputs: list[Any], data_format: list[str]) -> list[Any] | None:
        """Arrays in the order of the graph, or None."""
        if not self._simulates or self._fault == "inference" or list(inputs[0].shape) not in self._shapes:
            return None
        assert data_format == ["nchw"]
        results = self._session().run(None, {"mel": inputs[0]})
        if self._fault == "far":
            results[1] = results[1] + np.random.default_rng(0).standard_normal(results[1].shape)
        if self._fault == "inf":
            results[0].flat[0] = np.inf
        return list(results)

    def release(self) -> None:
        """Nothing to give back."""

    def _session(self) -> Any:
        return onnxruntime.InferenceSession(self._graph, providers=["CPUExecutionProvider"])

    def _code(self, method: str) -> int:
        return -1 if self._fault == method else 0
