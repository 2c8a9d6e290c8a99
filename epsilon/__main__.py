"""The command line: `epsilon COMMAND …`; each command is a module of epsilon/cli."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import logging
import os
import sys
from collections.abc import Sequence

import epsilon.cli
from epsilon.config.folders import module_names
from epsilon.errors import EpsilonError, StageDied

BAD_INPUT = 2
INTERRUPTED = 130  # as shells say it: 128 + SIGINT
DIED = 70  # EX_SOFTWARE of sysexits.h: the service manager starts the toy again
CLOSED_PIPE = 141  # 128 + SIGPIPE


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """The parser of all commands, or of one alone: what the others need is then not loaded."""
    parser = argparse.ArgumentParser(prog="epsilon", description=epsilon.__doc__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    names = module_names("cli")
    for name in [only] if only in names else names:
        command = importlib.import_module(f"epsilon.cli.{name}")
        summary = str(command.__doc__).splitlines()[0]
        own = commands.add_parser(name, help=summary, description=command.__doc__)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. What people can put right is a message and code 2."""
    _be_lenient()
    try:
        words = sys.argv[1:] if arguments is None else arguments
        parser = build_parser(words[0] if words else "")
        chosen = parser.parse_args(words)
        if "run" not in chosen:
            parser.print_help(sys.stderr)
            return BAD_INPUT
        code: int = chosen.run(chosen)
        sys.stdout.flush()
        return code
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return BAD_INPUT
    except StageDied as death:
        logging.getLogger(__name__).error("%s", death, exc_info=death.__cause__)
        return DIED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return CLOSED_PIPE


def _be_lenient() -> None:
    """A file name or a typed line in another encoding is no reason to stop."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _forget_output() -> None:
    """Whoever read our output is gone; Python must not complain about it once more at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
