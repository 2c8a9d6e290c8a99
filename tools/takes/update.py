"""Renews the references of the takes: python -m tools.takes.update [NAME …]

Plays each take in lock-step and writes tests/takes/NAME/reference.json. The difference is for a person to read.
"""

from __future__ import annotations

import argparse
import difflib
import json

from epsilon.audio_files import finished
from tools.takes import Take, essence, takes


def main() -> None:
    """Renew the takes named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a folder of tests/takes (default: all)")
    chosen = parser.parse_args()
    for take in takes():
        if not chosen.names or take.name in chosen.names:
            renew(take)


def renew(take: Take) -> None:
    """Write one reference and show what changed."""
    before = take.reference_path.read_text(encoding="utf-8") if take.reference_path.exists() else ""
    after = json.dumps(essence(take.emulate()), indent=2, ensure_ascii=False) + "\n"
    with finished(take.reference_path) as unfinished:
        unfinished.write_text(after, encoding="utf-8")
    difference = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=1
    )
    print(f"{take.name}: {'as before' if before == after else 'changed'}")
    for line in difference:
        print(f"  {line}")


if __name__ == "__main__":
    main()
