"""The plain parts of tools/image: what is chosen, locked, laid out and written down. Nothing is built or fetched."""

from __future__ import annotations

import contextlib
import json
import zipfile
from pathlib import Path

import pytest
import yaml

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from tools.image import apt, base, bill, disk, home, kernel, vendor, wheels
from tools.image.base import Package
from tools.image.build import Order
from tools.image.steps import ImageError, Steps, whole

DEBIAN = """\
# a remark
Types: deb
URIs: mirror://debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: mirror://security
Suites: bookworm-security
Components: main

Types: deb
URIs: mirror://other
Suites: nodistro
Components: main

Types: deb
URIs: mirror://off
Suites: bookworm
Enabled: no
"""


def order(name: str, tmp_path: Path) -> Order:
    board = load_board(name)
    return Order(board, load_character(board.character), tmp_path, tmp_path, tmp_path)


def test_the_machines_sources_of_a_suite_are_taken_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEBIAN)
    found = apt.sources("bookworm", tmp_path)
    assert "mirror://debian" in found and "mirror://security" in found
    assert "mirror://other" not in found and "mirror://off" not in found and "remark" not in found
    assert "Suites: bookworm-backports" in apt.sources("bookworm-backports", tmp_path)


def test_sources_in_the_older_form_are_understood(tmp_path: Path) -> None:
    lines = "deb [signed-by=/k.gpg] mirror://debian bookworm main contrib\n# deb mirror://x bookworm main\n"
    (tmp_path / "sources.list").write_text(lines)
    found = apt.sources("bookworm", tmp_path)
    assert found.split("\n")[:4] == [
        "Types: deb",
        "URIs: mirror://debian",
        "Suites: bookworm",
        "Components: main contrib",
    ]
    assert "Signed-By: /k.gpg" in found and "mirror://x" not in found


def test_a_machine_without_that_suite_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"knows no suite 'bookworm'.*--sources"):
        apt.sources("bookworm", tmp_path)


def test_a_machine_that_cannot_run_the_architecture_is_told_what_to_do(tmp_path: Path) -> None:
    base.demand_emulator("amd64", "x86_64", tmp_path)
    with pytest.raises(ImageError, match=r"mount -t binfmt_misc.*update-binfmts --enable qemu-aarch64"):
        base.demand_emulator("arm64", "x86_64", tmp_path)
    (tmp_path / "qemu-aarch64").touch()
    base.demand_emulator("arm64", "x86_64", tmp_path)
    with pytest.raises(ImageError, match="amd64 or arm64"):
        base.demand_emulator("riscv64", "x86_64", tmp_path)


def test_versions_that_moved_since_the_lock_are_named() -> None:
    status = "Package: a\nStatus: install ok installed\nVersion: 2\n\nPackage: b\nStatus: deinstall ok config-files\n"
    packages = base.installed(status)
    assert packages == [Package("a", "2", "a")]
    assert base.moved(packages, base.render_lock(packages)) == []
    assert base.moved(packages, "a 1\nc 3\n") == ["a: 2, locked 1", "c: absent, locked 3"]


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_every_package_that_a_board_may_need_is_locked_by_checksum(architecture: str) -> None:
    lock = wheels.read_lock(wheels.lock_path(architecture).read_text("utf-8"))
    assert set(lock) == {name.lower() for name in wheels.everything()}
    assert all("--hash=sha256:" in line for line in lock.values())


def test_a_board_gets_what_its_engines_and_pins_need() -> None:
    plain, pins = wheels.wanted(load_board("qemu-arm64")), wheels.wanted(load_board("raspberrypi5"))
    assert not [name for name in plain if name.startswith(("lgpio", "pocketsphinx", "openvino"))]
    assert "lgpio==0.2.2.0" in pins


def test_a_package_without_checksum_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"no checksum for nothing==1.*--lock"):
        wheels.fetch("amd64", ["nothing==1"], tmp_path, Steps(1, tmp_path / "log"))


def test_a_wheel_is_unpacked_without_scripts_and_tests(tmp_path: Path) -> None:
    path = tmp_path / "x-1-py3-none-any.whl"
    members = (
        *("x/__init__.py", "x/tests/test_x.py", "x/a.pyi", "x-1.data/scripts/run", "x-1.data/purelib/y.py"),
        *("x-1.dist-info/METADATA", "../evil.py"),
    )
    with zipfile.ZipFile(path, "w") as wheel:
        for name in members:
            wheel.writestr(name, "")
    wheels.unpack([path], tmp_path / "site")
    found = {
        str(file.relative_to(tmp_path / "site")) for file in (tmp_path / "site").rglob("*") if file.is_file()
    }
    assert found == {"x/__init__.py", "y.py", "x-1.dist-info/METADATA"}
    assert not (tmp_path / "evil.py").exists()


MODULES = """\
kernel/sound/core/snd.ko: kernel/sound/soundcore.ko
kernel/sound/soundcore.ko:
kernel/drivers/net/ethernet/e1000.ko:
kernel/drivers/usb/gadget/function/u_ether.ko:
kernel/drivers/leds/leds-net.ko: kernel/net/core/net.ko
kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio.ko: kernel/drivers/virtio/virtio_ring.ko
kernel/drivers/virtio/virtio_ring.ko:
kernel/drivers/watchdog/i6300esb.ko:
kernel/drivers/scsi/sd_mod.ko.xz: kernel/drivers/scsi/scsi_mod.ko.xz
kernel/drivers/scsi/scsi_mod.ko.xz:
kernel/drivers/gpu/drm.ko:
"""


def test_no_module_of_a_network_card_is_kept() -> None:
    kept = kernel.chosen(kernel.dependencies(MODULES))
    names = {kernel.module_name(file) for file in kept}
    assert names == {
        *("snd", "soundcore", "virtio_blk", "virtio", "virtio_ring", "i6300esb", "sd_mod", "scsi_mod"),
    }


