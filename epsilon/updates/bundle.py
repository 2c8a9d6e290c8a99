"""A signed bundle (RAUC, verity format): what its manifest says, and what is in it once all of it has been checked.

`rauc info` checks the signature over the manifest alone and accepts a damaged image; only unpacking reads every block.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsilon.errors import EpsilonError

IMAGE = "rootfs"  # the manifest's name of the one image
COMPATIBLE = "epsilon {board} {character}"  # what RAUC compares, as a whole
BUILD = "kernel {kernel}"
RAUC = "rauc"
# What RAUC says, and what that means for whoever holds the stick.
MEANINGS = {
    "the bundle is damaged": r"payload is corrupted|root hash|bundle payload|squashfs",
    "the bundle is cut short, or none at all": r"[Ss]ignature size|bundle size|seek to end",
    "the bundle is signed with another key": r"self.signed certificate|unable to get|[Vv]erify error",
    "the bundle's signature is damaged": r"[Ii]nvalid signature|signature verification|asn1|ASN1|CMS|digest|too long",
    "the bundle is of a kind that is not accepted": r"[Ff]ormat .* not allowed",
    "there is no room to unpack it": r"No space",
}


class UpdateError(EpsilonError):
    """A bundle is not taken, or could not be installed."""


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest is signed by a known key. What is in it has not been looked at yet."""

    path: Path
    compatible: str
    version: str
    kernel: str
    sha256: str
    size: int


def inspect(path: Path, conf: Path) -> Bundle:
    """The bundle's manifest, when it is signed by a key of the keyring."""
    if not path.is_file():
        raise UpdateError("there is no such bundle", str(path))
    said = _rauc(path, "info", f"--conf={conf}", "--output-format=json", str(path))
    try:
        return _read(path, json.loads(said[said.index("{") :]))
    except (ValueError, KeyError, TypeError, AttributeError) as mistake:
        raise UpdateError(f"holds no image of a toy: {mistake}", str(path)) from mistake


def _read(path: Path, manifest: dict[str, Any]) -> Bundle:
    image = {name: facts for entry in manifest["images"] for name, facts in entry.items()}[IMAGE]
    checksum = str(image["checksum"])
    if not re.fullmatch(r"[0-9a-f]{64}", checksum):
        raise ValueError("its image has no checksum")
    kernel = str(manifest.get("build") or "").removeprefix(BUILD.format(kernel=""))
    return Bundle(
        path, str(manifest["compatible"]), str(manifest["version"]), kernel, checksum, int(image["size"])
    )


def unpack(bundle: Bundle, folder: Path, conf: Path) -> Path:
    """The image in the bundle, in a new folder; every block of the bundle has been checked before it appears."""
    _rauc(bundle.path, "extract", f"--conf={conf}", str(bundle.path), str(folder))
    image = folder / f"{IMAGE}.img"
    if not image.is_file():
        raise UpdateError("holds no image of a toy", str(bundle.path))
    return image


def _rauc(path: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [RAUC, *arguments], capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError as absent:
        raise UpdateError(
            "rauc, which checks bundles, is not installed", hint="apt install rauc squashfs-tools"
        ) from absent
    if done.returncode:
        raise UpdateError(meaning(done.stderr + done.stdout), str(path), _last_line(done.stderr))
    return done.stdout


def meaning(said: str) -> str:
    """What RAUC's words mean to the person with the stick."""
    found = [words for words, pattern in MEANINGS.items() if re.search(pattern, said)]
    return found[0] if found else "the bundle is refused"


def _last_line(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return f"rauc: {lines[-1].strip()}" if lines else ""
