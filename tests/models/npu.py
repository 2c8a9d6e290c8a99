"""An .rknn file as far as this program reads it: header, description and no network, beside an encoder."""

from __future__ import annotations

import json
from pathlib import Path

from epsilon.runtimes.rknn_file import COUNT, HEADER, HEADER_BYTES

Sets = dict[str, list[list[int]]]


def write(path: Path, inputs: Sets, outputs: Sets, version: str = "2.5.0", chip: str = "rk3588") -> None:
    """Each name with its shapes, the largest first as the toolkit writes them."""
    names = [*inputs, *outputs]
    text = json.dumps(
        {
            "version": version,
            "target_platform": [chip],
            "norm_tensor": [
                {"tensor_id": place, "url": name, "size": (inputs | outputs)[name][0]}
                for place, name in enumerate(names)
            ],
            "graph": [
                {
                    "left": "input" if name in inputs else "output",
                    "left_tensor_id": list(inputs if name in inputs else outputs).index(name),
                    "right_tensor_id": place,
                }
                for place, name in enumerate(names)
            ],
        }
    ).encode()
    several = any(len(sets) > 1 for sets in inputs.values())
    body = b"h\0\0\0RKNN" + (f"'dynamic_shapes': {inputs | outputs}" if several else "").encode()
    header = HEADER.pack(b"RKNN\0\0\0\0", 6, len(body)).ljust(HEADER_BYTES, b"\0")
    path.write_bytes(header + body + COUNT.pack(len(text)) + text)


def beside(encoder: Path, contexts: tuple[int, ...], version: str = "2.5.0", chip: str = "rk3588") -> Path:
    """The .rknn of the tiny encoder of tests.models.tiny for contexts in steps of 20 ms."""
    largest_first = sorted(contexts, reverse=True)
    inputs = {"mel": [[1, 80, 2 * context] for context in largest_first]}
    outputs = {name: [[1, 1, 1, context, 64] for context in largest_first] for name in ("cross_k", "cross_v")}
    path = encoder.with_suffix(".rknn")
    write(path, inputs, outputs, version, chip)
    return path
