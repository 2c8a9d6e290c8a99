"""Update bundles: a good one is tried next; damaged, cut, foreign and older ones leave the toy exactly as it was."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from epsilon import slots
from epsilon.__main__ import main
from epsilon.updates import fit, installing, sticks
from epsilon.updates.bundle import UpdateError, inspect, meaning
from tests.toy_disk import SLOT_BYTES, ToyDisk, made_up_image
from tools import bundle as bundles
from tools.bundle import keys
from tools.bundle.__main__ import main as tool

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("rauc", "unsquashfs", "openssl"))),
    reason="needs rauc, squashfs-tools, openssl",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and one good bundle, made once: signing is the slow part."""
    folder = tmp_path_factory.mktemp("made")
    ToyDisk(folder).bundle()
    return folder


@pytest.fixture
def toy(made: Path, tmp_path: Path) -> ToyDisk:
    """A toy that knows those keys."""
    shutil.copytree(made / "keys", tmp_path / "keys")
    return ToyDisk(tmp_path)


@pytest.fixture
def good(made: Path, tmp_path: Path) -> Path:
    """A copy of the good bundle, to be spoilt."""
    return Path(shutil.copy(made / "new.raucb", tmp_path / "new.raucb"))


def snapshot(toy: ToyDisk) -> dict[str, bytes]:
    """Everything an update could have touched."""
    return {name: (toy.devices / name).read_bytes() for name in ("slots", "root_a", "root_b")}


def take(toy: ToyDisk, path: Path, again: bool = False) -> str:
    """What `epsilon update` does."""
    return installing.install(installing.check(path, toy.places, again), toy.places, lambda step, share: None)


def refused(toy: ToyDisk, path: Path) -> str:
    """Why the bundle is refused; nothing on the disk may have changed."""
    before = snapshot(toy)
    with pytest.raises(UpdateError) as refusal:
        take(toy, path)
    assert snapshot(toy) == before
    assert not list(toy.places.scratch.iterdir()) if toy.places.scratch.exists() else True
    return str(refusal.value)


def test_a_good_bundle_is_written_whole_and_tried_next(toy: ToyDisk, good: Path) -> None:
    assert take(toy, good) == "b"
    image = made_up_image(3)
    assert (toy.devices / "root_b").read_bytes()[: len(image)] == image
    record = toy.record()
    assert record.first == "b"
    assert record.b == slots.Slot("new", 3, slots.identity(hashlib.sha256(image).hexdigest()))
    assert record.a.state == "good" and record.a.tries == 3


