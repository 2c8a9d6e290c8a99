"""What an .rknn file says about itself: toolkit, chip, names and shapes, read without the NPU's library.

The format is not published. What is read here was found in files of rknn-toolkit2 2.5.0: a header of 64 bytes
(magic, format, length of the body), the body, the length of a JSON text and the text. It names toolkit, chip
and tensors; near the start of the body stand the sets of shapes of a graph that was built with several.
"""

from __future__ import annotations

import ast
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsilon.errors import ModelError

Sizes = tuple[int, ...]

HEADER = struct.Struct("<8sQQ")
HEADER_BYTES = 64
COUNT = struct.Struct("<Q")
MAGIC = b"RKNN"
HEAD_BYTES = 8 << 20  # the sets of shapes stand before the weights; 3 kB into the pocket encoder
SHAPE_SETS = re.compile(rb"'dynamic_shapes': (\{[^{}]*\})")


@dataclass(frozen=True)
class Description:
    """An .rknn file: one entry of `inputs[name]` and `outputs[name]` for each set of shapes it was built with."""

    path: Path
    toolkit: str  # version of the program that made it: 2.5.0
    chips: tuple[str, ...]
    inputs: Mapping[str, tuple[Sizes, ...]]
    outputs: Mapping[str, tuple[Sizes, ...]]


def describe(path: Path) -> Description:
    """What the file says about itself; ModelError when it is missing, cut short or none of its kind."""
    try:
        head, text = _read(path)
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    try:
        return _understood(path, head, json.loads(text))
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        SyntaxError,
        AttributeError,
        RecursionError,
    ) as error:
        reason = f"its description has no meaning to this program: {type(error).__name__} {error}"
        raise ModelError(reason, str(path), "convert it with rknn-toolkit2 2.5.0") from error


def _read(path: Path) -> tuple[bytes, bytes]:
    """The first part of the body, and the JSON text at the end."""
    length = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(HEADER_BYTES)
        if len(start) < HEADER_BYTES or not start.startswith(MAGIC):
            raise ModelError("is not an .rknn file", str(path))
        body_bytes = HEADER.unpack_from(start)[2]
        if body_bytes > length:
            raise ModelError(f"is cut short: {length} bytes", str(path), "copy or convert it again")
        head = file.read(min(HEAD_BYTES, body_bytes))
        file.seek(HEADER_BYTES + body_bytes)
        counted = file.read(COUNT.size)
        text_bytes = COUNT.unpack(counted)[0] if len(counted) == COUNT.size else 0
        expected = HEADER_BYTES + body_bytes + COUNT.size + text_bytes
        if not text_bytes or expected > length:
            raise ModelError(f"is cut short: {length} bytes", str(path), "copy or convert it again")
        return head, file.read(text_bytes)


def _understood(path: Path, head: bytes, said: Mapping[str, Any]) -> Description:
    sizes = {tensor["tensor_id"]: tuple(tensor["size"]) for tensor in said["norm_tensor"]}
    names = {tensor["tensor_id"]: str(tensor["url"]) for tensor in said["norm_tensor"]}
    found = SHAPE_SETS.search(head)
    sets = ast.literal_eval(found.group(1).decode()) if found else {}

    def side(which: str) -> dict[str, tuple[Sizes, ...]]:
        wires = [wire for wire in said["graph"] if wire["left"] == which]
        order = [wire["right_tensor_id"] for wire in sorted(wires, key=lambda wire: wire["left_tensor_id"])]
        return {
            names[tensor]: tuple(tuple(one) for one in sets.get(names[tensor], [sizes[tensor]]))
            for tensor in order
        }

    return Description(
        path, str(said["version"]), tuple(said["target_platform"]), side("input"), side("output")
    )
