"""What is in an image: a CycloneDX bill of materials and the list of licences."""

from __future__ import annotations

import datetime
import email.parser
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from epsilon.config.models import Model
from tools.image.base import EPOCH, Package
from tools.image.disk import NAMESPACE

SEE_TEXT = "see the text below"


@dataclass(frozen=True)
class Item:
    """One thing in the image."""

    kind: str  # as CycloneDX calls it: library, application, machine-learning-model, firmware
    name: str
    version: str
    licence: str
    purl: str = ""
    hashes: tuple[str, ...] = ()
    source: str = ""
    text: str = field(default="", repr=False)


def debian(packages: Sequence[Package], root: Path, architecture: str) -> list[Item]:
    """The Debian packages, with the copyright files that the root still has."""
    return [
        Item(
            "library",
            package.name,
            package.version,
            debian_licence(text := _copyright(root, package.name)),
            f"pkg:deb/debian/{package.name}@{package.version}?arch={architecture}",
            source=f"Debian source package {package.source}",
            text=text,
        )
        for package in packages
    ]


def _copyright(root: Path, name: str) -> str:
    path = root / "usr/share/doc" / name / "copyright"
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def debian_licence(text: str) -> str:
    """The names of the licences in a copyright file of the machine-readable kind."""
    if not text.startswith("Format:"):
        return SEE_TEXT
    names = dict.fromkeys(re.findall(r"^License: *(\S[^\n]*)$", text, re.MULTILINE))
    return ", ".join(names) or SEE_TEXT


def python(site: Path, locked: dict[str, str]) -> list[Item]:
    """The packages in a folder of wheels, with the checksums they were locked by."""
    items = []
    for folder in sorted(site.glob("*.dist-info")):
        about = email.parser.Parser().parsestr((folder / "METADATA").read_text("utf-8"))
        name, version = about["Name"], about["Version"]
        line = locked.get(f"{name}=={version}".lower(), "")
        texts = [
            path
            for path in sorted(folder.rglob("*"))
            if re.match(r"licen[cs]e|copying|notice", path.name, re.I)
        ]
        items.append(
            Item(
                "library",
                name,
                version,
                python_licence(about),
                f"pkg:pypi/{name.lower().replace('_', '-')}@{version}",
                tuple(re.findall(r"sha256:(\w+)", line)),
                text="\n".join(path.read_text("utf-8", errors="replace") for path in texts if path.is_file()),
            )
        )
    return items


def python_licence(about: Any) -> str:
    """What a package's metadata says: an expression, a short line, or its classifiers."""
    said = about["License-Expression"] or about["License"] or ""
    if said and "\n" not in said.strip():
        return said.strip()
    classified = [
        one.rpartition(":: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License ::")
    ]
    return ", ".join(classified) or SEE_TEXT


def models(used: Sequence[Model]) -> list[Item]:
    """The models, each with one checksum over its files."""
    return [
        Item(
            "machine-learning-model",
            model.name,
            model.sha256[:12],
            model.licence,
            hashes=tuple(file.sha256 for file in model.files.values()),
            source=model.source,
        )
        for model in used
    ]


def cyclonedx(image: str, version: str, items: Sequence[Item]) -> str:
    """The bill of materials; the same items give the same text."""
    when = datetime.datetime.fromtimestamp(int(EPOCH), datetime.UTC).isoformat()
    components = [_component(item) for item in items]
    number = uuid.uuid5(NAMESPACE, json.dumps(components, sort_keys=True))
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {
            "timestamp": when,
            "component": {"type": "operating-system", "name": image, "version": version, "bom-ref": image},
        },
        "components": components,
    }
    return json.dumps(bill, indent=1) + "\n"


def _component(item: Item) -> dict[str, Any]:
    reference = item.purl or f"{item.kind}/{item.name}@{item.version}"
    component: dict[str, Any] = {
        "type": item.kind,
        "bom-ref": reference,
        "name": item.name,
        "version": item.version,
    }
    if item.purl:
        component["purl"] = item.purl
    if item.source:
        component["description"] = item.source
    if item.licence != SEE_TEXT:
        component["licenses"] = [{"license": {"name": item.licence}}]
    if len(item.hashes) == 1:
        component["hashes"] = [{"alg": "SHA-256", "content": item.hashes[0]}]
    elif item.hashes:
        component["components"] = [
            {"type": "file", "name": f"{item.name}[{index}]", "hashes": [{"alg": "SHA-256", "content": one}]}
            for index, one in enumerate(item.hashes)
        ]
    return component


def licences(image: str, items: Sequence[Item]) -> str:
    """For people: a line for each, then every text, each once."""
    lines = [f"Licences of what is in the image {image}", ""]
    lines += [
        f"{item.name} {item.version}: {item.licence}" + (f" ({item.source})" if item.source else "")
        for item in items
    ]
    texts: dict[str, list[str]] = {}
    for item in items:
        if item.text.strip():
            texts.setdefault(item.text.strip(), []).append(item.name)
    for text, names in texts.items():
        lines += ["", "=" * 78, ", ".join(names), "=" * 78, text]
    return "\n".join(lines) + "\n"
