"""An ONNX file on one core, for checks; needs no torch."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from tools.convert.asr.numbers import Arrays


class Graph:
    """An ONNX file on one core."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.output_names = [node.name for node in self.session.get_outputs()]
        self.input_shapes = {node.name: node.shape for node in self.session.get_inputs()}

    def __call__(self, feeds: Arrays) -> Arrays:
        """Outputs by name."""
        return dict(zip(self.output_names, self.session.run(self.output_names, feeds), strict=True))
