"""Debian's packages for any architecture: from the sources that this machine's apt uses, in folders of our own."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tools.image.steps import ImageError, Steps, output

MACHINES = Path("/etc/apt")


def sources(suite: str, etc: Path = MACHINES, chosen: Path | None = None) -> str:
    """The machine's sources of a suite and of its updates, in apt's newer form; ImageError when it has none."""
    if chosen is not None:
        return chosen.read_text(encoding="utf-8")
    release = suite.removesuffix("-backports")
    stanzas = [
        part for path in sorted(etc.glob("sources.list.d/*.sources")) for part in _stanzas(path, release)
    ]
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*.list"))]:
        stanzas += _lines(path, release)
    if not stanzas:
        raise ImageError(
            f"this machine's apt knows no suite '{release}'",
            str(etc),
            "--sources FILE names a file like debian.sources that does",
        )
    if suite != release:
        stanzas.append(_with_suites(stanzas[0], suite))
    return "\n\n".join(stanzas) + "\n"


def _stanzas(path: Path, release: str) -> list[str]:
    """The stanzas of a file in the newer form that have the release, without remarks."""
    text = "\n".join(line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
    stanzas = [part.strip() for part in re.split(r"\n\s*\n", text)]
    return [one for one in stanzas if any(_fits(name, release) for name in _suites(one)) and _on(one)]


def _suites(stanza: str) -> list[str]:
    found = re.search(r"^Suites:(.*)$", stanza, re.MULTILINE)
    return found[1].split() if found else []


def _on(stanza: str) -> bool:
    return not re.search(r"^Enabled:\s*(no|false|0)\b", stanza, re.MULTILINE | re.IGNORECASE)


def _fits(suite: str, release: str) -> bool:
    return suite.split("/")[0] in (release, f"{release}-updates", f"{release}-security")


def _with_suites(stanza: str, suites: str) -> str:
    return re.sub(r"^Suites:.*$", f"Suites: {suites}", stanza, flags=re.MULTILINE)


def _lines(path: Path, release: str) -> list[str]:
    """The lines of a file in the older form that have the release, as stanzas."""
    if not path.is_file():
        return []
    line = re.compile(r"^deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$", re.MULTILINE)
    found = []
    for options, uri, suite, components in line.findall(path.read_text("utf-8")):
        if _fits(suite, release):
            signed = re.search(r"signed-by=(\S+)", options)
            key = f"\nSigned-By: {signed[1]}" if signed else ""
            found.append(f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {components}{key}")
    return found


class Shelf:
    """One architecture's packages, apart from the machine's own: what is fetched stays in the folder."""

    def __init__(self, folder: Path, architecture: str, listed: str, steps: Steps) -> None:
        self.folder, self.steps = folder.resolve(), steps
        for below in ("state/lists/partial", "cache/archives/partial", "etc"):
            (self.folder / below).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "etc" / "debian.sources").write_text(listed, encoding="utf-8")
        settings = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "Dir::State": str(self.folder / "state"),
            "Dir::State::status": str(self.folder / "status"),
            "Dir::Cache": str(self.folder / "cache"),
            "Dir::Etc::sourcelist": os.devnull,
            "Dir::Etc::sourceparts": str(self.folder / "etc"),
            "Acquire::Languages": "none",
        }
        self._config = self.folder / "apt.conf"
        text = "".join(f'{name} "{value}";\n' for name, value in settings.items())
        self._config.write_text(text, encoding="utf-8")
        self._updated = False

    def fetch(self, package: str) -> Path:
        """The newest package of that name, or the one that a metapackage leads to (linux-image-arm64)."""
        wanted = self._real_name(package)
        line = self._apt("apt-cache", "show", "--no-all-versions", wanted)
        name = Path(re.search(r"^Filename: (.+)$", line, re.MULTILINE)[1]).name  # type: ignore[index]
        version = re.search(r"^Version: (.+)$", line, re.MULTILINE)[1]  # type: ignore[index]
        path = self.folder / name.replace(version, version.replace(":", "%3a"))
        if not path.is_file():
            here = 'cd "$0" && exec apt-get download -q "$1"'
            self.steps.run(["sh", "-c", here, self.folder, wanted], APT_CONFIG=str(self._config))
        return path

    def _real_name(self, package: str) -> str:
        """Kernels are named by packages without content, `linux-image-arm64`, that depend on the newest."""
        self._update()
        if not re.match(r"linux-image-\D", package):
            return package
        lines = self._apt("apt-cache", "depends", package).splitlines()
        leads = [line.split(":")[1].strip() for line in lines if line.strip().startswith("Depends:")]
        return next((name for name in leads if re.match(r"linux-image-\d", name)), package)

    def _update(self) -> None:
        if not self._updated:
            self.steps.run(["apt-get", "update", "-q"], APT_CONFIG=str(self._config))
            self._updated = True

    def _apt(self, *command: str) -> str:
        try:
            return output(*command, APT_CONFIG=str(self._config))
        except ImageError as refusal:
            raise ImageError(f"Debian has no package '{command[-1]}'", hint=refusal.message) from refusal
