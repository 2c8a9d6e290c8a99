"""What training runs have in common: a checkpoint that is whole or not there, and a log for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch


def store(state: Mapping[str, Any], path: Path) -> None:
    """Write a checkpoint under its final name only when it is whole."""
    part = path.with_suffix(".part")
    torch.save(dict(state), part)
    part.replace(path)


def load_network(checkpoint: Path, build: Callable[[dict[str, Any]], Any]) -> Any:
    """The network of a checkpoint, in evaluation mode; `build` makes an untrained one of its `shape`."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = build(state["shape"])
    network.load_state_dict(state["model"])
    return network.eval()


def log(folder: Path, elapsed_s: float, line: str) -> None:
    """Print a line with the time of day and that of the run, and append it to the run's log.txt."""
    line = f"{time.strftime('%H:%M:%S')} {elapsed_s / 60:5.1f} min  {line}"
    print(line, flush=True)
    with (folder / "log.txt").open("a") as file:
        file.write(line + "\n")
