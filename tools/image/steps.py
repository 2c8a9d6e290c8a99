"""How the building of an image says what it does, and runs the programs that do it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from epsilon.errors import EpsilonError

LAST_LINES = 5  # of a failed program's output that are shown; the rest is in the log


class ImageError(EpsilonError):
    """The image cannot be built from what is there."""


class Steps:
    """Counts the steps, says each with its time, and keeps what the programs print in a log."""

    def __init__(self, count: int, log: Path) -> None:
        self.count, self.log = count, log
        self._at = 0
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[list[str]]:
        """One step; what is put into the list stands behind it when it is done."""
        self._at += 1
        remarks: list[str] = []
        began_s = time.monotonic()
        print(f"[{self._at}/{self.count}] {what} …", flush=True)
        yield remarks
        remarks.append(f"{time.monotonic() - began_s:.1f} s")
        print(f"[{self._at}/{self.count}] {what}: {', '.join(remarks)}", flush=True)

    def run(self, command: Sequence[str | Path], **environment: str) -> None:
        """Run a program; ImageError with the end of its output when it fails."""
        with self.log.open("ab") as log:
            log.write(f"$ {' '.join(map(str, command))}\n".encode())
            log.flush()
            start = log.tell()
            try:
                done = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, **environment})
            except FileNotFoundError as missing:
                raise absent(str(command[0])) from missing
        if done.returncode:
            with self.log.open("rb") as log:
                log.seek(start)
                said = log.read().decode(errors="replace").strip().splitlines()[-LAST_LINES:]
            raise ImageError(
                f"{command[0]} ended with code {done.returncode}: {' | '.join(said)}", str(self.log)
            )


def absent(program: str) -> ImageError:
    """A program that building needs is not installed."""
    return ImageError(f"there is no program '{program}'", hint="tools/system_packages image")


def output(*command: str | Path, **environment: str) -> str:
    """What a program prints; ImageError when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    except FileNotFoundError as missing:
        raise absent(str(command[0])) from missing
    if done.returncode:
        raise ImageError(f"{command[0]} ended with code {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def fresh(folder: Path) -> Path:
    """The folder, new and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name to write to; the file gets its own name when all of it is on the disk, and not before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