def test_a_slot_that_cannot_be_had_is_said_before_anything_is_unpacked(
    toy: ToyDisk, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick with two partitions starts two updates at once: memory is there for one."""
    (toy.devices / "root_b").unlink()
    monkeypatch.setattr(installing, "unpack", lambda *given: pytest.fail("unpacked"))
    with pytest.raises(UpdateError, match="root_b: cannot be written"):
        take(toy, good)


def test_what_an_update_left_that_was_killed_is_taken_away(toy: ToyDisk, good: Path) -> None:
    left = toy.places.scratch / "tmp1" / "content" / "rootfs.img"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    take(toy, good)
    assert not list(toy.places.scratch.iterdir())


@pytest.mark.parametrize("place", [0, 100, 4096, 150_000, 299_000, 303_000, -3000, -1200, -600, -100, -9, -1])
def test_a_flipped_bit_anywhere_is_noticed(toy: ToyDisk, good: Path, place: int) -> None:
    content = bytearray(good.read_bytes())
    content[place] ^= 0x10
    good.write_bytes(content)
    assert "new.raucb: the bundle" in refused(toy, good)


def test_a_damaged_image_is_found_although_the_signed_manifest_is_whole(toy: ToyDisk, good: Path) -> None:
    content = bytearray(good.read_bytes())
    content[150_000] ^= 0x10
    good.write_bytes(content)
    assert inspect(good, toy.places.conf).version == "1.3.0", "this is why checking means unpacking"
    assert "the bundle is damaged" in refused(toy, good)


@pytest.mark.parametrize("kept", [0, 10, 5000, 200_000, 0.9, 0.999])
def test_a_bundle_that_is_cut_short_is_refused(toy: ToyDisk, good: Path, kept: float) -> None:
    content = good.read_bytes()
    good.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    assert "new.raucb: the bundle is cut short, or none at all" in refused(toy, good)


def test_a_bundle_signed_by_somebody_else_is_refused(toy: ToyDisk, good: Path, tmp_path: Path) -> None:
    keys.make(tmp_path / "others")
    shutil.copy(tmp_path / "others" / "keyring.pem", toy.root / "etc/rauc/keyring.pem")
    assert "signed with another key" in refused(toy, good)


def test_a_bundle_without_the_safe_format_is_refused(toy: ToyDisk, tmp_path: Path) -> None:
    content = tmp_path / "content"
    content.mkdir()
    (content / "rootfs.img").write_bytes(made_up_image(3))
    manifest = "[update]\ncompatible=epsilon qemu-x86 bram\nversion=9\n[image.rootfs]\nfilename=rootfs.img\n"
    (content / "manifest.raucm").write_text(manifest)
    signing = [f"--cert={toy.keys / 'update.pem'}", f"--key={toy.keys / 'update.key'}"]
    out = tmp_path / "plain.raucb"
    subprocess.run(["rauc", "bundle", *signing, content, out], check=True, capture_output=True)
    assert "a kind that is not accepted" in refused(toy, out)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("board", "rock5b", "the bundle is for 'epsilon rock5b bram', this toy is 'epsilon qemu-x86 bram'"),
        ("character", "odette", "the bundle is for 'epsilon qemu-x86 odette'"),
        ("version", "1.1.9", "version 1.1.9 is older than 1.2.0"),
        ("kernel", "6.1.0-57-amd64", "needs the kernel 6.1.0-57-amd64, this toy has 6.1.0-56-amd64"),
    ],
)
def test_what_is_not_for_this_toy_is_refused(toy: ToyDisk, key: str, value: str, said: str) -> None:
    facts = toy.facts | {"version": "1.3.0", key: value}
    image, out = toy.folder / "root.img", toy.folder / "foreign.raucb"
    image.write_bytes(made_up_image(3))
    bundles.make(image, facts, toy.keys, out)
    assert said in refused(toy, out)


@pytest.mark.parametrize(
    ("one", "than", "is_older"),
    [
        ("1.2", "1.2.0", False),
        ("1.9.0", "1.10.0", True),
        ("1.10.0", "1.9.0", False),
        ("1.2.0", "1.2.0+20270131", True),
        ("1.2.0+20270131.2", "1.2.0+20270131", False),
        ("2", "10", True),
    ],
)
def test_versions_are_numbers(one: str, than: str, is_older: bool) -> None:
    assert fit.older(one, than) is is_older


def test_what_is_no_version_is_said() -> None:
    with pytest.raises(UpdateError, match=r"'v1' is no version \(numbers between dots"):
        fit.older("v1", "1")


def test_the_version_that_runs_or_waits_is_not_installed_again(toy: ToyDisk, good: Path) -> None:
    identity = slots.identity(inspect(good, toy.places.conf).sha256)
    toy.set_record(slots.Record(5, "a", slots.Slot("good", 3, identity), slots.Slot()))
    assert "this is the version that runs" in refused(toy, good)
    toy.set_record(slots.Record(5, "b", slots.Slot("good", 3, "a" * 16), slots.Slot("new", 3, identity)))
    assert "installed already" in refused(toy, good)


def test_a_version_that_failed_here_is_taken_only_when_asked_again(toy: ToyDisk, good: Path) -> None:
    identity = slots.identity(inspect(good, toy.places.conf).sha256)
    failed = slots.Slot("bad", 0, identity)
    # while the toy starts from the other slot again: a stick that was left in is looked at before that has spoken
    failing = slots.Slot("new", 0, identity)
    for slot in (failed, failing):
        toy.set_record(slots.Record(5, "a", slots.Slot("good", 3, "a" * 16), slot))
        assert "failed to start on this toy (--again tries it once more)" in refused(toy, good)
    assert take(toy, good, again=True) == "b"


def test_a_system_that_has_not_proved_itself_takes_no_update(toy: ToyDisk, good: Path) -> None:
    toy.set_record(slots.factory("a" * 16, "b" * 16))
    assert "has not proved itself yet" in refused(toy, good)


def test_a_toy_in_trouble_takes_an_update_as_its_rescue(toy: ToyDisk, good: Path) -> None:
    toy.set_record(slots.Record(9, "a", slots.Slot("new", 1, "a" * 16), slots.Slot("bad", 0, "b" * 16)))
    (toy.devices / "trouble").symlink_to("root_a")
    assert slots.mark_good(toy.devices) is None, "what says that nothing starts has proved nothing"
    assert take(toy, good) == "b"
    assert slots.starting(toy.record())[1] == "b"


def test_an_image_larger_than_the_slot_is_refused(toy: ToyDisk) -> None:
    assert "does not fit the slot" in refused(toy, toy.bundle(size=SLOT_BYTES + 1))


def test_without_room_to_unpack_nothing_begins(
    toy: ToyDisk, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "SPARE", 1 << 60)
    assert "unpacking needs" in refused(toy, good)


def test_a_disk_that_fails_while_it_is_written_leaves_the_toy_starting_as_before(
    toy: ToyDisk, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite

    def fail(disk: int, data: bytes, place: int) -> int:
        if len(data) > 100_000:
            raise OSError(5, "Input/output error")
        return real(disk, data, place)

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(UpdateError, match="the disk does not take it: Input/output error"):
        take(toy, good)
    assert toy.record().b == slots.Slot() and slots.starting(toy.record())[1] == "a"


def test_a_disk_that_keeps_something_else_is_noticed(
    toy: ToyDisk, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pread
    monkeypatch.setattr(
        os, "pread", lambda disk, size, place: real(disk, size, place).replace(b"\x07", b"\x08")
    )
    with pytest.raises(UpdateError, match="the disk keeps something else"):
        take(toy, good)
    monkeypatch.undo()
    assert toy.record().b == slots.Slot() and slots.starting(toy.record())[1] == "a"


def test_a_stick_that_answers_differently_the_second_time_is_caught_by_the_checksum(
    toy: ToyDisk, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = toy.folder / "other.img"
    other.write_bytes(made_up_image(5))
    monkeypatch.setattr(installing, "unpack", lambda bundle, folder, conf: other)
    with pytest.raises(UpdateError, match="the bundle holds another image than it says"):
        take(toy, good)
    assert toy.record().b == slots.Slot()


def test_the_command_says_what_it_does(toy: ToyDisk, good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["update", str(good), "--root", str(toy.root), "--check"]) == 0
    assert "version 1.3.0, signed, and for this toy" in capsys.readouterr().out
    assert main(["update", str(good), "--root", str(toy.root)]) == 0
    streams = capsys.readouterr()
    assert "version 1.3.0 is in slot b and starts when the toy is next turned on" in streams.out
    assert streams.err.splitlines() == ["checking the bundle …", "writing …", "reading back …"]
    assert main(["update", str(good), "--root", str(toy.root)]) == 2
    assert "installed already" in capsys.readouterr().err


def test_off_a_toy_the_command_says_so(
    tmp_path: Path, toy: ToyDisk, good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["update", str(tmp_path / "none.raucb"), "--root", str(toy.root)]) == 2
    assert "none.raucb: there is no such bundle" in capsys.readouterr().err
    toy.places.facts.unlink()
    assert main(["update", str(good), "--root", str(toy.root)]) == 2
    assert "updates are for toys that `make image` made" in capsys.readouterr().err


def test_of_a_stick_the_newest_fitting_bundle_is_taken(toy: ToyDisk, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    newer, newest, foreign = (
        toy.bundle("x", version="1.4.0"),
        toy.bundle("y", version="1.10.0"),
        toy.bundle("z", board="rock5b"),
    )
    for path in (newer, newest, foreign):
        shutil.move(path, stick)
    (stick / "photo.jpg").touch()
    chosen, others = sticks.choose(stick, lambda path: installing.check(path, toy.places))
    assert chosen is not None and chosen.version == "1.10.0"
    assert ["rock5b" in str(other) for other in others] == [True]


def test_of_two_sticks_the_newer_bundle_is_taken(
    toy: ToyDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = {"sda1": "1.4.0", "sdb1": "1.10.0", "sdc1": "1.9.0"}
    for name, version in there.items():
        (tmp_path / name).mkdir()
        shutil.move(toy.bundle(name, version=version), tmp_path / name)
    monkeypatch.setattr(sticks, "own_disk", lambda devices, sysfs: "sdx")
    monkeypatch.setattr(sticks, "foreign", lambda sysfs, own: [*there, "sdd1"])
    known = {name: tmp_path / name for name in there}
    monkeypatch.setattr(sticks, "mounted", lambda name: contextlib.nullcontext(known.get(name)))
    assert main(["update", "--usb", "--check", "--root", str(toy.root)]) == 0
    assert "version 1.10.0" in capsys.readouterr().out


def test_a_stick_that_is_pulled_meanwhile_is_said(tmp_path: Path) -> None:
    chosen, refusals = sticks.choose(tmp_path / "gone", lambda path: pytest.fail(f"{path}"))
    assert chosen is None and "cannot be read" in str(refusals[0])


def test_only_foreign_disks_are_looked_at(tmp_path: Path) -> None:
    for path in ("mmcblk0/mmcblk0p1", "mmcblk0/mmcblk0p2", "sda/sda1", "sdb/queue", "loop0/loop0p1"):
        (tmp_path / "sys/block" / path).mkdir(parents=True)
        (tmp_path / "sys/block" / path / "partition").touch()
    (tmp_path / "sys/block/sdb/queue/partition").unlink()
    devices = tmp_path / "dev/epsilon"
    devices.mkdir(parents=True)
    (tmp_path / "dev/mmcblk0p2").touch()
    (devices / "slots").symlink_to("../mmcblk0p2")
    own = sticks.own_disk(devices, tmp_path / "sys")
    assert own == "mmcblk0"
    assert sticks.foreign(tmp_path / "sys", own) == ["sda1", "sdb"]


def test_keys_are_never_written_over_and_hold_for_ever(tmp_path: Path) -> None:
    assert tool(["keys", str(tmp_path / "keys")]) == 0
    before = (tmp_path / "keys" / "root.key").read_bytes()
    assert tool(["keys", str(tmp_path / "keys")]) == 2
    assert (tmp_path / "keys" / "root.key").read_bytes() == before
    assert (tmp_path / "keys" / "update.key").stat().st_mode & 0o077 == 0
    dates = subprocess.run(
        ["openssl", "x509", "-in", tmp_path / "keys" / "update.pem", "-noout", "-dates"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Jan  1 00:00:00 1970" in dates and "Dec 31 23:59:59 9999" in dates


def test_a_keyring_without_a_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keyring.pem").write_text("x")
    with pytest.raises(UpdateError, match="holds no certificate"):
        bundles.etc("rock5b", "bram", tmp_path / "keyring.pem")


def test_an_image_says_of_itself_what_updates_ask(tmp_path: Path) -> None:
    written = (ROOT / "tools/image/root.py").read_text(encoding="utf-8")
    assert f'"{installing.FACTS}"' in written or "installing import FACTS" in written


def test_the_tool_packs_a_bundle_or_says_what_is_missing(
    toy: ToyDisk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "root.squashfs").write_bytes(made_up_image(6))
    facts = tmp_path / "image.json"
    facts.write_text(json.dumps(toy.facts | {"version": "2.0"}))
    words = ["pack", str(tmp_path / "root.squashfs"), str(facts), "--keys"]
    assert tool([*words, str(toy.keys)]) == 0
    assert take(toy, tmp_path / "root.raucb") == "b"
    assert tool([*words, str(tmp_path)]) == 2
    assert "holds no update.pem (python -m tools.bundle keys FOLDER makes keys)" in capsys.readouterr().err
    facts.write_text(json.dumps(toy.facts | {"version": "two"}))
    assert tool([*words, str(toy.keys)]) == 2
    assert "'two' is no version" in capsys.readouterr().err


def test_what_rauc_says_is_put_into_words() -> None:
    assert meaning("Failed to check bundle: out of cheese") == "the bundle is refused"
    assert bundles.compatible("rock5b", "bram") == "epsilon rock5b bram"


@pytest.mark.skipif(not shutil.which("dbus-run-session"), reason="needs dbus-run-session")
def test_rauc_itself_sees_and_marks_the_slots(toy: ToyDisk, tmp_path: Path) -> None:
    backend = toy.root / "usr/lib/epsilon/slots"
    backend.write_text(
        f'#!/bin/sh\nexec env PYTHONPATH={ROOT} {sys.executable} -m epsilon.slots "$@" --devices {toy.devices}\n'
    )
    backend.chmod(0o755)
    conf = toy.places.conf.read_text(encoding="utf-8").replace("/dev/epsilon", str(toy.devices))
    toy.places.conf.write_text(conf.replace("/usr/lib/epsilon/slots", str(backend)), encoding="utf-8")
    services = tmp_path / "share/dbus-1/services"
    services.mkdir(parents=True)
    service = f"{shutil.which('rauc')} --conf={toy.places.conf} --override-boot-slot=a service"
    (services / "de.pengutronix.rauc.service").write_text(
        f"[D-BUS Service]\nName=de.pengutronix.rauc\nExec={service}\n"
    )
    said = "export DBUS_STARTER_BUS_TYPE=session; rauc status && rauc status mark-active other"
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", said],
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "share")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "Booted from: rootfs.0 (a)" in done.stdout and "Activated: rootfs.0 (a)" in done.stdout
    assert toy.record().first == "b"
