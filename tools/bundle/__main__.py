"""`python -m tools.bundle keys FOLDER` makes signing keys; `… pack ROOT.squashfs FACTS.json --keys FOLDER` a bundle."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from epsilon.errors import EpsilonError
from tools import bundle
from tools.bundle import keys

KEYS = Path("build/keys")


def main(arguments: list[str] | None = None) -> int:
    """What was asked for; a mistake of the caller is a message and code 2."""
    parser = argparse.ArgumentParser(prog="python -m tools.bundle", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    making = actions.add_parser("keys", help="make keys of your own; none are shipped")
    making.add_argument("folder", type=Path, nargs="?", default=KEYS)
    making.set_defaults(act=lambda chosen: keys.make(chosen.folder))
    packing = actions.add_parser("pack", help="pack and sign a root image")
    packing.add_argument("image", type=Path, help="the squashfs or erofs of a root slot")
    packing.add_argument("facts", type=Path, help="the image.json of that root")
    packing.add_argument("--keys", type=Path, default=KEYS, help=f"default: {KEYS}")
    packing.add_argument("--out", type=Path, help="default: beside the image, as .raucb")
    packing.set_defaults(act=_pack)
    chosen = parser.parse_args(arguments)
    try:
        chosen.act(chosen)
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    return 0


def _pack(chosen: argparse.Namespace) -> None:
    out = chosen.out or chosen.image.with_suffix(".raucb")
    bundle.make(chosen.image, json.loads(chosen.facts.read_text(encoding="utf-8")), chosen.keys, out)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
