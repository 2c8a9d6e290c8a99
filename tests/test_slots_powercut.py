"""Two hundred cuts of power around updates and starts: the toy starts a whole system, and the one that was promised.

The writes of `epsilon update`, of `slots good` and of the init's shell are recorded; a cut keeps what was flushed, and
of everything written later an arbitrary part, torn at any sector, some sectors of it holding neither old nor new. The
shell of the initrd then chooses.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from epsilon import slots
from epsilon.updates import installing
from tests.initrd_guest import BUSYBOX
from tests.test_slots import Shell, shell
from tests.toy_disk import IMAGE_BYTES, ToyDisk, made_up_image

__all__ = ["shell"]  # a fixture
CUTS = 200
PIECE = 16 * 1024  # an update is many writes, as on a real disk
SECTOR = 512
PARTS = ("slots", "root_a", "root_b")
pytestmark = pytest.mark.skipif(
    not (BUSYBOX.is_file() and shutil.which("rauc") and shutil.which("unsquashfs")),
    reason="needs busybox-static, rauc and squashfs-tools",
)
Content = dict[str, bytes]


@dataclass(frozen=True)
class Promise:
    """From so many writes and flushes on, this slot starts with this image, and perhaps it has proved itself."""

    since: int
    slot: str
    image: str
    proven: bool


@dataclass
class Recorder:
    """Every write and flush of the toy's partitions in the order in which they happened, and what was promised when."""

    start: Content
    log: list[tuple[str, int, bytes]] = field(default_factory=list)  # part, place, data; no data: a flush
    promises: list[Promise] = field(default_factory=list)

    def written(self, name: str, place: int, data: bytes) -> None:
        """A write that may be lost until the partition is flushed."""
        self.log.append((name, place, data))

    def flushed(self, name: str) -> None:
        """What was written to that partition is there for good."""
        self.log.append((name, 0, b""))

    def promised(self, slot: str, image: bytes, proven: bool = False) -> None:
        """The program that wrote has returned: its effect is not to be lost."""
        self.promises.append(Promise(len(self.log), slot, name_of(image), proven))

    def cut(self, at: int, dice: random.Random) -> Content:
        """What is on the disk when the power goes after so many of the writes and flushes."""
        disk = {name: bytearray(data) for name, data in self.start.items()}
        waiting: dict[str, list[tuple[int, bytes]]] = {name: [] for name in PARTS}
        for name, place, data in self.log[:at]:
            if data:
                waiting[name].append((place, data))
                continue
            for begin, piece in waiting[name]:
                disk[name][begin : begin + len(piece)] = piece
            waiting[name] = []
        for name, lost in waiting.items():
            for begin, piece in lost:
                for place in range(0, len(piece), SECTOR):
                    luck = dice.random()
                    if luck < 0.6:
                        sector = piece[place : place + SECTOR]
                        sector = dice.randbytes(len(sector)) if luck < 0.2 else sector
                        disk[name][begin + place : begin + place + len(sector)] = sector
        return {name: bytes(data) for name, data in disk.items()}

    def allowed(self, at: int) -> list[Promise]:
        """What may start after a cut there: the last promise, or the next one where something was being changed."""
        last = max(place for place, promise in enumerate(self.promises) if promise.since <= at)
        return self.promises[last : last + (1 if self.promises[last].since == at else 2)]


@pytest.fixture
def recorded(tmp_path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], Recorder]:
    """The life of a toy: an update, starts, a proof, an update the other way that fails three times, and a proof."""

    def live(careful: bool) -> Recorder:
        toy = ToyDisk(tmp_path)
        identity = slots.identity(hashlib.sha256((toy.devices / "root_a").read_bytes()).hexdigest())
        toy.set_record(slots.good(slots.factory(identity), "a"))
        recorder = Recorder(content(toy.devices))
        recorder.promised("a", recorder.start["root_a"], proven=True)
        monkeypatch.setattr(installing, "PIECE", PIECE)
        watch_writes(recorder, toy.devices, monkeypatch, careful)
        update(toy, recorder, "b", seed=3, version="1.3.0")
        start(toy, recorder, shell, expected="b")
        prove(toy, recorder, "b")
        update(toy, recorder, "a", seed=4, version="1.4.0")
        for _ in range(3):
            start(toy, recorder, shell, expected="a")
        start(toy, recorder, shell, expected="b")
        prove(toy, recorder, "b")
        monkeypatch.undo()
        return recorder

    return live


