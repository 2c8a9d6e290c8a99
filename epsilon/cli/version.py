"""Print the version of Epsilon and of what its models run on."""

from __future__ import annotations

import argparse
import platform
from importlib.metadata import version

from epsilon import __version__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(chosen: argparse.Namespace) -> int:
    """One line on standard output."""
    print(f"epsilon {__version__}, onnxruntime {version('onnxruntime')}, Python {platform.python_version()}")
    return 0
