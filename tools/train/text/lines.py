"""What people are expected to say to the characters: the asking side of the written scenes and of the intents."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

CHARACTERS = Path("characters")
PHRASINGS = Path("tools/train/mind/phrasings.yaml")
_SEPARATOR = " / "


def plain(text: str) -> str:
    """Lower case, letters and apostrophes only."""
    return " ".join(re.sub(r"[^a-z' ]", " ", text.lower()).split())


def lines_to_characters(characters: Path = CHARACTERS, phrasings: Path = PHRASINGS) -> list[str]:
    """Distinct lines in the order of the files; those with slots to fill are left out."""
    found = list[str]()
    for path in sorted(characters.glob("*/dialogues_written.yaml")):
        for scene in yaml.safe_load(path.read_text())["scenes"]:
            found += [line for said in scene for line in str(said).split(_SEPARATOR)]
    for intents in yaml.safe_load(phrasings.read_text()).values():
        if isinstance(intents, dict):
            found += [line for said in intents.values() for line in str(said).split(_SEPARATOR)]
    return list(dict.fromkeys(plain(line) for line in found if line and "$" not in line and "{" not in line))
