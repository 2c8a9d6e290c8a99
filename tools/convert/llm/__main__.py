"""Makes a language model's folder: `python -m tools.convert.llm FOLDER OUT --to mlc --target host`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from epsilon.config.models import render
from epsilon.errors import EpsilonError
from tools.convert.llm import TARGETS, Options, convert


def main(arguments: list[str] | None = None) -> int:
    """Reads the options and converts; 0, or 2 after one message when something is wrong."""
    given = _parser().parse_args(arguments)
    options = Options(
        form=given.to,
        targets=tuple(dict.fromkeys(given.target or ["host"])),
        context=given.context,
        activations=given.activations,
        chat=given.chat,
        licence=given.licence,
        source=given.source,
    )
    try:
        model = convert(given.folder, given.out, options, lambda line: print(line, flush=True))
    except EpsilonError as error:
        print(error, file=sys.stderr)
        return 2
    size = sum(file.size for file in model.files.values())
    print(f"{given.out}: {size / 1e6:.1f} MB; its row for models/manifest.yaml:")
    print(render({model.name: model}, header=""), end="")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.convert.llm", description=__doc__)
    parser.add_argument("folder", type=Path, help="a Hugging Face Mistral or Llama folder")
    parser.add_argument("out", type=Path, help="the model folder to make")
    parser.add_argument(
        "--to", choices=("mlc", "onnx"), default="mlc", help="for which runtime (default: mlc)"
    )
    parser.add_argument(
        "--target",
        action="append",
        choices=TARGETS,
        help="machine to compile for; may be repeated (default: host)",
    )
    parser.add_argument(
        "--context", type=int, default=0, metavar="TOKENS", help="positions (default: as many as it has)"
    )
    parser.add_argument(
        "--activations",
        choices=("int8", "fp32"),
        default="int8",
        help="int8: rounded for integer products, faster; fp32: exact (default: int8)",
    )
    parser.add_argument("--chat", type=Path, help="a chat.yaml (default: the one in FOLDER)")
    parser.add_argument("--licence", default="unknown", help="of the checkpoint, for the manifest")
    parser.add_argument("--source", default="", help="where the checkpoint comes from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
