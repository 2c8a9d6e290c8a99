"""Weights in safetensors files, memory-mapped, read without any package: one tensor at a time as float32."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from epsilon.errors import ModelError

Array = npt.NDArray[np.float32]

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
KINDS: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
}


@dataclass(frozen=True)
class Place:
    """Where a tensor lies."""

    file: Path
    kind: str
    shape: tuple[int, ...]
    start: int
    end: int


class Weights:
    """The tensors of a folder, of one model.safetensors or of the shards that an index names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places: dict[str, Place] = {}
        for file in _files(folder):
            self._places |= _places(file)

    def shape(self, name: str) -> tuple[int, ...]:
        """The tensor's shape."""
        return self._place(name).shape

    def read(self, name: str, *shape: int) -> Array:
        """The tensor as float32; ModelError when it is not there or not of that shape."""
        place = self._place(name)
        if place.shape != shape:
            what = f"{name} is {list(place.shape)}, config.json means {list(shape)}"
            raise ModelError(what, where=str(place.file))
        if place.kind not in KINDS:
            raise ModelError(
                f"{name} is of the kind {place.kind}; {', '.join(KINDS)} are read", str(place.file)
            )
        count = (place.end - place.start) // KINDS[place.kind].itemsize
        raw = np.memmap(place.file, KINDS[place.kind], "r", place.start, (count,))
        if place.kind == "BF16":  # the upper half of a float32
            return (raw.astype(np.uint32) << 16).view(np.float32).reshape(shape)
        return raw.astype(np.float32).reshape(shape)

    def _place(self, name: str) -> Place:
        if name not in self._places:
            raise ModelError(f"there is no tensor {name}", where=str(self.folder))
        return self._places[name]


def _files(folder: Path) -> list[Path]:
    if (folder / INDEX).is_file():
        names = sorted(
            set(_json((folder / INDEX).read_bytes(), folder / INDEX).get("weight_map", {}).values())
        )
    else:
        names = [SINGLE]
    for name in names:
        if not (folder / name).is_file():
            hint = "weights are read from safetensors files; pytorch_model.bin is not"
            raise ModelError(f"there is no {name}", where=str(folder), hint=hint)
    return [folder / name for name in names]


def _places(file: Path) -> dict[str, Place]:
    """The header: its length in 8 bytes, then JSON with the offsets that follow it."""
    total = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length <= total - 8:
            raise ModelError("is no safetensors file", where=str(file), hint="damaged or unfinished")
        header = _json(stream.read(length), file)
    header.pop("__metadata__", None)
    places = {}
    for name, entry in header.items():
        start, end = (8 + length + int(offset) for offset in entry["data_offsets"])
        if end > total:
            raise ModelError(f"ends before {name} does", where=str(file), hint="damaged or unfinished")
        places[name] = Place(file, str(entry["dtype"]), tuple(map(int, entry["shape"])), start, end)
    return places


def _json(text: bytes, file: Path) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ModelError(f"its header is no JSON: {error}", str(file), "damaged or unfinished") from error
    if not isinstance(values, dict):
        raise ModelError("should hold names and values", where=str(file))
    return values
