"""Character files."""

from __future__ import annotations

from pathlib import Path

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.whole import check_pair
from tools.fuzz.home import home_with

WORDS = (
    b"effects:\n  - name: ", b"moods: {glad: {}}", b"style: ", b"seed: ", b"bias: {\"<silent>\": 3}", b"listen: hello",
    b"&a ", b"*a", b"!!binary ", b"? ", b": ", b"- ", b"\t", b"---\n", b">\n", b"options: {}", b"12 s", b"-200",
)  # fmt: skip


def seeds() -> list[bytes]:
    """All characters that ship."""
    return [path.read_bytes() for path in sorted((folders.root() / "characters").glob("*/character.yaml"))]


def read(data: bytes, folder: Path) -> object:
    """As a toy reads it before it starts."""
    with home_with(folder, "characters/fuzzed/character.yaml", data):
        character = load_character("fuzzed")
        check_pair(load_board("host"), character)
        return character
