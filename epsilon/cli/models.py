"""The models on disk: `verify` compares them with models/manifest.yaml, `manifest` prints their rows anew."""

from __future__ import annotations

import argparse
import sys

from epsilon.config.models import manifest_path, read_manifest, remeasured, render, verify
from epsilon.errors import ModelError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = actions.add_parser("verify", help="check size and checksum of every model file")
    check.set_defaults(act=run_verify)
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
            print(
                f"{model.name}: as in the manifest, {sum(f.size for f in model.files.values()) / 1e6:.1f} MB"
            )
        except ModelError as mistake:
            damaged += 1
            print(mistake, file=sys.stderr)
    return 2 if damaged else 0


def run_manifest(chosen: argparse.Namespace) -> int:
    """The rows with the files that are in the models' folders now."""
    text = render(remeasured())
    if chosen.write:
        manifest_path().write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0
