"""How well shapes learn: what held_out.yaml beside this file says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("held_out.yaml")


@dataclass(frozen=True)
class Loss:
    """Nats a token on held-out dialogues, after so many minutes of training."""

    nats: float
    minutes: float

    def __str__(self) -> str:
        return f"{self.nats:.2f} after {self.minutes:g} min"


def losses(path: Path = FILE) -> dict[str, Loss]:
    """By the shapes' names."""
    noted = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {str(name): Loss(float(one["nats"]), float(one["minutes"])) for name, one in noted.items()}
