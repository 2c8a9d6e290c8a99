"""The joints between stages: bounded, lock-free, counted; a reader sleeps on a bell and is woken."""

from __future__ import annotations

import contextlib
import os
import select
import weakref
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Item = TypeVar("Item")


class Bell:
    """Wakes one sleeping thread: an eventfd, or a pipe where there is none."""

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self._read_fd = self._write_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self._read_fd, self._write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(self._read_fd, select.POLLIN)
        # A toy that moves to other cores leaves some forty bells behind; a program that ends needs none closed.
        weakref.finalize(self, _close, {self._read_fd, self._write_fd}).atexit = False

    def ring(self) -> None:
        """Wake the sleeper, or keep its next sleep from starting. Any thread may ring."""
        with contextlib.suppress(BlockingIOError):  # a full counter has already woken the sleeper
            os.write(self._write_fd, (1).to_bytes(8, "little"))

    def wait(self, timeout_s: float | None = None) -> bool:
        """Sleep until rung (True) or until `timeout_s` has passed (False)."""
        rung = bool(self._poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000))
        if rung:
            os.read(self._read_fd, 4096 if self._read_fd != self._write_fd else 8)
        return rung


def _close(descriptors: set[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class Ring(Generic[Item]):
    """Messages from one writer to one reader in a fixed number of slots.

    Indexes only grow and each has one writer, so no lock is needed: the slot is filled before `written`
    says so.
    """

    def __init__(self, slots: int, bell: Bell) -> None:
        self._slots: list[Item | None] = [None] * slots
        self.bell = bell  # wakes the reader
        self.room = Bell()  # wakes a writer that met a full ring
        self.written = 0
        self.read = 0
        self.full = 0  # how often `put` met a full ring

    def __len__(self) -> int:
        return self.written - self.read

    def put(self, item: Item) -> bool:
        """Add an item and wake the reader; False, counted, when all slots are taken. Never blocks."""
        if len(self) == len(self._slots):
            self.full += 1
            return False
        self._slots[self.written % len(self._slots)] = item
        self.written += 1
        self.bell.ring()
        return True

    def peek(self) -> Item | None:
        """The oldest item, left where it is, or None when there is none. For the reader alone; never blocks."""
        return None if self.read == self.written else self._slots[self.read % len(self._slots)]

    def take(self) -> Item | None:
        """The oldest item, or None when there is none. Never blocks."""
        if self.read == self.written:
            return None
        place = self.read % len(self._slots)
        item, self._slots[place] = self._slots[place], None
        self.read += 1
        if len(self) == len(self._slots) - 1:  # asked afterwards: the writer may have filled it meanwhile
            self.room.ring()
        return item


class SampleRing:
    """The last `frames` samples of a sound: one writer, any number of readers, the oldest is overwritten.

    The writer claims a region before copying and publishes it after; a reader checks after its own copy
    that the region was not claimed meanwhile.
    """

    def __init__(self, frames: int) -> None:
        self._samples: Samples = np.zeros(frames, np.float32)
        self._sleepers: list[tuple[SampleReader, Bell, int]] = []
        self._claimed = 0
        self.written = 0  # frames since the start

    @property
    def frames(self) -> int:
        """How many frames the ring remembers."""
        return len(self._samples)

    def write(self, samples: Samples, wake: bool = True) -> None:
        """Append samples [n], n at most the ring's size; wakes the readers if `wake`. Never blocks."""
        if len(samples) > self.frames:
            raise ValueError(f"{len(samples)} frames do not fit a ring of {self.frames}")
        self._claimed = self.written + len(samples)
        place = self.written % self.frames
        first = min(len(samples), self.frames - place)
        self._samples[place : place + first] = samples[:first]
        if first < len(samples):
            self._samples[: len(samples) - first] = samples[first:]
        self.written = self._claimed
        for reader, bell, wanted in self._sleepers:
            if wake and reader.available >= wanted:
                bell.ring()

    def reader(self, bell: Bell | None = None, wanted: int = 1) -> SampleReader:
        """A reader with a place of its own, starting at what comes next; `bell` is rung when `wanted` frames wait."""
        reader = SampleReader(self)
        if bell is not None:
            self._sleepers.append((reader, bell, wanted))
        return reader

    def copy(self, start: int, count: int) -> Samples | None:
        """Frames from `start`, which must have been written; None when any of them is overwritten."""
        place = start % self.frames
        first = min(count, self.frames - place)
        found = self._samples[place : place + first].copy()
        if first < count:
            found = np.concatenate([found, self._samples[: count - first]])
        return found if start >= self._claimed - self.frames else None


class SampleReader:
    """One reader's place in a SampleRing, with its own counters."""

    def __init__(self, ring: SampleRing) -> None:
        self._ring = ring
        self.at = ring.written
        self.laps = 0  # how often the writer overtook this reader
        self.lost_frames = 0

    @property
    def available(self) -> int:
        """Frames written and not yet read."""
        return self._ring.written - self.at

    def read(self, count: int) -> Samples:
        """The next `count` frames (at most `available`). A lapped reader counts the loss and goes on."""
        while (found := self._ring.copy(self.at, count)) is None:
            fresh = max(self._ring.written - self._ring.frames // 2, self.at)
            fresh = min(fresh, self._ring.written - count)
            self.laps += 1
            self.lost_frames += fresh - self.at
            self.at = fresh
        self.at += count
        return found

    def seek(self, frame: int) -> None:
        """Go to an absolute frame, as far back as the ring remembers; what is forgotten is counted."""
        oldest = max(0, self._ring.written - self._ring.frames)
        if frame < oldest:
            self.laps += 1
            self.lost_frames += oldest - frame
        self.at = max(frame, oldest)
