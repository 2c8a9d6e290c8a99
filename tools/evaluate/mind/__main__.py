"""How well a language model plays the toy's characters, as the toy runs it: `python -m tools.evaluate.mind`.

Held-out questions, memory, who is spoken to, contradictions, log-probability, finished thoughts, repetition: everything
that was said for a person to read, then one table. `MODEL` is a folder in the form of models/pocket/mind or a name of
the manifest.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from epsilon.errors import ConfigError, EpsilonError
from tools.evaluate.mind.chatter import Cast, load_mind
from tools.evaluate.mind.figures import Figures, Row, table

PARTS = ("questions", "memory", "silence", "contradictions", "log_probability", "finished", "repetition")
MODEL = "pocket/mind"


def part(name: str) -> Any:
    """The module of a part, with `measure`, `rows` and `details`."""
    return importlib.import_module(f"tools.evaluate.mind.{name}")


def measure(mind: Any, names: Sequence[str] = PARTS, quick: bool = False) -> Figures:
    """All parts in their order, as one dictionary that JSON can hold; the last one counts what the others said."""
    cast, found = Cast(mind), {}
    for name in names:
        print(f"{name.replace('_', ' ')} …", file=sys.stderr, flush=True)
        began_s = time.process_time()
        found[name] = part(name).measure(cast, quick) | {"cpu_s": round(time.process_time() - began_s, 1)}
    return found


def report(found: Figures) -> str:
    """What was said, then the table."""
    read, rows = [], []
    for name, figures in found.items():
        read += part(name).details(figures)
        rows += part(name).rows(figures)
    rows.append(Row("CPU seconds for all this", f"{sum(figures['cpu_s'] for figures in found.values()):.0f}"))
    return "\n".join([*read, "", table(rows)])


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and measures; 0, or 2 after one message when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.evaluate.mind", description=__doc__)
    parser.add_argument("model", nargs="?", default=MODEL, metavar="MODEL", help=f"default: {MODEL}")
    parser.add_argument("--runtime", default="onnx", help="a module of epsilon/runtimes (default: onnx)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything to this file")
    parser.add_argument("--quick", action="store_true", help="a quarter of everything")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS)
    )
    given = parser.parse_args(arguments)
    try:
        if given.json and not given.json.absolute().parent.is_dir():
            raise ConfigError("there is no such folder", str(given.json.parent), "--json FILE")
        found = measure(load_mind(given.model, given.runtime), given.only, given.quick)
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    print(report(found))
    if given.json:
        whole = {"model": given.model, "runtime": given.runtime, "quick": given.quick, **found}
        given.json.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
