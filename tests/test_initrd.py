"""The init of a toy, started by a real kernel: tries, falling back, trouble without a loop, damaged records."""

from __future__ import annotations

import gzip
import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from epsilon import slots
from tests import initrd_guest
from tools.image import initrd

A, B = "a" * 16, "b" * 16
Machine = Callable[..., initrd_guest.Guest]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose slots hold `first` and `second`, each ending by poweroff (sound) or reboot (a failed start)."""
    if absent := initrd_guest.missing():
        pytest.skip(f"not installed: {', '.join(absent)}")

    def make(first: str = "poweroff", second: str = "poweroff") -> initrd_guest.Guest:
        guest = initrd_guest.Guest(tmp_path)
        guest.write("slots", slots.blank(slots.factory(A, B)))
        guest.write("root_a", initrd_guest.tiny_root(tmp_path, "first", first))
        guest.write("root_b", initrd_guest.tiny_root(tmp_path, "second", second))
        return guest

    return make


def started(lines: list[str]) -> str:
    """Who was started, of what the machine said."""
    return next((line for line in lines if line.startswith("STARTED")), "nobody")


@pytest.mark.image
def test_three_bad_starts_fall_back_and_then_six_are_trouble_but_no_loop(machine: Machine) -> None:
    guest = machine(first="reboot", second="reboot")
    seen = [started(guest.start()) for _ in range(8)]
    assert seen == [
        *["STARTED first from root_a"] * 3,
        *["STARTED second from root_b"] * 3,
        "STARTED first from root_a --unit=epsilon-trouble.target",
        "STARTED first from root_a",  # somebody turned it on again: one more try
    ]
    assert "--unit=epsilon-trouble.target" in started(guest.start())


@pytest.mark.image
def test_a_slot_that_proves_itself_keeps_its_tries(machine: Machine) -> None:
    guest = machine()
    assert "ON TRIAL" in guest.start()
    record = guest.record()
    assert record is not None and record.a == slots.Slot("new", 2, A)
    guest.write("slots", slots.blank(slots.good(record, "a")))
    lines = guest.start()
    assert "STARTED first from root_a" in lines and "ON TRIAL" not in lines


@pytest.mark.image
def test_a_slot_that_cannot_be_mounted_is_given_up_at_once(machine: Machine) -> None:
    guest = machine()
    guest.write("root_a", bytes(4096))
    lines = guest.start()
    assert "epsilon: slot a cannot be mounted" in lines
    assert started(lines) == "STARTED second from root_b"
    record = guest.record()
    assert record is not None and (record.a.tries, record.b.tries) == (0, 2)


@pytest.mark.image
def test_trouble_speaks_from_the_slot_that_can_be_mounted(machine: Machine) -> None:
    guest = machine()
    guest.write("root_a", bytes(4096))
    guest.write("slots", slots.blank(slots.Record(7, "a", slots.Slot("good", 0, A), slots.Slot("bad", 0, B))))
    lines = guest.start()
    assert started(lines) == "STARTED second from root_b --unit=epsilon-trouble.target"
    assert "IN TROUBLE" in lines, "a stick with an update is welcome then"
    record = guest.record()
    assert record is not None and (record.a.tries, record.b.tries) == (0, 1)


@pytest.mark.image
def test_without_any_system_the_toy_goes_dark(machine: Machine) -> None:
    guest = machine()
    for name in ("root_a", "root_b"):
        guest.write(name, bytes(4096))
    assert guest.start()[-1] == "epsilon: trouble: no slot can be mounted"
    assert guest.start("epsilon.disk=vdz")[-1] == "epsilon: trouble: no disk with a partition called slots"


@pytest.mark.image
def test_an_unreadable_record_is_taken_for_a_new_one_and_one_torn_copy_for_nothing(machine: Machine) -> None:
    guest = machine()
    guest.write("slots", bytes(1 << 20))
    lines = guest.start()
    assert "epsilon: the slot record cannot be read; both slots are tried anew" in lines
    assert guest.record() == slots.Record(1, "a", slots.Slot("new", 2), slots.Slot("new", 3))
    guest.write("slots", b"epsilon-slots 1 9")
    assert started(guest.start()) == "STARTED first from root_a"


@pytest.mark.image
def test_a_hang_before_the_system_feeds_it_is_ended_by_the_watchdog(machine: Machine) -> None:
    guest = machine(first="sleep 100000 #", second="sleep 100000 #")
    dog = ("-device", "i6300esb", "-action", "watchdog=poweroff")
    assert started(guest.start("epsilon.watchdog=1", *dog)) == "STARTED first from root_a"


def test_nothing_that_cannot_be_opened_ends_the_init() -> None:
    names = r":|\.|break|continue|eval|exec|export|readonly|return|set|shift|trap|unset"
    special = rf"(^|[;&|({{]\s*)({names})(\s[^;&|#]*)?[<>]"
    lines = [
        line.strip()
        for script in ("init", "slots.sh")
        for line in (initrd.HERE / script).read_text().splitlines()
    ]
    assert [line for line in lines if re.search(special, line)] == [], (
        "a shell ends where one of these is redirected in vain"
    )


def test_the_archive_is_the_same_every_time_and_modules_are_unpacked(tmp_path: Path) -> None:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"a program")
    plain, packed = tmp_path / "one.ko", tmp_path / "two.ko.xz"
    plain.write_bytes(b"first module")
    packed.write_bytes(lzma.compress(b"second module"))
    archives = []
    for name in ("x", "y"):
        initrd.build(tmp_path / name, busybox, [packed, plain])
        archives.append((tmp_path / name).read_bytes())
    assert archives[0] == archives[1]
    content = gzip.decompress(archives[0])
    assert content.startswith(b"070701") and b"TRAILER!!!" in content
    assert b"second module" in content and b"two.ko\none.ko\n" in content


@pytest.mark.skipif(not initrd_guest.BUSYBOX.is_file(), reason="needs busybox-static")
def test_the_init_calls_nothing_that_is_not_in_the_archive() -> None:
    scripts = [(initrd.HERE / name).read_text(encoding="utf-8") for name in ("init", "slots.sh")]
    text = re.sub(r"^#.*|  # .*|say .*|go_dark \".*", "", "\n".join(scripts), flags=re.MULTILINE)
    known = set(initrd_guest.run(str(initrd_guest.BUSYBOX), "--list").split())
    of_the_shell = {"[", "ash", "echo", "printf", "test", "true"}
    called = known & set(re.findall(r"[a-z0-9_]+", text)) - of_the_shell
    files = {"busybox", "uevent", "watchdog"}  # names of files, here
    assert called - files <= set(initrd.APPLETS)
    assert set(initrd.APPLETS) - {"sh"} <= called
