"""The files of a Kokoro-type voice as they are published: one graph, and style vectors in one file or many.

Styles are tables [rows, 256]: row n - 1 is for n symbols. They lie in an .npz under any name (voices-v1.0.bin is
one) or, a voice a file, as raw float32 in NAME.bin; in the folder itself or in its folder voices/. The graph is
the only .onnx, in the folder or in its folder onnx/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from epsilon.engines.tts.archives import opened
from epsilon.errors import ModelError

Table = npt.NDArray[np.float32]

STYLE_SIZE = 256
FRONT, METER, VOCODER, WINDOWS = "front.onnx", "meter.onnx", "vocoder.onnx", "windows.yaml"
ZIP = b"PK"  # what an .npz begins with, whatever it is called
CUT = (FRONT, METER, VOCODER)
"""What `tools.convert.voice` adds; with these a voice is spoken window by window."""


def graph_path(folder: Path) -> Path:
    """The published graph. ModelError when there is none, or more than one to choose from."""
    found = [path for below in (folder, folder / "onnx") for path in sorted(below.glob("*.onnx"))]
    found = [path for path in found if path.name not in CUT]
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ModelError(f"a Kokoro-type voice has one graph here, found {names}", where=str(folder))
    return found[0]


def is_cut(folder: Path) -> bool:
    """Whether the voice can be spoken window by window."""
    return all((folder / name).exists() for name in (*CUT, WINDOWS))


def style_names(folder: Path) -> list[str]:
    """The names of the voices, without reading their tables."""
    return sorted({name for path in _voice_files(folder) for name, _ in _tables(path, only_names=True)})


def read_styles(folder: Path) -> dict[str, Table]:
    """Tables [rows, 256] by name. ModelError when a file is damaged or there is none."""
    found = {name: table for path in _voice_files(folder) for name, table in _tables(path)}
    if not found:
        raise ModelError("there is no file of styles (.npz or .bin)", where=str(folder))
    return found


def _voice_files(folder: Path) -> Iterator[Path]:
    for below in (folder, folder / "voices"):
        for path in sorted(below.glob("*")):
            if path.suffix in (".npz", ".bin"):
                yield path


def _tables(path: Path, only_names: bool = False) -> Iterator[tuple[str, Table]]:
    """Of a file; with `only_names` the tables are empty."""
    nothing = np.zeros((0, STYLE_SIZE), np.float32)
    if _is_raw(path):
        yield path.stem, nothing if only_names else _shaped(np.fromfile(path, np.float32), path)
        return
    with opened(path) as voices:
        for name in voices:
            yield name, nothing if only_names else _shaped(voices[name], path)


def _is_raw(path: Path) -> bool:
    """Whether a file is one table without a name."""
    if path.suffix == ".npz":
        return False
    try:
        with path.open("rb") as file:
            return file.read(len(ZIP)) != ZIP
    except OSError as error:
        raise ModelError(f"cannot be read as styles: {error.strerror}", where=str(path)) from error


def _shaped(table: npt.NDArray[np.generic], path: Path) -> Table:
    if not table.size or table.size % STYLE_SIZE:
        raise ModelError(f"should hold rows of {STYLE_SIZE} numbers, has {table.size}", where=str(path))
    return table.astype(np.float32).reshape(-1, STYLE_SIZE)
