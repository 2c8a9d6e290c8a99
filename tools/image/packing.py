"""The ends of an image: what updates need inside it, the slot record, and the files that are passed on."""

from __future__ import annotations

import json
from pathlib import Path

from epsilon import slots
from epsilon.config.board import Board
from epsilon.config.character import Character
from tools import bundle
from tools.bundle import keys as bundle_keys
from tools.image import root as roots
from tools.image.steps import Steps, whole
from tools.image.wheels import sha256

KEYRING = "keyring.pem"
EXECUTABLE = b"#!"


def prepare_updates(root: Path, board: Board, character: Character, keys: Path) -> None:
    """Whose bundles the toy believes, and what RAUC is told."""
    if not (keys / KEYRING).is_file():
        bundle_keys.make(keys)
    for name, content in bundle.etc(board.name, character.name, keys / KEYRING).items():
        roots.write(root, name, content)
        if content.startswith(EXECUTABLE):
            (root / name).chmod(0o755)


def pack_bundle(root_image: Path, root: Path, keys: Path, out: Path) -> None:
    """The signed update that brings this root to toys that are out there."""
    facts = json.loads((root / "etc/epsilon/image.json").read_text("utf-8"))
    bundle.make(root_image, facts, keys, out)


def slot_record(root_image: Path) -> bytes:
    """The slots partition of a new toy: the same root in both, A first."""
    mark = slots.identity(sha256(root_image))
    return slots.blank(slots.factory(mark, mark))


def compress(image: Path, steps: Steps) -> list[Path]:
    """The image for passing on and its map of used blocks; a flasher writes those alone."""
    packed, blocks = image.with_name(f"{image.name}.zst"), image.with_suffix(".bmap")
    with whole(blocks) as part:
        steps.run(["bmaptool", "create", "-o", part, image])
    with whole(packed) as part:
        steps.run(["zstd", "-q", "-f", "-T2", "-6", image, "-o", part])
    return [packed, blocks]


def write_whole(path: Path, content: bytes) -> None:
    """The file appears when all of it is on the disk."""
    with whole(path) as part:
        part.write_bytes(content)
