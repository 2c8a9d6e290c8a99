"""How fast calls of engines advance that share a board's cores, accelerators and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from epsilon.config.machine import Soc
from epsilon.realtime import Seat

PARALLEL = 0.75  # of a long call: four cores of a Raspberry Pi 4 make Piper, Matcha and Kokoro 2.2 to 2.4 times as fast
INDIVISIBLE_MS = (
    20.0  # of a call: the pocket models, whose calls are no longer, gained nothing from a second core here
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an engine: `work_ms` is what it takes alone on a core of speed 1, or on its accelerator."""

    seat: Seat
    work_ms: float
    read_mb: float = 0.0
    on: str = "cpu"


class Machine:
    """A chip. A call gets its share of every core of its seat, and a fair share of the memory's bandwidth.

    A core divides itself equally among the calls of the highest priority that sit on it. What a call reads must come
    through what its cores can draw and through what all calls have together; it is as slow as the slower of both.
    """

    def __init__(self, soc: Soc) -> None:
        self._soc = soc
        self._cores = soc.core_ids

    def rates(self, calls: Sequence[Call]) -> list[float]:
        """Of each call the share that is done in one millisecond while all of them run."""
        computed = self._computed(calls)
        wanted = [rate * call.read_mb for rate, call in zip(computed, calls, strict=True)]
        given = shared(wanted, math.inf if self._soc.bandwidth_gb_s is None else self._soc.bandwidth_gb_s)
        return [
            rate if wish <= 0 else rate * got / wish
            for rate, wish, got in zip(computed, wanted, given, strict=True)
        ]

    def alone_ms(self, call: Call) -> float:
        """What a call takes when nothing else runs."""
        return 1 / self.rates([call])[0]

    def _computed(self, calls: Sequence[Call]) -> list[float]:
        """The rates as far as cores and accelerators limit them."""
        seats = self._seated(calls)
        found = []
        for place, call in enumerate(calls):
            rivals = [other for other, one in enumerate(calls) if one.on == call.on]
            if call.on == "npu":
                rivals = [r for r in rivals if set(calls[r].seat.npu_cores) & set(call.seat.npu_cores)]
            if call.on != "cpu":
                found.append(1 / max(call.work_ms, 1e-6) / len(rivals))
                continue
            shares = [self._share(core, place, calls, seats) for core in seats[place]]
            found.append(self._rate(call, seats[place], shares))
        return found

    def _rate(self, call: Call, cores: Sequence[int], shares: Sequence[float]) -> float:
        """A call on its cores, of each of which it has a share; the first part of the work keeps to one core."""
        speeds = [share * self._soc.speed_of(core) for core, share in zip(cores, shares, strict=True)]
        if not any(speeds):
            return 0.0
        relative_ms = 1 / max(speeds)
        if len(speeds) > 1:
            parallel = PARALLEL * max(0.0, 1 - INDIVISIBLE_MS / max(call.work_ms, 1e-6))
            relative_ms = (1 - parallel) / max(speeds) + parallel / sum(speeds)
        rate = 1 / (max(call.work_ms, 1e-6) * relative_ms)
        drawn = sum(share * self._draws(core) for core, share in zip(cores, shares, strict=True) if share)
        return min(rate, drawn / call.read_mb) if call.read_mb else rate

    def _draws(self, core: int) -> float:
        """MB a millisecond that a core alone can read, which are GB a second."""
        kind = self._soc.kind_of(core)
        return (self._soc.cores[kind].bandwidth_gb_s if kind else 0.0) or math.inf

    def _share(self, core: int, place: int, calls: Sequence[Call], seats: Sequence[Sequence[int]]) -> float:
        """Of a core, what the call at `place` gets."""
        there = [calls[other].seat.priority for other in range(len(calls)) if core in seats[other]]
        mine = calls[place].seat.priority
        return 1 / there.count(mine) if mine == max(there) else 0.0

    def _seated(self, calls: Sequence[Call]) -> list[tuple[int, ...]]:
        """The cores of each call; one that may run anywhere is where the most is left for it."""
        seats: list[tuple[int, ...]] = [call.seat.cores if call.on == "cpu" else () for call in calls]
        for place, call in enumerate(calls):
            if call.on == "cpu" and not call.seat.cores:
                seats[place] = (self._roomiest(seats),)
        return seats

    def _roomiest(self, seats: Sequence[Sequence[int]]) -> int:
        taken = [core for seat in seats for core in seat]
        free = self._cores or range(max(taken, default=0) + 2)  # an unknown machine has always one more
        return max(free, key=lambda core: (self._soc.speed_of(core) / (taken.count(core) + 1), -core))


def shared(wanted: Sequence[float], most: float) -> list[float]:
    """A limited good given out fairly: who wants little gets it, the others get equally much."""
    given = [0.0] * len(wanted)
    left = most
    for done, place in enumerate(sorted(range(len(wanted)), key=lambda place: wanted[place])):
        given[place] = min(wanted[place], left / (len(wanted) - done))
        left -= given[place]
    return given
