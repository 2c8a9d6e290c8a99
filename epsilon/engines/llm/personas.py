"""Personas baked in: what the model remembers of a character's prefix, stored beside it and mapped at start."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from epsilon.config.models import Model
from epsilon.engines.facts import Facts

FOLDER = "personas"  # in the model's folder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a character's persona is kept for one model on one runtime."""

    model: Model
    runtime: str
    character: str

    @property
    def array(self) -> Path:
        """The array, as the runtime's decoder stores it."""
        return self.model.folder / FOLDER / f"{self.character}.{self.runtime}.npy"

    @property
    def facts(self) -> Path:
        """Of which model and which tokens it is."""
        return self.array.with_suffix(".yaml")

    def load(self, ids: Sequence[int]) -> Any | None:
        """The array as a memory map; None, said once, when there is none or it is of other tokens or weights."""
        if not (self.array.is_file() and self.facts.is_file()):
            return None
        facts = Facts(self.facts)
        if facts.text("model") != self.model.sha256 or facts.wholes("ids") != tuple(ids):
            log.warning("the baked persona of %s is out of date: `make personas`", self.character)
            return None
        return np.load(self.array, mmap_mode="r")

    def save(self, ids: Sequence[int], stored: Any) -> None:
        """Keep the array; the facts come last, so that a half-written one is never loaded."""
        self.array.parent.mkdir(exist_ok=True)
        self.facts.unlink(missing_ok=True)
        np.save(self.array, stored)
        facts = {"model": self.model.sha256, "ids": [int(token) for token in ids]}
        self.facts.write_text(yaml.safe_dump(facts, default_flow_style=None, width=110), encoding="utf-8")
