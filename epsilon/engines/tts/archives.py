"""The archives in which a voice's styles lie: arrays by name, an .npz under any name."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from epsilon.errors import ModelError


@contextmanager
def opened(path: Path) -> Iterator[Mapping[str, npt.NDArray[Any]]]:
    """The arrays of an archive, each read when it is asked for. ModelError, then too, when the file is damaged."""
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            raise ValueError("it holds one array without a name")
        with found:
            if strange := [name for name in found.zip.namelist() if not name.endswith(".npy")]:
                raise ValueError(f"{strange[0]} in it is no array")
            yield found
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise ModelError(f"cannot be read as styles: {error}", where=str(path)) from error
