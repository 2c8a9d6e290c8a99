"""Reads a voice faster or slower and splices it where it resembles itself, so that it keeps its length."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from epsilon.dsp.hops import Hops
from epsilon.ring import Samples

HOP_S = 0.005  # a splice fades over one hop
SHORTEST_LAG_S, LONGEST_LAG_S = 0.0025, 0.0125  # a period of 400 Hz; one of 80 Hz
ALIKE_S = 0.010  # how much of the voice is compared
TAPS, PHASES = 16, 128


class Splices:
    """Pitch and formants times `ratio`, the pace stays.

    A head moves through the last samples at the speed `ratio`. When it gets too near to their end, or too far from
    it, it jumps by the lag at which the voice is most like itself, which is a period or some (SOLA: Roucos &
    Wilgus 1985; with the search of WSOLA: Verhelst & Roelands 1993), fading from the one place to the other.
    Between samples it reads through a windowed sinc that lets nothing pass that would alias.
    """

    def __init__(self, ratio: float, sample_rate_hz: int) -> None:
        self._ratio = ratio
        self._hop = round(HOP_S * sample_rate_hz)
        drift = int(np.ceil(self._hop * abs(ratio - 1)))  # of the head in a hop: a jump makes up for it
        shortest, longest = round(SHORTEST_LAG_S * sample_rate_hz), round(LONGEST_LAG_S * sample_rate_hz)
        self._lags = np.arange(max(shortest, drift), longest + 1)
        self._alike = round(ALIKE_S * sample_rate_hz)
        self._sinc = _sinc(min(1.0, 1 / ratio))
        steps = np.arange(self._hop)
        self._steps, self._fade = ratio * steps, ((steps + 0.5) / self._hop).astype(np.float32)
        self._nearest = int(np.ceil(self._hop * ratio)) + max(TAPS, self._alike // 2)
        self._farthest = self._nearest + longest
        self.delay_frames = self._nearest + (longest // 4 if ratio > 1 else 3 * longest // 4)
        self.tail_frames = self._farthest + 2 * self._hop + TAPS
        self._hops = Hops(self._hop)
        self._past = np.zeros(self._farthest + longest + self._alike + self._hop + TAPS, np.float32)
        self._behind = float(self.delay_frames)  # from the head to the newest sample's end

    def process(self, block: Samples) -> Samples:
        """A block [n] of the same length."""
        return self._hops.process(block, self._next)

    def _next(self, hop: Samples) -> Samples:
        self._past = np.concatenate([self._past[len(hop) :], hop])
        out = self._read(self._behind)
        if jump := self._jump():
            self._behind += jump
            out += self._fade * (self._read(self._behind) - out)
        self._behind += self._hop * (1 - self._ratio)
        return out

    def _jump(self) -> int:
        """How far back the head goes now; 0 while it stays."""
        after = self._behind + self._hop * (1 - self._ratio)
        if after < self._nearest:
            return self._likest(-1)
        return -self._likest(1) if after > self._farthest else 0

    def _likest(self, direction: int) -> int:
        """The lag at which the voice around the head comes again, before it (-1) or after it (1)."""
        centre = len(self._past) - round(self._behind)
        start, lags = centre - self._alike // 2, direction * self._lags
        around = self._past[start : start + self._alike]
        first, last = start + int(lags.min()), start + int(lags.max()) + self._alike
        there = self._past[first:last]
        products = np.correlate(there, around, "valid")
        energies = np.correlate(there * there, np.ones(self._alike, np.float32), "valid")
        best = int(np.argmax(products / np.sqrt(energies + 1e-9)))
        return abs(best + int(lags.min()))

    def _read(self, behind: float) -> Samples:
        """A hop from where the head is, [hop]."""
        places = (len(self._past) - behind) + self._steps
        whole = np.floor(places).astype(np.int64)
        phases = np.rint((places - whole) * PHASES).astype(np.int64)
        around = self._past[whole[:, None] + np.arange(1 - TAPS // 2, 1 + TAPS // 2)]
        read: Samples = np.einsum("ij,ij->i", around, self._sinc.take(phases, axis=0))
        return read


def _sinc(cutoff: float) -> npt.NDArray[np.float32]:
    """Filters [PHASES + 1, TAPS], each for a place between two samples; `cutoff` is a part of the whole band."""
    apart = np.arange(1 - TAPS // 2, 1 + TAPS // 2) - np.arange(PHASES + 1)[:, None] / PHASES
    taps = np.sinc(cutoff * apart) * np.cos(np.pi * apart / (TAPS + 1)) ** 2
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)
