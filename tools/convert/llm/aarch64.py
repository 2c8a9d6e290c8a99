"""An aarch64 Python in build/, run by qemu on another machine: `python -m tools.convert.llm.aarch64`.

It shows that a library compiled for `aarch64` computes what it should; how fast a board is it does not show. From
Debian come the interpreter and its libraries, from the package registry the wheels that the toy needs there, of
apache-tvm the runtime alone: no compiler, as on a board. Nothing outside build/ is written.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from epsilon.errors import EpsilonError, ModelError

ROOT = Path(__file__).parents[3]
BUILD = ROOT / "build" / "aarch64"
DEBIAN, SITE, DONE = BUILD / "debian", BUILD / "site", BUILD / "done"
PYTHON = DEBIAN / "usr/bin/python3.11"
EMULATOR = "qemu-aarch64-static"
SYSTEM_PACKAGES = "qemu-user-static gcc-aarch64-linux-gnu g++-aarch64-linux-gnu"

DEBIAN_PACKAGES = (
    "python3.11-minimal libpython3.11-minimal libpython3.11-stdlib libc6 libgcc-s1 libstdc++6 libcrypt1 zlib1g "
    "libexpat1 libffi8 libbz2-1.0 liblzma5 libssl3 libuuid1"
).split()
WHEELS = (
    "apache-tvm==0.27.0.post1 apache-tvm-ffi==0.1.15.post2 numpy==2.4.6 pyyaml==6.0.3 typing_extensions ml_dtypes"
).split()
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
NOT_NEEDED = "libtvm_compiler"  # 250 MB, which no board needs either


def command(*arguments: str) -> list[str]:
    """What runs Python on aarch64 with these arguments; `environment` belongs to it."""
    emulator = [] if platform.machine() == "aarch64" else [EMULATOR, "-L", str(DEBIAN)]
    return [*emulator, str(PYTHON), *arguments]


def environment() -> dict[str, str]:
    """Where that Python finds its own modules, the wheels and this project."""
    places = os.pathsep.join([str(SITE), str(ROOT)])
    return os.environ | {
        "PYTHONHOME": str(DEBIAN / "usr"),
        "PYTHONPATH": places,
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def missing() -> str:
    """What keeps an aarch64 Python from running here; empty when nothing does."""
    if not DONE.is_file():
        return "python -m tools.convert.llm.aarch64 prepares build/aarch64"
    if platform.machine() != "aarch64" and shutil.which(EMULATOR) is None:
        return f"apt-get install {SYSTEM_PACKAGES}"
    return ""


def prepare() -> None:
    """Fetches and unpacks; a second run finds everything there."""
    if DONE.is_file():
        return
    shutil.rmtree(BUILD, ignore_errors=True)
    fetched = BUILD / "fetched"
    fetched.mkdir(parents=True)
    _fetch_debian(fetched)
    for package in sorted(fetched.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(DEBIAN)])
    choice = [option for name in PLATFORMS for option in ("--platform", name)]
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        "3.11",
    ]
    _run([*pip, "--quiet", *choice, "-d", str(fetched), *WHEELS])
    for wheel in sorted(fetched.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(SITE, [name for name in archive.namelist() if NOT_NEEDED not in name])
    shutil.rmtree(fetched)
    DONE.touch()


def _fetch_debian(folder: Path) -> None:
    """By apt with lists of its own, so that the machine's stay as they are."""
    lists = BUILD / "apt"
    for name in ("lists/partial", "cache/archives/partial"):
        (lists / name).mkdir(parents=True)
    (lists / "status").touch()
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "Dir::State::lists": lists / "lists",
        "Dir::State::status": lists / "status",
        "Dir::Cache": lists / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    options = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
    _run(["apt-get", *options, "-qq", "update"])
    _run(["apt-get", *options, "-qq", "download", *DEBIAN_PACKAGES], folder)
    shutil.rmtree(lists)


def _run(arguments: list[str], folder: Path | None = None) -> None:
    try:
        subprocess.run(arguments, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        hint = "Debian or Ubuntu is needed, for its packages"
        raise ModelError(f"there is no {arguments[0]}", hint=hint) from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr or error.stdout).strip().splitlines()[-1:]
        raise ModelError(f"{arguments[0]} failed: {''.join(reason)}") from error


def main() -> int:
    """Prepares; 0, or 2 after one message."""
    try:
        prepare()
        if missing():
            raise ModelError("an aarch64 Python cannot run here", hint=missing())
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    shown = [*command("-c", "import platform, sys; print(platform.machine(), sys.version.split()[0])")]
    print(subprocess.run(shown, env=environment(), check=True, capture_output=True, text=True).stdout.strip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
