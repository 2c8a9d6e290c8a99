"""The joints: nothing is lost unseen, nothing blocks, a sleeper wakes."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from epsilon.ring import Bell, Ring, SampleRing


def test_items_come_out_in_order_and_none_is_kept() -> None:
    ring: Ring[str] = Ring(3, Bell())
    for word in ("one", "two", "three"):
        assert ring.put(word)
    assert [ring.take(), ring.take(), ring.take(), ring.take()] == ["one", "two", "three", None]


def test_a_full_ring_refuses_and_counts() -> None:
    ring: Ring[int] = Ring(2, Bell())
    assert ring.put(1) and ring.put(2)
    assert not ring.put(3)
    assert ring.full == 1
    assert ring.take() == 1
    assert ring.room.wait(0), "a writer that met a full ring is woken when there is room"
    assert ring.put(3)


def test_a_reader_sleeps_until_something_is_put() -> None:
    bell = Bell()
    ring: Ring[int] = Ring(4, bell)
    assert not bell.wait(0.001)
    threading.Timer(0.02, ring.put, [7]).start()
    assert bell.wait(5)
    assert ring.take() == 7


def test_many_rings_of_a_bell_are_one_waking() -> None:
    bell = Bell()
    for _ in range(1000):
        bell.ring()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_samples_come_out_as_they_went_in_whatever_the_blocks() -> None:
    ring = SampleRing(1000)
    reader = ring.reader()
    sound = np.arange(5000, dtype=np.float32)
    read = []
    for start in range(0, 5000, 170):
        ring.write(sound[start : start + 170])
        while reader.available >= 64:
            read.append(reader.read(64))
    read.append(reader.read(reader.available))
    assert np.array_equal(np.concatenate(read), sound)
    assert reader.laps == 0


def test_each_reader_has_its_own_place() -> None:
    ring = SampleRing(100)
    early, late = ring.reader(), ring.reader()
    ring.write(np.ones(40, np.float32))
    early.read(40)
    assert (early.available, late.available) == (0, 40)


def test_a_reader_is_woken_once_enough_is_there_for_it() -> None:
    ring, bell, eager = SampleRing(100), Bell(), Bell()
    reader = ring.reader(bell, wanted=30)
    ring.reader(eager)
    for woken in (False, False, True):
        ring.write(np.ones(10, np.float32))
        assert eager.wait(0) and bell.wait(0) is woken
    reader.read(30)
    ring.write(np.ones(29, np.float32))
    assert not bell.wait(0)
    ring.write(np.ones(1, np.float32))
    assert bell.wait(0)


def test_a_lapped_reader_counts_the_loss_and_goes_on_with_whole_samples() -> None:
    ring = SampleRing(100)
    reader = ring.reader()
    for block in range(30):
        ring.write(np.arange(block * 10, block * 10 + 10, dtype=np.float32))
    found = reader.read(10)
    assert reader.laps == 1
    assert reader.lost_frames == found[0] == 250, "it goes on in the middle of what the ring remembers"
    assert np.array_equal(found, np.arange(250, 260, dtype=np.float32))


def test_a_reader_looks_back_as_far_as_the_ring_remembers() -> None:
    ring = SampleRing(100)
    reader = ring.reader()
    ring.write(np.arange(100, dtype=np.float32))
    ring.write(np.arange(100, 150, dtype=np.float32))
    reader.seek(60)
    assert reader.read(3).tolist() == [60, 61, 62]
    reader.seek(20)
    assert (reader.at, reader.laps, reader.lost_frames) == (50, 1, 30)


def test_a_block_larger_than_the_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        SampleRing(10).write(np.zeros(11, np.float32))


def test_a_fast_and_a_slow_thread_see_no_torn_block() -> None:
    """The writer never waits; what the slow reader gets is whole, and read + lost = written."""
    ring, bell, blocks = SampleRing(2048), Bell(), 3000
    reader = ring.reader(bell)
    torn, read_frames = [], 0

    def write() -> None:
        for block in range(blocks):
            ring.write(np.full(64, block, np.float32))

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive() or reader.available >= 64:
        while reader.available >= 64:
            found = reader.read(64)
            read_frames += len(found)
            steps = np.diff(found)
            torn += [found] if np.any(steps < 0) or np.any(steps > 1) else []
        bell.wait(0.01)
    writer.join()
    assert not torn
    assert read_frames + reader.lost_frames == blocks * 64


def test_a_reader_may_look_before_it_takes() -> None:
    ring: Ring[int] = Ring(2, Bell())
    assert ring.peek() is None
    ring.put(1)
    assert ring.peek() == 1
    assert len(ring) == 1 and ring.take() == 1


def test_a_writer_that_meets_a_full_ring_in_the_middle_of_a_take_is_woken() -> None:
    class Interrupted(Ring[int]):
        """Whoever asks how full it is is overtaken by the writer, once."""

        overtaken = True

        def __len__(self) -> int:
            found = super().__len__()
            if not self.overtaken:
                self.overtaken = True
                while self.put(2):
                    pass  # and now the writer sleeps
            return found

    ring = Interrupted(3, Bell())
    ring.put(1)
    ring.put(1)
    ring.overtaken = False
    while ring.take() is not None:
        pass
    assert ring.overtaken and ring.room.wait(0)
