"""The slot record: tries, falling back, proofs, updates; both programs that read it agree; no cut of power harms it."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from epsilon import slots
from epsilon.slots.__main__ import main
from epsilon.slots.partition import COPY_BYTES, PLACES
from epsilon.slots.record import likeliest
from tests.initrd_guest import BUSYBOX
from tools.image import initrd

A, B, NEW = "a" * 16, "b" * 16, "c" * 16
with_busybox = pytest.mark.skipif(not BUSYBOX.is_file(), reason="needs busybox-static")
Shell = Callable[[Path, str], str]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Runs a line of shell after slots.sh, with the programs of the initrd and no others."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for applet in initrd.APPLETS:
        (programs / applet).symlink_to(BUSYBOX)

    def run(partition: Path, line: str) -> str:
        script = f". {initrd.HERE / 'slots.sh'}\nSLOTS={partition}\n{line}"
        done = subprocess.run(
            [BUSYBOX, "sh", "-c", script],
            env={"PATH": str(programs)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def partition(tmp_path: Path) -> Path:
    """A new toy's record."""
    path = tmp_path / "slots"
    path.write_bytes(slots.blank(slots.factory(A, B), size=PLACES[1] + COPY_BYTES))
    return path


def starts(record: slots.Record, count: int) -> list[str | None]:
    """Who is started, so many times one after the other."""
    chosen = []
    for _ in range(count):
        record, name = slots.starting(record)
        chosen.append(name)
    return chosen


def any_record(dice: random.Random) -> slots.Record:
    """Some record that is well formed, whether or not a toy gets there."""

    def slot() -> slots.Slot:
        state = dice.choice(("empty", "new", "good", "bad"))
        return slots.Slot(state, dice.randrange(4), dice.choice((A, B, "-")))

    return slots.Record(dice.randrange(1, 10**6), dice.choice("ab"), slot(), slot())


def test_three_failed_starts_fall_back_and_both_bad_is_trouble_with_one_try_a_power_on() -> None:
    assert starts(slots.factory(A, B), 10) == ["a", "a", "a", "b", "b", "b", None, "a", None, "a"]
    assert starts(slots.factory(A), 6) == ["a", "a", "a", None, "a", None]


def test_in_trouble_the_slot_that_was_good_once_has_the_try() -> None:
    record = slots.Record(1, "a", slots.Slot("bad", 0, A), slots.Slot("good", 0, B))
    assert starts(record, 3) == [None, "b", None]
    assert likeliest(slots.Record(1, "a", slots.Slot(), slots.Slot())) is None


def test_a_proof_gives_all_tries_back_and_puts_the_slot_first() -> None:
    record = slots.factory(A, B)
    for _ in range(3):
        record, _ = slots.starting(record)
    record, name = slots.starting(record)
    assert name == "b"
    record = slots.good(record, "b")
    assert record.first == "b" and record.b == slots.Slot("good", 3, B)
    assert record.a == slots.Slot("bad", 0, A), "it never proved itself"


def test_a_good_slot_that_lost_its_tries_to_a_child_at_the_switch_stays_a_spare() -> None:
    record = slots.Record(9, "a", slots.Slot("good", 0, A), slots.Slot("good", 2, B))
    assert slots.good(record, "b").a == slots.Slot("good", 1, A)


def test_an_update_is_tried_first_and_what_it_replaces_is_never_started_half_written() -> None:
    record = slots.good(slots.starting(slots.factory(A, B))[0], "a")
    record = slots.emptied(record, "b")
    assert starts(record, 4)[:3] == ["a"] * 3 and record.b == slots.Slot()
    record = slots.filled(record, "b", NEW)
    assert starts(record, 4) == ["b", "b", "b", "a"]


def test_a_written_record_is_read_again(partition: Path) -> None:
    dice = random.Random(1)
    for _ in range(50):
        record = any_record(dice)
        assert slots.parse(slots.line_of(record).encode()) == record
        partition.write_bytes(slots.blank(record))
        assert slots.read(partition) == record


def test_every_flipped_bit_of_a_copy_is_noticed(partition: Path) -> None:
    whole = partition.read_bytes()
    line = len(whole.split(b"\n", 1)[0])
    for place in range(line):
        damaged = bytearray(whole[:COPY_BYTES])
        damaged[place] ^= 1 << place % 8
        assert slots.parse(bytes(damaged)) is None, place


