"""What the toy remembers: it lasts, it mends itself, and a disk that refuses is no reason to stop."""

from __future__ import annotations

import errno
import json
import logging
import os
import threading
import zlib
from pathlib import Path
from typing import Any

import pytest

from epsilon.state import JOURNAL, State, state_folder


def journal(folder: Path) -> bytes:
    """The file as it is."""
    return (folder / JOURNAL).read_bytes()


def kept(folder: Path, **values: Any) -> Path:
    """A folder in which these values were kept."""
    state = State.open(folder)
    for name, value in values.items():
        state.set(name, value)
        assert state.save()
    state.close()
    return folder


def test_what_was_saved_is_there_again(tmp_path: Path) -> None:
    kept(tmp_path / "not" / "yet", volume=0.5, names=["Ada", "Bö\n"])
    state = State.open(tmp_path / "not" / "yet")
    assert (state.get("volume"), state.get("names"), state.get("plan", 7)) == (0.5, ["Ada", "Bö\n"], 7)


def test_the_last_value_counts_and_one_that_is_as_it_was_is_not_written(tmp_path: Path) -> None:
    kept(tmp_path, volume=0.5)
    kept(tmp_path, volume=0.6)
    before = journal(tmp_path)
    kept(tmp_path, volume=0.6)
    assert journal(tmp_path) == before
    assert State.open(tmp_path).get("volume") == 0.6


def test_set_alone_is_memory_and_asks_to_be_saved(tmp_path: Path) -> None:
    woken: list[None] = []
    state = State.open(tmp_path, lambda: woken.append(None))
    state.set("volume", 0.5)
    state.set("volume", 0.5)
    assert state.changed and len(woken) == 1 and not (tmp_path / JOURNAL).exists()
    assert state.save() and not state.changed


def test_a_value_that_changes_in_the_hands_of_its_owner_is_still_news(tmp_path: Path) -> None:
    state, names = State.open(tmp_path), ["Ada"]
    state.set("names", names)
    state.save()
    names.append("Bram")
    state.set("names", names)
    assert state.save() and State.open(tmp_path).get("names") == ["Ada", "Bram"]


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"x"])
def test_what_json_has_not_is_refused_where_it_is_set(value: Any) -> None:
    state = State.open(None)
    with pytest.raises((TypeError, ValueError)):
        state.set("volume", value)
    assert state.get("volume") is None and not state.changed


@pytest.mark.parametrize(("value", "found"), [(0.3, 0.3), (1, 1.0), (True, 0.7), ("0.3", 0.7), (1.5, 0.7)])
def test_a_number_is_one_or_the_default_stands(tmp_path: Path, value: Any, found: float) -> None:
    kept(tmp_path, volume=value)
    assert State.open(tmp_path).number("volume", 0.7, low=0, high=1) == found


def test_a_long_journal_is_written_anew(tmp_path: Path) -> None:
    state = State.open(tmp_path, rewrite_bytes=400)
    sizes = []
    for step in range(100):
        state.set("volume", step)
        state.set("names", [f"name {step}"])
        assert state.save()
        sizes.append(len(journal(tmp_path)))
    assert max(sizes) < 500 and min(sizes) < 100
    found = State.open(tmp_path)
    assert (found.get("volume"), found.get("names")) == (99, ["name 99"])
    assert list(tmp_path.iterdir()) == [tmp_path / JOURNAL]


@pytest.mark.parametrize("tail", [b"0", b'00000000 ["volume",1]\n', b"\xff\x00\r\n\n", b'["volume",1]'])
def test_a_torn_end_costs_nothing_before_it_and_nothing_after(tmp_path: Path, tail: bytes) -> None:
    kept(tmp_path, volume=0.5)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(tail)
    state = State.open(tmp_path)
    assert state.get("volume") == 0.5
    state.set("names", ["Ada"])
    assert state.save()
    found = State.open(tmp_path)
    assert (found.get("volume"), found.get("names")) == (0.5, ["Ada"])


def test_every_cut_of_the_last_line_is_survived(tmp_path: Path) -> None:
    whole = journal(kept(tmp_path, volume=0.5, names=["Ada", "Bram"]))
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        (tmp_path / JOURNAL).write_bytes(whole[:end])
        assert State.open(tmp_path).get("volume") == 0.5
        assert State.open(tmp_path).get("names") is None


def test_a_flipped_bit_costs_one_name(tmp_path: Path) -> None:
    whole = bytearray(journal(kept(tmp_path, volume=0.5, names=["Ada"], pauses=0.1)))
    for at in range(whole.index(b"\n")):
        spoilt = bytearray(whole)
        spoilt[at] ^= 0x10
        (tmp_path / JOURNAL).write_bytes(spoilt)
        state = State.open(tmp_path)
        assert (state.get("volume"), state.get("names"), state.get("pauses")) == (None, ["Ada"], 0.1)