def test_modules_of_the_initrd_come_after_what_they_need() -> None:
    order_ = [kernel.module_name(file) for file in kernel.early(kernel.dependencies(MODULES))]
    assert order_ == ["virtio_ring", "virtio", "virtio_blk", "scsi_mod", "sd_mod", "i6300esb"]


def test_a_board_file_gets_another_character() -> None:
    assert yaml.safe_load(home.with_character("a: 1\ncharacter: odette # x\nb: 2\n", "bram")) == {
        "a": 1,
        "character": "bram",
        "b": 2,
    }
    assert yaml.safe_load(home.with_character("extends: rk3588\n", "bram"))["character"] == "bram"


def test_the_files_that_a_board_extends_go_along() -> None:
    assert [path.stem for path in home.chain(load_board("qemu-x86").path)] == ["qemu-x86", "qemu-arm64"]


@pytest.mark.parametrize("name", ["qemu-x86", "orangepi5"])
def test_a_toy_moves_into_a_root_whole_and_alone(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "usr/lib/python3/dist-packages").mkdir(parents=True)
    (tmp_path / "usr/bin").mkdir()
    board, character = load_board(name), load_character("bram")
    models = home.install(tmp_path, board, character)
    assert models and all(model.files for model in models)
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path / home.HOME))
    inside = load_board(name)  # reads the copy: character, models and engines are all there
    assert inside.character == "bram"
    assert [path.name for path in (tmp_path / home.HOME / "characters").iterdir()] == ["bram"]
    assert not list((tmp_path / home.HOME).rglob("dialogues*"))
    assert not list((tmp_path / home.HOME).rglob("__pycache__"))


def test_the_host_has_no_image(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="'host' has no image"):
        _ = order("host", tmp_path).architecture


def test_what_is_wanting_is_said_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = load_board("orangepi5")
    given = tmp_path / "u-boot"
    monkeypatch.setattr("epsilon.config.folders.input_path", lambda name, file: tmp_path / file)
    found, wanting = vendor.sort_out(board)
    assert not found and len(wanting) == len(board.image.inputs)
    assert all(str(tmp_path) in line for line in wanting)
    given = tmp_path / board.image.inputs["boot_loader"].file
    given.write_bytes(b"x")
    found, wanting = vendor.sort_out(board)  # its checksum is not known yet: it is told, and not trusted
    assert not found and wheels.sha256(given) in "\n".join(wanting)


def test_the_layout_names_every_partition_and_repeats_itself(tmp_path: Path) -> None:
    part = disk.Part("root_a", disk.ROOTS["arm64"], tmp_path / "root.img", 384)
    raw = [("boot_loader", tmp_path / "u-boot.bin", 32768)]
    text = disk.layout("disk.img", [disk.Part("boot", disk.ESP, tmp_path / "boot.img"), part], raw, "x")
    assert text == disk.layout(
        "disk.img", [disk.Part("boot", disk.ESP, tmp_path / "boot.img"), part], raw, "x"
    )
    assert text.count("offset = 16M") == 1 and "offset = 32768" in text
    assert "size = 384M" in text and disk.identity("x", "root_a") in text
    assert disk.identity("x", "root_a") != disk.identity("y", "root_a")


def test_the_bill_names_packages_models_and_checksums_and_repeats_itself() -> None:
    items = [
        bill.Item("library", "numpy", "2", "BSD-3-Clause", "pkg:pypi/numpy@2", ("ab",), text="text of BSD"),
        bill.Item("machine-learning-model", "pocket/mind", "1", "Apache-2.0", hashes=("cd", "ef")),
        bill.Item(
            "library",
            "libc6",
            "2.36",
            bill.SEE_TEXT,
            "pkg:deb/debian/libc6@2.36?arch=arm64",
            text="text of BSD",
        ),
    ]
    text = bill.cyclonedx("image", "1", items)
    assert text == bill.cyclonedx("image", "1", items)
    told = json.loads(text)
    assert told["bomFormat"] == "CycloneDX" and len(told["components"]) == 3
    assert len({one["bom-ref"] for one in told["components"]}) == 3
    assert told["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "ab"}]
    listed = bill.licences("image", items)
    assert (
        listed.count("text of BSD") == 1 and "numpy, libc6" in listed and "libc6 2.36: see the text" in listed
    )


def test_licences_are_read_from_debians_copyright_files() -> None:
    assert (
        bill.debian_licence("Format: x\n\nLicense: MIT\n text\nLicense: GPL-2+\nLicense: MIT\n")
        == "MIT, GPL-2+"
    )
    assert bill.debian_licence("This is free software.") == bill.SEE_TEXT


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError), whole(tmp_path / "x") as part:
        part.write_text("half")
        raise ValueError
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_package_is_no_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = apt.Shelf(tmp_path / "shelf", "amd64", "", Steps(1, tmp_path / "log"))
    monkeypatch.setattr(shelf, "_real_name", lambda package: package)
    monkeypatch.setattr(shelf, "_apt", lambda *command: "Filename: pool/x_1_amd64.deb\nVersion: 1\n")
    with contextlib.suppress(ImageError):
        shelf.fetch(f"linux-image-$(touch {tmp_path}/run)")
    assert not (tmp_path / "run").exists()


def test_a_failed_program_shows_the_end_of_what_it_said(tmp_path: Path) -> None:
    steps = Steps(1, tmp_path / "log")
    with pytest.raises(ImageError, match="ended with code 3: the reason"):
        steps.run(["sh", "-c", "echo the reason; exit 3"])
    with pytest.raises(ImageError, match="no program 'no-such-program'"):
        steps.run(["no-such-program"])
