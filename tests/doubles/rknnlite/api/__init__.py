"""The class RKNNLite as programs see it: return codes instead of exceptions, one context an object.

It computes with the .onnx beside the .rknn, and knows the shapes from `epsilon.runtimes.rknn_file`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import onnxruntime

from epsilon.runtimes.rknn_file import describe


class RKNNLite:
    """See the package; `broken` names the methods that fail, `contexts` holds the core masks in use."""

    NPU_CORE_AUTO = 0
    NPU_CORE_0 = 1
    NPU_CORE_1 = 2
    NPU_CORE_2 = 4
    NPU_CORE_0_1 = 3
    NPU_CORE_0_1_2 = 7
    NPU_CORE_ALL = 0xFFFF

    broken: ClassVar[set[str]] = set()
    contexts: ClassVar[list[int]] = []
    calls: ClassVar[list[dict[str, Any]]] = []

    def __init__(self, verbose: bool = False, verbose_file: str | None = None) -> None:
        self.rknn_data: bytes | None = None
        self._path: Path | None = None
        self._mask: int | None = None

    def load_rknn(self, path: str, key_path: str | None = None) -> int:
        """0 or -1."""
        if "load_rknn" in self.broken or not Path(path).exists():
            return -1
        self._path, self.rknn_data = Path(path), Path(path).read_bytes()
        return 0

    def init_runtime(
        self,
        target: str | None = None,
        device_id: str | None = None,
        async_mode: bool = False,
        core_mask: int = NPU_CORE_AUTO,
    ) -> int:
        """0 or -1."""
        if self._path is None or core_mask not in (1, 2, 4, 3, 7):
            return -1
        self._mask = core_mask
        self.contexts.append(core_mask)
        return -1 if "init_runtime" in self.broken else 0  # what it held it holds until it is released

    def inference(
        self, inputs: list[Any], data_type: Any = None, data_format: Any = None, reuse_outputs: bool = False
    ) -> list[Any] | None:
        """Arrays in the order of the file, or None."""
        self.calls.append({"data_format": data_format, "shapes": [array.shape for array in inputs]})
        if "inference" in self.broken or self._mask is None or self._path is None:
            return None
        described = describe(self._path)
        if [array.shape for array in inputs] not in [
            list(one) for one in zip(*described.inputs.values(), strict=True)
        ]:
            return None
        session = onnxruntime.InferenceSession(str(self._path.with_suffix(".onnx")))
        results = session.run(list(described.outputs), dict(zip(described.inputs, inputs, strict=True)))
        if "numbers" in self.broken:
            results[0][:] = np.inf
        return list(results)[: 1 if "outputs" in self.broken else None]

    def release(self) -> None:
        """Gives the context back."""
        if self._mask in self.contexts:
            self.contexts.remove(self._mask)
        self._mask = None
