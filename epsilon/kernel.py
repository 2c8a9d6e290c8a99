"""What a board asks of the kernel: clocks that stay up, interrupts that stay away. python -m epsilon.kernel --board X

Started once by the service manager, with the right to do it. Everything is read back; what the platform refuses is
said, and the toy runs without it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsilon.config.board import Board, load_board
from epsilon.config.machine import System
from epsilon.realtime import say_once

log = logging.getLogger(__name__)
MEMORY_CLOCKS = ("dmc", "ddr")  # in the names that drivers give to the memory's clock


@dataclass(frozen=True, slots=True)
class Wish:
    """A file of the kernel and what is to stand in it."""

    path: Path
    text: str


@dataclass(frozen=True)
class Kernel:
    """The kernel as its two file systems show it; tests have folders of their own."""

    sys: Path = Path("/sys")
    proc: Path = Path("/proc")

    def grant(self, board: Board) -> list[str]:
        """Ask for everything that a board wants; what was refused, a sentence each."""
        return [refusal for wish in self._wishes(board) if (refusal := _grant(wish)) is not None]

    def missing(self, board: Board) -> list[str]:
        """What is not as the board wants it, a sentence each; nothing is changed."""
        return [refusal for wish in self._wishes(board) if (refusal := _differs(wish)) is not None]

    def look(self, board: Board) -> None:
        """Say once what is not as the board wants it."""
        for refusal in self.missing(board):
            say_once(refusal)

    def _wishes(self, board: Board) -> Iterator[Wish | str]:
        """What is asked for; a sentence where there is nothing that could be asked."""
        system = board.system
        used = {core for stage in board.stages.values() for core in stage.cores}
        if system.governor is not None:
            yield from self._clocks(system.governor, used)
        if system.ddr_governor is not None:
            yield from self._memory_clock(system.ddr_governor)
        yield from self._interrupts(system)

    def _clocks(self, governor: str, used: set[int]) -> Iterator[Wish | str]:
        policies = sorted((self.sys / "devices/system/cpu/cpufreq").glob("policy*"))
        mine = [policy for policy in policies if not used or used & _cores(policy / "related_cpus")]
        if not mine:
            yield f"the clocks of the cores cannot be asked for '{governor}' here: there is no cpufreq"
        yield from (Wish(policy / "scaling_governor", governor) for policy in mine)

    def _memory_clock(self, governor: str) -> Iterator[Wish | str]:
        devices = sorted((self.sys / "class/devfreq").glob("*"))
        clocks = [one for one in devices if any(name in one.name for name in MEMORY_CLOCKS)]
        if not clocks:
            yield f"the memory's clock cannot be asked for '{governor}' here: there is none in devfreq"
        yield from (Wish(clock / "governor", governor) for clock in clocks)

    def _interrupts(self, system: System) -> Iterator[Wish | str]:
        lines = _text(self.proc / "interrupts").splitlines() if system.irqs else []
        for name, cores in system.irqs.items():
            numbers = [line.split(":")[0].strip() for line in lines if name in line.partition(":")[2]]
            known = [number for number in numbers if number.isdecimal()]
            if not known:
                yield f"there is no interrupt '{name}' here"
            wanted = ",".join(map(str, sorted(cores)))
            yield from (Wish(self.proc / "irq" / number / "smp_affinity_list", wanted) for number in known)


def _grant(wish: Wish | str) -> str | None:
    """Write it and read it back; why not, where it cannot be."""
    if isinstance(wish, str) or _differs(wish) is None:
        return wish if isinstance(wish, str) else None
    try:
        wish.path.write_text(wish.text)
    except OSError as refusal:
        return f"{wish.path} stays as it is, not '{wish.text}' ({refusal.strerror})"
    return _differs(wish)


def _differs(wish: Wish | str) -> str | None:
    if isinstance(wish, str):
        return wish
    found = _text(wish.path)
    same = found == wish.text or (wish.path.name == "smp_affinity_list" and _set(found) == _set(wish.text))
    return None if same else f"{wish.path} is '{found}', not '{wish.text}'"


def _text(path: Path) -> str:
    """A file's text, nothing where it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _cores(path: Path) -> set[int]:
    return _set(_text(path))


def _set(text: str) -> set[int]:
    """The numbers in '0-3 6' or '0-3,6', as the kernel writes them."""
    found: set[int] = set()
    for part in text.replace(",", " ").split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and say what was refused; never a reason not to start the toy."""
    parser = argparse.ArgumentParser(prog="python -m epsilon.kernel", description=__doc__)
    parser.add_argument("--board", required=True)
    parser.add_argument("--sysfs", type=Path, default=Path("/sys"))
    parser.add_argument("--proc", type=Path, default=Path("/proc"))
    chosen = parser.parse_args(arguments)
    for refusal in Kernel(chosen.sysfs, chosen.proc).grant(load_board(chosen.board)):
        log.warning(refusal)  # on standard error, where the service manager keeps it
    return 0


if __name__ == "__main__":
    sys.exit(main())
