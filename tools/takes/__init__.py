"""Takes: recorded conversations that every change is held against; tests/takes has a folder for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.runner import Emulation
from epsilon.takes.checks import LOCKSTEP

FOLDER = Path(__file__).parent.parent.parent / "tests" / "takes"
COMPARED = ("turn", "user", "replies", "silent", "cut_in")


@dataclass(frozen=True, slots=True)
class Take:
    """A folder of tests/takes: in.wav, script.yaml that made it, about.md, and the reference."""

    folder: Path
    character: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def reference_path(self) -> Path:
        """Where the reference is kept."""
        return self.folder / "reference.json"

    def reference(self) -> dict[str, Any]:
        """What was said and decided when the reference was last renewed."""
        found: dict[str, Any] = json.loads(self.reference_path.read_text(encoding="utf-8"))
        return found

    def emulate(self, pace: str = LOCKSTEP) -> Outcome:
        """Play it to its character on the host board."""
        recording = read_audio(self.folder / "in.wav")
        emulation = Emulation(load_board("host"), load_character(self.character), [recording], pace)
        return emulation.run(lambda news: None)


def takes() -> list[Take]:
    """All takes, by name."""
    return [
        Take(path.parent, yaml.safe_load(path.read_text(encoding="utf-8"))["character"])
        for path in sorted(FOLDER.glob("*/script.yaml"))
    ]


def essence(outcome: Outcome) -> dict[str, Any]:
    """What a reference keeps of an outcome: words, decisions and times, nothing that was measured."""
    conversation = outcome.conversation
    return {
        "character": conversation["character"],
        "turns": [{name: turn[name] for name in COMPARED} for turn in conversation["turns"]],
        "counts": conversation["counts"],
    }
