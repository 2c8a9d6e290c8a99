"""Signed update bundles for toys: `make` packs a root image, `etc` is what a root image needs to accept them.

The bundle is RAUC's, in its verity format. Its manifest names the board and the character (a toy takes no bundle of
another), the version, and the kernel, which lies outside the slots and cannot be updated this way.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from epsilon.updates.bundle import BUILD, COMPATIBLE, IMAGE, UpdateError
from epsilon.updates.fit import older
from epsilon.updates.installing import CONF

MANIFEST = """\
[update]
compatible={compatible}
version={version}
build={build}

[bundle]
format=verity

[image.{image}]
filename={image}.img
"""

# What RAUC on the toy is told. `epsilon update` reads it for the keyring and the refusal of unsigned formats; the rest
# makes `rauc status` and RAUC's own tools see the same slots.
SYSTEM_CONF = """\
[system]
compatible={compatible}
bootloader=custom
bundle-formats=-plain

[keyring]
path=keyring.pem
check-purpose=smimesign

[handlers]
bootloader-custom-backend=/usr/lib/epsilon/slots

[slot.rootfs.0]
device=/dev/epsilon/root_a
type=raw
bootname=a

[slot.rootfs.1]
device=/dev/epsilon/root_b
type=raw
bootname=b
"""

BACKEND = """\
#!/bin/sh
# What RAUC calls to ask and tell which slot starts.
PYTHONPATH=/opt/epsilon exec /usr/bin/python3 -m epsilon.slots "$@"
"""


def compatible(board: str, character: str) -> str:
    """What a toy and its bundles call themselves."""
    return COMPATIBLE.format(board=board, character=character)


def etc(board: str, character: str, keyring: Path) -> dict[str, bytes]:
    """The files that a root image needs for updates, by their path in it; what begins with #! is a program."""
    if b"-----BEGIN CERTIFICATE-----" not in keyring.read_bytes():
        raise UpdateError("holds no certificate", str(keyring), "a toy with it would take no update at all")
    return {
        CONF: SYSTEM_CONF.format(compatible=compatible(board, character)).encode(),
        "etc/rauc/keyring.pem": keyring.read_bytes(),
        "usr/lib/epsilon/slots": BACKEND.encode(),
    }


def make(root_image: Path, facts: Mapping[str, str], keys: Path, out: Path) -> None:
    """Pack and sign a root image; `facts` are those of its image.json, `keys` a folder that `keys.make` made."""
    text = _manifest(facts)
    if not root_image.is_file():
        raise UpdateError("there is no such image", str(root_image))
    for name in ("update.pem", "update.key", "keyring.pem"):
        if not (keys / name).is_file():
            raise UpdateError(f"holds no {name}", str(keys), "python -m tools.bundle keys FOLDER makes keys")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        content, part = Path(scratch) / "content", Path(scratch) / out.name
        content.mkdir()
        _link_or_copy(root_image, content / f"{IMAGE}.img")
        (content / "manifest.raucm").write_text(text, encoding="utf-8")
        _rauc("bundle", *_signing(keys), str(content), str(part))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(out)


def _manifest(facts: Mapping[str, str]) -> str:
    wanted = ("board", "character", "version", "kernel")
    for name in wanted:
        if not re.fullmatch(r"[\w.+-]+", facts.get(name, "")):
            raise UpdateError(f"the image's {name} '{facts.get(name, '')}' cannot be written into a manifest")
    older(facts["version"], facts["version"])  # refuses what is no version
    return MANIFEST.format(
        compatible=compatible(facts["board"], facts["character"]),
        version=facts["version"],
        build=BUILD.format(kernel=facts["kernel"]),
        image=IMAGE,
    )


def _signing(keys: Path) -> list[str]:
    return [
        f"--cert={keys / 'update.pem'}",
        f"--key={keys / 'update.key'}",
        f"--keyring={keys / 'keyring.pem'}",
    ]


def _link_or_copy(image: Path, to: Path) -> None:
    try:
        to.hardlink_to(image)
    except OSError:  # on another file system
        shutil.copyfile(image, to)


def _rauc(*arguments: str) -> None:
    try:
        done = subprocess.run(["rauc", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as absent:
        raise UpdateError("rauc is not installed", hint="tools/system_packages image") from absent
    if done.returncode:
        raise UpdateError(f"rauc made no bundle: {done.stderr.strip().splitlines()[-1:]}")
