"""The Debian below the toy: a small system as a tar, made once for each architecture and kept in build/image."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tools.image.steps import ImageError, Steps, whole

BINFMT = Path("/proc/sys/fs/binfmt_misc")
EMULATORS = {"arm64": "qemu-aarch64", "amd64": "qemu-x86_64"}
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
EPOCH = "1700000000"  # every time stamp of an image: so that building it twice gives the same bytes
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "udev",
    "dbus-broker",
    "python3",
    "libgomp1",
    "libstdc++6",
    "kmod",
    "mount",
    "e2fsprogs",
    "alsa-utils",
    "libasound2",
    "libportaudio2",
    "busybox-static",  # the program inside the initrd
    "squashfs-tools",  # `rauc extract` needs it
    "rauc",
)
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
KEPT = ("/usr/share/doc/*/copyright",)


@dataclass(frozen=True)
class Base:
    """What of Debian an image begins with."""

    architecture: str
    suite: str
    packages: tuple[str, ...] = ()

    @property
    def all_packages(self) -> list[str]:
        """Every package asked for by name, each once."""
        return sorted({*PACKAGES, *self.packages})

    def inputs(self) -> str:
        """What the tar depends on, but for the state of Debian's archive."""
        parts = {"packages": self.all_packages, "left out": LEFT_OUT, "kept": KEPT, "suite": self.suite}
        return json.dumps(parts, indent=1) + "\n"


def base_tar(base: Base, cache: Path, listed: str, steps: Steps) -> Path:
    """The tar, from the cache where it was made of the same inputs."""
    extra = "-" + "-".join(sorted(base.packages)) if base.packages else ""
    tar = cache / f"base-{base.suite}-{base.architecture}{extra}.tar"
    inputs = tar.with_suffix(".inputs")
    if tar.is_file() and inputs.is_file() and inputs.read_text("utf-8") == base.inputs():
        return tar
    demand_emulator(base.architecture)
    cache.mkdir(parents=True, exist_ok=True)
    sources = cache / f"{base.suite}.sources"
    sources.write_text(listed, encoding="utf-8")
    with whole(tar) as part:
        steps.run(_command(base, part, sources), SOURCE_DATE_EPOCH=EPOCH)
    inputs.write_text(base.inputs(), encoding="utf-8")
    return tar


def _command(base: Base, tar: Path, sources: Path) -> list[str | Path]:
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    included = [f"--dpkgopt=path-include={pattern}" for pattern in KEPT]
    return [
        "mmdebstrap",
        "--variant=minbase",
        "--mode=auto",
        "--format=tar",
        f"--architectures={base.architecture}",
        f"--include={','.join(base.all_packages)}",
        *excluded,
        *included,
        '--aptopt=Acquire::Languages "none"',
        base.suite,
        tar,
        sources,
    ]


def demand_emulator(architecture: str, machine: str = "", binfmt: Path = BINFMT) -> None:
    """Debian's own scripts run in the new system: on another architecture the kernel must know the emulator."""
    import platform

    emulator = EMULATORS.get(architecture)
    if emulator is None:
        raise ImageError(f"no image for the architecture '{architecture}': amd64 or arm64")
    if MACHINES.get(machine or platform.machine()) == architecture or (binfmt / emulator).is_file():
        return
    mount = "" if (binfmt / "status").is_file() else f"mount -t binfmt_misc none {binfmt}; "
    raise ImageError(
        f"this machine cannot run programs for {architecture}",
        str(binfmt),
        f"as root: {mount}update-binfmts --enable {emulator}, or reinstall qemu-user-static",
    )


@dataclass(frozen=True)
class Package:
    """An installed Debian package."""

    name: str
    version: str
    source: str


def installed(status: str) -> list[Package]:
    """The packages of a dpkg status file, by name."""
    found = []
    for stanza in status.split("\n\n"):
        fields: dict[str, str] = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            source = fields.get("Source", fields["Package"]).partition(" ")[0]
            found.append(Package(fields["Package"], fields["Version"], source))
    return sorted(found, key=lambda package: package.name)


def installed_in(tar: Path) -> list[Package]:
    """The packages of a base tar."""
    with tarfile.open(tar) as archive:
        for member in archive:
            if member.name.endswith("var/lib/dpkg/status"):
                content = archive.extractfile(member)
                assert content is not None
                return installed(content.read().decode())
    raise ImageError("holds no dpkg status", str(tar), "delete it; it is made anew")


def lock_path(architecture: str) -> Path:
    """Where the versions that were last looked at are written down."""
    return Path(__file__).parent / f"debian-{architecture}.lock"


def moved(packages: list[Package], lock: str) -> list[str]:
    """Which versions are not those of a lock file, in words."""
    wanted = dict(line.split() for line in lock.splitlines() if line and not line.startswith("#"))
    found = {package.name: package.version for package in packages}
    return [
        f"{name}: {found.get(name, 'absent')}, locked {wanted.get(name, 'nowhere')}"
        for name in sorted(wanted.keys() | found.keys())
        if found.get(name) != wanted.get(name)
    ]


def render_lock(packages: list[Package]) -> str:
    """A lock file's text."""
    head = (
        "# Debian's packages in the last image looked at; `python -m tools.image --lock` writes this anew.\n"
    )
    return head + "".join(f"{package.name} {package.version}\n" for package in packages)
