"""disk_read_only: what the toy is to remember lies where nothing can be written, from its start on."""

from __future__ import annotations

from pathlib import Path

from epsilon.emulation.faults import Fault
from epsilon.emulation.faults import When as Options

__all__ = ["Broken", "Options"]
READ_ONLY = Path("/proc/self/attr/epsilon")  # where the kernel lets nobody make a folder


class Broken(Fault):
    """A partition that was mounted so: it does not become writable while the toy lives."""

    def folder(self, folder: Path) -> Path:
        return READ_ONLY
