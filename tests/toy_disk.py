"""A toy's slots as files in a folder, keys, and bundles for it: what tests of updates install into."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from epsilon import slots
from epsilon.updates.installing import FACTS as FACTS_FILE
from epsilon.updates.installing import Places
from tools import bundle
from tools.bundle import keys

FACTS = {"board": "qemu-x86", "character": "bram", "version": "1.2.0", "kernel": "6.1.0-56-amd64"}
IMAGE_BYTES = 300_000  # made up, not a file system: nothing here mounts it
SLOT_BYTES = 400_000
OLD, STALE = "a" * 16, "b" * 16


def made_up_image(seed: int, size: int = IMAGE_BYTES) -> bytes:
    """Bytes that stand for a root image."""
    return random.Random(seed).randbytes(size)


@dataclass
class ToyDisk:
    """A toy that runs from slot a, which has proved itself; slot b holds something older."""

    folder: Path
    facts: dict[str, str] = field(default_factory=lambda: dict(FACTS))

    def __post_init__(self) -> None:
        self.root, self.keys = self.folder / "toy", self.folder / "keys"
        if not self.keys.exists():
            keys.make(self.keys)
        self.places = Places.on(self.root)
        self.devices = self.places.devices
        self.devices.mkdir(parents=True)
        (self.devices / "root_a").write_bytes(made_up_image(1).ljust(SLOT_BYTES, b"\0"))
        (self.devices / "root_b").write_bytes(made_up_image(2).ljust(SLOT_BYTES, b"\0"))
        (self.devices / "running").symlink_to("root_a")
        self.set_record(slots.good(slots.factory(OLD, STALE), "a"))
        files = bundle.etc(self.facts["board"], self.facts["character"], self.keys / "keyring.pem")
        files[FACTS_FILE] = json.dumps(self.facts).encode()
        for name, content in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(content)

    def set_record(self, record: slots.Record) -> None:
        """What the slot record says."""
        (self.devices / "slots").write_bytes(slots.blank(record))

    def record(self) -> slots.Record:
        """What it says now."""
        record = slots.read(self.devices / "slots")
        assert record is not None
        return record

    def bundle(
        self,
        name: str = "new",
        *,
        seed: int = 3,
        size: int = IMAGE_BYTES,
        version: str = "1.3.0",
        **facts: str,
    ) -> Path:
        """A good bundle for this toy, of a newer version unless `facts` say otherwise."""
        path = self.folder / f"{name}.squashfs"
        path.write_bytes(made_up_image(seed, size))
        out = self.folder / f"{name}.raucb"
        bundle.make(path, self.facts | {"version": version} | facts, self.keys, out)
        return out
