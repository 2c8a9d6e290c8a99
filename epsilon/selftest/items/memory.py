"""Memory: is as much there as the board says, and does it keep what is written to it?"""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, judged

ORDER, SPOKEN = 10, "memory"
PIECE_MB, MOST_MB = 16, 256
SHARE = 0.25  # of what is free
LONGEST_S = 4.0  # a slow board tests less of it
RESERVED = 0.15  # at most so much of the memory is kept by kernel, firmware and GPU
STEP = 0x9E3779B97F4A7C15  # odd and irregular: neighbouring cells and neighbouring pieces differ in many bits

Piece = npt.NDArray[np.uint64]


def check(bench: Bench) -> Found:
    """Write every cell with a number of its own, read all of them, and the same with every bit turned over."""
    pieces = _written(bench)
    flipped = 0
    for number, piece in enumerate(pieces):
        flipped += wrong_cells(piece, number)
        np.invert(piece, out=piece)
    for number, piece in enumerate(pieces):
        np.invert(piece, out=piece)
        flipped += wrong_cells(piece, number)
    faults = [f"{flipped} cells of eight bytes changed what was written to them"] if flipped else []
    there_mb = physical_mb()
    promised_mb = bench.board.soc.memory_mb
    if promised_mb and there_mb < promised_mb * (1 - RESERVED):
        faults.append(f"{there_mb} MB are there, the board has {promised_mb:.0f}")
    tested_mb = len(pieces) * PIECE_MB
    return judged(
        faults, f"{tested_mb} MB hold what is written to them", there_mb=there_mb, tested_mb=tested_mb
    )


def _written(bench: Bench) -> list[Piece]:
    wanted_mb = min(MOST_MB, SHARE * free_mb())
    end_s = bench.clock.now() + LONGEST_S / 2
    pieces: list[Piece] = []
    while not pieces or (len(pieces) * PIECE_MB < wanted_mb and bench.clock.now() < end_s):
        pieces.append(pattern(len(pieces)))
    return pieces


def pattern(number: int) -> Piece:
    """A new piece of memory in which each cell holds what no other holds."""
    cells = PIECE_MB * 2**20 // 8
    piece = np.arange(number * cells, (number + 1) * cells, dtype=np.uint64)
    piece *= np.uint64(STEP)
    return piece


def wrong_cells(piece: Piece, number: int) -> int:
    """How many cells of a piece do not hold what `pattern` wrote there."""
    return int(np.count_nonzero(piece != pattern(number)))


def physical_mb() -> int:
    """The memory that the kernel has, in MB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 10**6


def free_mb() -> int:
    """The memory that nobody uses, in MB."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 10**6
