"""Python packages for a board's architecture: fetched once as wheels, each by the checksum in a lock file."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from epsilon.config.board import Board
from tools.image.steps import ImageError, Steps, fresh

ROOT = Path(__file__).parent.parent.parent
LOCK = ROOT / "requirements.lock"
PYTHON = "3.11"  # Debian bookworm's
GLIBC = 36  # of bookworm: 2.36, so wheels for any glibc up to it
CPUS = {"amd64": "x86_64", "arm64": "aarch64"}
# What only some boards need, by what asks for it
BY_RUNTIME = {
    "openvino": ("openvino==2026.4.1",),
    "mlc": ("apache-tvm==0.27.0.post1", "apache-tvm-ffi==0.1.15.post2", "ml_dtypes==0.6.0"),
}
BY_HARDWARE = {"gpio": ("lgpio==0.2.2.0",)}
BY_ENGINE = {"pocketsphinx": "pocketsphinx"}  # recogniser: its package, which holds a model of 30 MB
AT_A_DESK = ("rich",)  # of the lock file, what is only for who sits at a terminal
UNUSED = re.compile(  # what only makers of software import
    r"(^|/)(tests|include|_pyinstaller|f2py)/|^onnxruntime/(quantization|tools|transformers|datasets|backend)/|\.pyi$"
)


def wanted(board: Board) -> list[str]:
    """What the board's toy imports, as NAME==VERSION."""
    runtimes = {settings.runtime for settings in board.stages.values()} | {board.turn.runtime}
    extra = [name for runtime in sorted(filter(None, runtimes)) for name in BY_RUNTIME.get(runtime, ())]
    engines = {settings.engine for settings in board.stages.values()}
    absent = {package for engine, package in BY_ENGINE.items() if engine not in engines}
    always = [name for name in _always() if name.partition("==")[0] not in absent]
    return [*always, *extra, *BY_HARDWARE.get(board.body.hardware, ())]


def everything() -> list[str]:
    """What any board may need."""
    some = [name for names in (*BY_RUNTIME.values(), *BY_HARDWARE.values()) for name in names]
    return [*_always(), *some]


def _always() -> list[str]:
    lines = [line for line in LOCK.read_text("utf-8").splitlines() if "==" in line]
    return [line for line in lines if not line.startswith("#") and line.split("==")[0] not in AT_A_DESK]


def lock_path(architecture: str) -> Path:
    """Where the checksums are."""
    return Path(__file__).parent / f"wheels-{architecture}.lock"


def read_lock(text: str) -> dict[str, str]:
    """The line of each package, by NAME==VERSION in lower case."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.split()[0].lower(): line for line in lines}


def fetch(architecture: str, names: Iterable[str], cache: Path, steps: Steps) -> list[Path]:
    """The wheels of these packages, each with the checksum that its lock line says."""
    path = lock_path(architecture)
    locked = read_lock(path.read_text("utf-8")) if path.is_file() else {}
    missing = [name for name in names if name.lower() not in locked]
    if missing:
        raise ImageError(
            f"no checksum for {', '.join(missing)}", path.name, f"python -m tools.image --lock {architecture}"
        )
    lines = [locked[name.lower()] for name in names]
    here = cache / "wheels" / architecture
    here.mkdir(parents=True, exist_ok=True)
    found = [_kept(here, line) for line in lines]
    if None in found:
        rows = here / "wanted.txt"
        rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
        steps.run([*_pip(architecture, here), "--require-hashes", "-r", rows])
        found = [_kept(here, line) for line in lines]
    return [path for path in found if path is not None]


def _pip(architecture: str, folder: Path) -> list[str | Path]:
    cpu = CPUS[architecture]
    tags = [f"manylinux_2_{minor}_{cpu}" for minor in range(GLIBC, 4, -1)]
    tags += [f"manylinux{age}_{cpu}" for age in ("2014", "2010", "1")]
    platforms = [word for tag in tags for word in ("--platform", tag)]
    abis = ["--abi", "cp311", "--abi", "abi3", "--abi", "none"]
    return [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"),
        *("--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp", *abis, *platforms),
        *("--dest", folder),
    ]


def _kept(folder: Path, line: str) -> Path | None:
    """The wheel of a lock line, if it is there and whole."""
    name, version = line.split()[0].split("==")
    sums = re.findall(r"--hash=sha256:(\w+)", line)
    stem = re.sub(r"[-_.]+", "_", name).lower()
    for path in sorted(folder.glob("*.whl")):
        project, found = path.name.split("-")[:2]
        if re.sub(r"[-_.]+", "_", project).lower() == stem and found == version and sha256(path) in sums:
            return path
    return None


def sha256(path: Path) -> str:
    """A file's checksum."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock(architecture: str, cache: Path, steps: Steps) -> str:
    """A new lock file's text: fetches the wheels of every package that a board may need."""
    names = everything()
    folder = fresh(cache / "wheels" / f"{architecture}-unlocked")
    rows = folder / "wanted.txt"
    rows.write_text("\n".join(names) + "\n", encoding="utf-8")
    steps.run([*_pip(architecture, folder), "-r", rows])
    head = f"# The wheels of an image for {architecture}; `python -m tools.image --lock` writes this anew.\n"
    lines = []
    for name in names:
        project, _ = name.split("==")
        stem = re.sub(r"[-_.]+", "_", project).lower()
        (path,) = [
            path
            for path in folder.glob("*.whl")
            if re.sub(r"[-_.]+", "_", path.name.split("-")[0]).lower() == stem
        ]
        lines.append(f"{name} --hash=sha256:{sha256(path)}\n")
    shutil.rmtree(folder)
    return head + "".join(lines)


def unpack(wheels: Iterable[Path], site: Path) -> None:
    """Install wheels into a folder of packages: their files, their own metadata, no scripts."""
    site.mkdir(parents=True, exist_ok=True)
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            for member in wheel.infolist():
                target = _place(member.filename)
                if target is not None and not member.is_dir():
                    file = site / target
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(wheel.read(member))
                    file.chmod(0o644)


def _place(name: str) -> str | None:
    """Where a wheel's file goes; None for what a toy does not need."""
    parts = name.split("/")
    if parts[0].endswith(".data"):
        if parts[1] not in ("purelib", "platlib"):
            return None
        parts = parts[2:]
    target = "/".join(parts)
    return None if UNUSED.search(target) or ".." in parts or target.startswith("/") else target