@pytest.mark.parametrize("record", ["[]", "7", '{"a": 1}', "[1, 2]", '["volume", 1, 2]', "[", ""])
def test_a_whole_line_by_somebody_else_is_left_out(tmp_path: Path, record: str) -> None:
    line = b"%08x %s\n" % (zlib.crc32(record.encode()), record.encode())
    (tmp_path / JOURNAL).write_bytes(line)
    assert State.open(tmp_path).get("volume") is None


class Disk:
    """Takes the place of `os.write` and refuses while it is full, after a few bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, error: int) -> None:
        self.refuses, self.error, self.calls = False, error, 0
        self.genuine = getattr(os, name)
        monkeypatch.setattr(os, name, self)

    def __call__(self, descriptor: int, *content: bytes) -> Any:
        self.calls += 1
        if not self.refuses:
            return self.genuine(descriptor, *content)
        if content and len(content[0]) > 5:
            return self.genuine(descriptor, content[0][:5])
        raise OSError(self.error, os.strerror(self.error))


@pytest.mark.parametrize(("name", "error"), [("write", errno.ENOSPC), ("fsync", errno.EIO)])
def test_a_disk_that_refuses_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, error: int
) -> None:
    disk = Disk(monkeypatch, name, error)
    state = State.open(kept(tmp_path, volume=0.5))
    disk.refuses = True
    for step in range(5):
        state.set("volume", step)
        state.set("names", [step])
        assert not state.save()
    assert [record.getMessage() for record in caplog.records] == [
        f"what the toy remembers cannot be kept in {tmp_path}: {os.strerror(error)}"
    ]
    assert State.open(tmp_path).get("volume") in (0.5, 0)  # an unflushed line may have arrived
    assert not state.save()  # nothing new, and what there was does not last either
    disk.refuses = False
    assert state.save()
    found = State.open(tmp_path)
    assert (found.get("volume"), found.get("names")) == (4, [4])
    assert "kept again" in caplog.text


def test_a_full_disk_loses_nothing_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, "write", errno.ENOSPC)
    state = State.open(kept(tmp_path, volume=0.5), rewrite_bytes=1)
    disk.refuses = True
    for step in range(3):
        state.set("names", [step])
        assert not state.save()
        assert State.open(tmp_path).get("volume") == 0.5
    assert list(tmp_path.iterdir()) == [
        tmp_path / JOURNAL
    ]  # what could not be finished does not fill the disk


def spoil(folder: Path, how: str) -> Path:
    """A folder that cannot be used, in one of the ways there are."""
    if how == "a file in its place":
        (folder / "state").write_text("x")
    elif how == "a folder in the journal's place":
        (folder / "state" / JOURNAL / "x").mkdir(parents=True)
    elif how == "a link to nowhere":
        (folder / "state").symlink_to("/proc/0/nowhere")
    else:
        return Path("/proc/epsilon/state")
    return folder / "state"


@pytest.mark.parametrize(
    "how", ["a file in its place", "a folder in the journal's place", "a link to nowhere", "no such place"]
)
def test_a_broken_place_is_no_reason_to_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    with caplog.at_level(logging.WARNING):
        state = State.open(spoil(tmp_path, how))
        for volume in (0.4, 0.5):
            state.set("volume", volume)
            assert not state.save()
    assert state.get("volume") == 0.5
    assert 1 <= len(caplog.records) <= 2
    state.close()


def test_without_a_folder_it_is_memory(caplog: pytest.LogCaptureFixture) -> None:
    state = State.open(None)
    state.set("volume", 0.5)
    assert state.get("volume") == 0.5 and not state.save() and not caplog.records


def test_what_is_set_while_it_is_saved_is_saved_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, genuine = State.open(tmp_path), os.fsync
    state.set("volume", 1)

    def fsync(descriptor: int) -> None:
        state.set("volume", 2)
        genuine(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    assert state.save()
    monkeypatch.setattr(os, "fsync", genuine)
    assert state.changed and state.save()
    assert State.open(tmp_path).get("volume") == 2


def test_many_threads_may_set(tmp_path: Path) -> None:
    state = State.open(tmp_path, rewrite_bytes=2000)

    def turn(name: str) -> None:
        for step in range(300):
            state.set(name, step)

    threads = [threading.Thread(target=turn, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert state.save()
    assert state.save()
    assert [State.open(tmp_path).get(str(n)) for n in range(4)] == [299] * 4


def test_the_folder_is_the_named_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPSILON_STATE", "/data/epsilon")
    assert state_folder() == Path("/data/epsilon")
    monkeypatch.delenv("EPSILON_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_folder() == Path("/somewhere/epsilon")


def test_a_line_is_a_checksum_and_json(tmp_path: Path) -> None:
    checksum, _, record = journal(kept(tmp_path, volume=0.5)).rstrip(b"\n").partition(b" ")
    assert json.loads(record) == ["volume", 0.5]
    assert int(checksum, 16) == zlib.crc32(record)
