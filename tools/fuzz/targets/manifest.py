"""Model manifests."""

from __future__ import annotations

from pathlib import Path

from epsilon.config import folders
from epsilon.config.models import read_manifest, render
from tools.fuzz.home import home_with

WORDS = (
    b"files: {}", b"kind: asr", b"engine: ../../x", b"sha256: ", b"size: 0", b"tvm: ", b"pulled/", b"../", b"~", b"*a",
    b"? ", b": ", b"---\n",
)  # fmt: skip


def seeds() -> list[bytes]:
    """The one that ships."""
    return [(folders.root() / "models" / "manifest.yaml").read_bytes()]


def read(data: bytes, folder: Path) -> object:
    """Read it and, where it is good, write it anew."""
    with home_with(folder, "models/manifest.yaml", data):
        return render(read_manifest())