def name_of(image: bytes) -> str:
    """Which image is in a slot."""
    return hashlib.sha256(image[:IMAGE_BYTES]).hexdigest()


def content(devices: Path) -> Content:
    """What is on the partitions now."""
    return {name: (devices / name).read_bytes() for name in PARTS}


def watch_writes(recorder: Recorder, devices: Path, monkeypatch: pytest.MonkeyPatch, careful: bool) -> None:
    """Record what this process writes; a careless one never flushes."""
    write, flush = os.pwrite, os.fsync

    def part_of(disk: int) -> str | None:
        path = Path(f"/proc/self/fd/{disk}").readlink()
        return path.name if path.parent == devices else None

    def pwrite(disk: int, data: bytes, place: int) -> int:
        if name := part_of(disk):
            recorder.written(name, place, data)
        return write(disk, data, place)

    def fsync(disk: int) -> None:
        if (name := part_of(disk)) and careful:
            recorder.flushed(name)
        flush(disk)

    monkeypatch.setattr(os, "pwrite", pwrite)
    monkeypatch.setattr(os, "fsync", fsync)


def update(toy: ToyDisk, recorder: Recorder, expected: str, seed: int, version: str) -> None:
    """`epsilon update` from the slot that runs to the other."""
    bundle = installing.check(toy.bundle(seed=seed, version=version), toy.places)
    assert installing.install(bundle, toy.places, lambda step, share: None) == expected
    recorder.promised(expected, made_up_image(seed))


def start(toy: ToyDisk, recorder: Recorder, shell: Shell, expected: str) -> None:
    """Somebody turns the toy on; the shell's one write is found by comparing."""
    before = content(toy.devices)["slots"]
    assert shell(toy.devices / "slots", "read_record; choose; echo $chosen") == expected
    after = content(toy.devices)["slots"]
    for place in range(0, len(after), 4096):
        if before[place : place + 4096] != after[place : place + 4096]:
            recorder.written("slots", place, after[place : place + 4096])
    recorder.flushed("slots")
    (toy.devices / "running").unlink()
    (toy.devices / "running").symlink_to(f"root_{expected}")


def prove(toy: ToyDisk, recorder: Recorder, name: str) -> None:
    """It has listened and spoken."""
    record = slots.mark_good(toy.devices)
    assert record is not None and record.slot(name).state == "good"
    recorder.promised(name, content(toy.devices)[f"root_{name}"], proven=True)


def losses(recorder: Recorder, folder: Path, shell: Shell, cuts: int) -> list[str]:
    """What is wrong after each of the cuts."""
    dice = random.Random(11)
    # every other cut falls while the record is being written, which takes the least time of all
    during = [place + 1 for place, (name, _, data) in enumerate(recorder.log) if name == "slots" and data]
    moments = list(range(len(recorder.log) + 1)) + during * (len(recorder.log) // len(during))
    wrong = []
    for _ in range(cuts):
        at = dice.choice(moments)
        disk = recorder.cut(at, dice)
        partition = folder / "cut"
        partition.write_bytes(disk["slots"])
        chosen = shell(partition, "read_record || echo unreadable; choose; echo $chosen")
        record, found = slots.read(partition), name_of(disk.get(f"root_{chosen}", b""))
        kept = [one for one in recorder.allowed(at) if (one.slot, one.image) == (chosen, found)]
        if record is None or not kept:
            wrong.append(f"{at}: {chosen} is started, allowed: {recorder.allowed(at)}")
        elif len(recorder.allowed(at)) == 1 and kept[0].proven and record.slot(chosen).state != "good":
            wrong.append(f"{at}: the proof of {chosen} is lost")
    return wrong


def test_no_cut_of_power_loses_a_system_or_a_promise(
    recorded: Callable[[bool], Recorder], shell: Shell, tmp_path: Path
) -> None:
    recorder = recorded(True)
    assert len(recorder.log) > 30
    assert losses(recorder, tmp_path, shell, CUTS) == []


def test_a_writer_that_never_flushes_would_be_found(
    recorded: Callable[[bool], Recorder], shell: Shell, tmp_path: Path
) -> None:
    assert len(losses(recorded(False), tmp_path, shell, 40)) > 4
