"""Board files, among the others that ship."""

from __future__ import annotations

from pathlib import Path

from epsilon.config import folders
from epsilon.config.board import load_board
from tools.fuzz.home import home_with

WORDS = (
    b"extends: host\n", b"extends: fuzzed\n", b"cores: [0, 99]", b"20 ms", b"16 kHz", b"null", b"{}", b"[]", b"~",
    b"&a ", b"*a", b"!!python/object:os.system ", b"? ", b": ", b"- ", b"\t", b"\xef\xbb\xbf", b"---\n", b"<<: ",
)  # fmt: skip


def seeds() -> list[bytes]:
    """All boards that ship."""
    return [path.read_bytes() for path in sorted((folders.root() / "boards").glob("*.yaml"))]


def read(data: bytes, folder: Path) -> object:
    """As `epsilon check --board`."""
    with home_with(folder, "boards/fuzzed.yaml", data):
        return load_board("fuzzed")
