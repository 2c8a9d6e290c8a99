"""Files for the NPU."""

from __future__ import annotations

import tempfile
from pathlib import Path

from epsilon.runtimes.rknn_file import describe
from tests.models.npu import write

WORDS = (b"RKNN", b'"version": ""', b'"graph": []', b'"size": [-1]', b"'dynamic_shapes': {", b"{", b"}")


def seeds() -> list[bytes]:
    """One shape, and several."""
    one = {"mel": [[1, 80, 400]]}
    several = {"mel": [[1, 80, 400], [1, 80, 200]]}
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for inputs in (one, several):
            path = Path(folder) / "a.rknn"
            write(path, inputs, {"out": [[1, 200, 64]] * len(inputs["mel"])})
            made.append(path.read_bytes())
    return made


def read(data: bytes, folder: Path) -> object:
    """As the runtime rknn before it hands the file to the NPU's library."""
    path = folder / "fuzzed.rknn"
    path.write_bytes(data)
    return describe(path)
