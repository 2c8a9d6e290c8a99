"""What is found out about the sound that leaves a card, piece by piece: hours need no more memory than minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from epsilon.ring import Samples
from tools.soak.clicks import AROUND, most_prominent, prominence

WARM_UP = 0.25  # of a run: until then caches and pools fill
FEWEST = 20  # samples of the memory, one a reply
AUDIBLE = 1e-3


@dataclass
class Findings:
    """Everything that a run must keep within bounds."""

    frames: int = 0
    spoken_frames: int = 0
    replies: int = 0
    phrases: int = 0
    joins: int = 0
    underruns: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    not_heard: int = 0  # replies of which a word was not
    altered: int = 0  # samples that left the card other than the effects made them
    not_finite: int = 0
    peak: float = 0.0
    largest_step: float = 0.0
    click: float = 0.0  # how far the most prominent step stands out, anywhere
    click_s: float = 0.0  # and when
    join_click: float = 0.0  # the same where a chunk, a phrase or a reply begins or ends
    memory_mb: list[tuple[float, float]] = field(default_factory=list)  # seconds of sound, megabytes held

    @property
    def grown_mb(self) -> float:
        """How much the process grew after the warm-up: the rise of a straight line through what it held.

        0 where there are too few samples to tell growth from what an allocator takes and gives back.
        """
        start_s = self.memory_mb[-1][0] * WARM_UP if self.memory_mb else 0.0
        times_s, held_mb = np.array([row for row in self.memory_mb if row[0] >= start_s]).reshape(-1, 2).T
        if len(times_s) < FEWEST:
            return 0.0
        return float(np.polyfit(times_s, held_mb, 1)[0] * (times_s[-1] - times_s[0]))


class Stream:
    """Listens to one sound in pieces; a step at the border of two pieces is seen with both sides."""

    def __init__(self, findings: Findings, rate_hz: int) -> None:
        self.findings, self._rate_hz = findings, rate_hz
        self._before: Samples = np.zeros(2 * AROUND, np.float32)

    def hear(self, samples: Samples, joins: list[int]) -> None:
        """A piece [n] that begins and ends in silence, and the frames in it at which something new begins or ends."""
        found = self.findings
        finite = np.isfinite(samples)
        found.not_finite += int(len(samples) - finite.sum())
        heard = np.concatenate((self._before, np.where(finite, samples, 0)))
        self._before = heard[-2 * AROUND :]
        found.peak = max(found.peak, float(np.abs(heard).max()))
        found.largest_step = max(found.largest_step, float(np.abs(np.diff(heard)).max()))
        click, at = most_prominent(heard)
        if click > found.click:
            found.click, found.click_s = click, (found.frames + at - 2 * AROUND) / self._rate_hz
        places = np.array(joins, np.int64) + 2 * AROUND
        places = places[places < len(heard)]
        found.join_click = max([found.join_click, *prominence(heard, places)])
        found.joins += len(places)
        found.frames += len(samples)
        found.spoken_frames += int(np.count_nonzero(np.abs(samples) > AUDIBLE))

    def weigh(self) -> None:
        """Note what the process holds now: its own memory, here or swapped out, not the files that are mapped."""
        lines = Path("/proc/self/status").read_text().splitlines()
        held = {name: value for name, _, value in (line.partition(":") for line in lines)}
        held_mb = sum(int(held[name].split()[0]) for name in ("RssAnon", "VmSwap")) / 1024
        self.findings.memory_mb.append((self.findings.frames / self._rate_hz, held_mb))