def test_a_change_leaves_the_copy_that_counts_alone(partition: Path) -> None:
    for number in range(2, 8):
        before = partition.read_bytes()
        slots.change(partition, lambda record: slots.starting(record)[0])
        after = partition.read_bytes()
        touched = [place for place in PLACES if before[place:][:COPY_BYTES] != after[place:][:COPY_BYTES]]
        assert len(touched) == 1
        old = slots.parse(before[touched[0] :][:COPY_BYTES])
        assert old is None or old.count < number - 1 or number == 2
        record = slots.read(partition)
        assert record is not None and record.count == number


def test_an_unreadable_record_is_taken_for_a_new_one(partition: Path) -> None:
    partition.write_bytes(bytes(1 << 20))
    assert slots.read(partition) is None
    assert slots.change(partition, lambda record: record) == slots.LOST


def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    with pytest.raises(slots.SlotError, match="cannot be opened"):
        slots.read(tmp_path / "none")


@with_busybox
def test_the_shell_and_this_program_choose_alike_and_write_the_same_bytes(
    partition: Path, tmp_path: Path, shell: Shell
) -> None:
    dice = random.Random(7)
    for _ in range(40):
        record = any_record(dice)
        partition.write_bytes(slots.blank(record))
        mine = tmp_path / "mine"
        mine.write_bytes(slots.blank(record))
        expected, name = slots.starting(record)
        chosen = shell(partition, "read_record; choose; echo $chosen")
        assert chosen == (name or "trouble")
        assert slots.read(partition) == slots.Record(
            record.count + (expected != record), expected.first, expected.a, expected.b
        )
        if expected != record:
            slots.change(mine, lambda before: slots.starting(before)[0])
            assert partition.read_bytes() == mine.read_bytes()


@with_busybox
@pytest.mark.parametrize(
    ("states", "likely"), [("bad good", "b"), ("bad new", "a"), ("empty bad", "b"), ("empty empty", "")]
)
def test_the_shell_and_this_program_agree_which_slot_is_likely_sound(
    partition: Path, shell: Shell, states: str, likely: str
) -> None:
    a, b = (slots.Slot(state) for state in states.split())
    record = slots.Record(1, "a", a, b)
    partition.write_bytes(slots.blank(record))
    assert (likeliest(record) or "") == likely
    assert shell(partition, "read_record; choose; echo $likely") == likely


@with_busybox
def test_the_shell_reads_the_newer_sound_copy(partition: Path, shell: Shell) -> None:
    words = "read_record; echo $count $first $a_state $a_tries $b_identity"
    slots.change(partition, lambda record: slots.good(record, "b"))
    assert shell(partition, words) == f"2 b new 3 {B}"
    with partition.open("r+b") as file:
        file.seek(PLACES[1])
        file.write(b"epsilon-slots 1 99")
    assert shell(partition, words) == f"1 a new 3 {B}"
    partition.write_bytes(os.urandom(PLACES[1]))
    assert shell(partition, f"{words}; echo") == "0 a new 3 -"


def test_marking_good_needs_a_started_slot_and_writes_only_once(tmp_path: Path) -> None:
    assert slots.mark_good(tmp_path) is None
    (tmp_path / "slots").write_bytes(slots.blank(slots.factory(A, B)))
    assert slots.mark_good(tmp_path) is None, "nothing says which slot was started"
    (tmp_path / "running").symlink_to("root_b")
    first, second = slots.mark_good(tmp_path), slots.mark_good(tmp_path)
    assert first is not None and first.b.state == "good" and first.first == "b"
    assert second == first, "no write where nothing changes"


def test_rauc_asks_and_is_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "slots").write_bytes(slots.blank(slots.factory(A)))
    (tmp_path / "running").symlink_to("root_a")

    def ask(*words: str) -> str:
        assert main([*words, "--devices", str(tmp_path)]) == 0
        return capsys.readouterr().out.strip()

    assert ask("get-primary") == "a" and ask("get-state", "b") == "bad"
    assert ask("good").startswith("epsilon-slots 1 2 a a good 3")
    ask("set-state", "b", "bad")
    ask("set-primary", "b")
    assert ask("get-primary") == "b" and ask("get-state", "b") == "good"
    assert " b new 3 - " in ask("show")
    ask("set-state", "b", "bad")
    assert ask("get-primary") == "a"


def test_a_wrong_slot_or_state_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["get-state", "c", "--devices", str(tmp_path)]) == 2
    assert "no slot 'c'; there are: a, b" in capsys.readouterr().err
    assert main(["set-state", "a", "god", "--devices", str(tmp_path)]) == 2
    assert "did you mean good?" in capsys.readouterr().err
