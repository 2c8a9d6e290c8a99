"""The models on disk: `verify` them against their manifests, `list` them, `pull` public ears, `remove` them again."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Any

from epsilon.config import folders
from epsilon.config.models import (
    Model,
    find_row,
    forget,
    manifest_path,
    read_manifest,
    read_pulled,
    remeasured,
    render,
    verify,
)
from epsilon.errors import ModelError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = actions.add_parser("verify", help="check size and checksum of every model file")
    check.set_defaults(act=run_verify)
    listing = actions.add_parser("list", help="name every model, with its kind, engine, size and licence")
    listing.set_defaults(act=run_list)
    fetch = actions.add_parser(
        "pull", help="fetch a public Whisper checkpoint, or take one from a folder, and make ears of it"
    )
    fetch.add_argument(
        "wanted", metavar="NAME|FOLDER", help="distil-small.en, OWNER/NAME on the hub, a folder"
    )
    fetch.add_argument("--name", help="what to call it here (default: the checkpoint's own name)")
    fetch.set_defaults(act=run_pull)
    drop = actions.add_parser("remove", help="delete a model that was fetched")
    drop.add_argument("name", metavar="NAME")
    drop.set_defaults(act=run_remove)
    again = actions.add_parser(
        "manifest", help="print the manifest with the sizes and checksums of the files on disk"
    )
    again.add_argument("--write", action="store_true", help="write it to models/manifest.yaml instead")
    again.set_defaults(act=run_manifest)


def run(chosen: argparse.Namespace) -> int:
    """Do the chosen action."""
    code: int = chosen.act(chosen)
    return code


def run_verify(chosen: argparse.Namespace) -> int:
    """One line a model; every damaged model is named before the exit with code 2."""
    damaged = 0
    for model in read_manifest().values():
        try:
            verify(model)
            print(f"{model.name}: as in the manifest, {_megabytes(model)}")
        except ModelError as mistake:
            damaged += 1
            print(mistake, file=sys.stderr)
    return 2 if damaged else 0


def run_list(chosen: argparse.Namespace) -> int:
    """One line a model."""
    for model in read_manifest().values():
        print(
            f"{model.name}: {model.kind}, {model.engine}, {_megabytes(model)}, {model.licence}; {model.source}"
        )
    return 0


def run_pull(chosen: argparse.Namespace) -> int:
    """Fetch if need be, convert, register. What went wrong is told, and then no model was added."""
    model: Model = _maker().pull(chosen.wanted, chosen.name, _tell)
    print(f"{model.name}: {_megabytes(model)}; `epsilon talk` uses it from now on")
    return 0


def run_remove(chosen: argparse.Namespace) -> int:
    """Only what was fetched can be removed."""
    model = find_row(chosen.name, read_pulled())
    forget(model)
    print(f"{model.name}: removed, {_megabytes(model)} are free again")
    return 0


def run_manifest(chosen: argparse.Namespace) -> int:
    """The rows with the files that are in the models' folders now."""
    text = render(remeasured())
    if chosen.write:
        manifest_path().write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0


def _maker() -> Any:
    """The tool that fetches and converts; it is no part of what a toy has on board."""
    checkout = folders.PACKAGE.parent
    if not (checkout / "tools" / "pull").is_dir():
        raise ModelError("making ears needs a checkout of the repository", hint="models/pulled can be copied")
    if str(checkout) not in sys.path:
        sys.path.append(str(checkout))
    return importlib.import_module("tools.pull")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _megabytes(model: Model) -> str:
    return f"{sum(file.size for file in model.files.values()) / 1e6:.1f} MB"
