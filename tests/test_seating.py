"""`epsilon check --board`: what a board comes to, who sits on which core, memory, and what is missing here."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pytest

from epsilon.__main__ import main
from epsilon.config import folders, seating
from epsilon.config.board import Board, load_board

FAMILY = """\
character: tim
audio: {device: wav}
stages:
  capture: {cores: [0], priority: 60, engine: none}
  vad: {cores: [0], engine: silero}
  asr: {cores: [1, 2], engine: whisper, model: ears, runtime: onnx}
  llm: {cores: [3], engine: mistral, model: mind, runtime: onnx}
  phrases: {}
  tts: {cores: [1], engine: styletts2, model: voice, runtime: onnx}
  effects: {}
  playback: {}
soc:
  chip: RK3588
  architecture: arm64
  cores: {all: {kind: Cortex-A76, ids: [0, 1, 2, 3], clock: 2.4 GHz, speed: 0.5}}
  npu: RKNPU
  npu_cores: 2
  gpu: Mali
  memory: 4 GB
"""
BOARD = """\
extends: family
stages: {asr: {runtime: rknn, npu_cores: [1]}}
image:
  kernel: vendor
  inputs:
    vendor: {file: kernel.deb, source: the vendor, sha256: SHA}
    boot_loader: {file: u-boot.bin, source: "the board's maker", at: 32 KiB}
"""
ROW = "{name}: {{kind: {kind}, engine: {engine}, licence: x, source: y, made_by: z, {files}}}\n"
FILES = "files: {f.bin: {size: 5000000, sha256: ab}}"
KERNEL = b"a kernel"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a family, a board of it, and models without their files."""
    for folder in ("boards", "characters/tim", "models"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "boards/family.yaml").write_text(FAMILY)
    (tmp_path / "boards/toy.yaml").write_text(BOARD.replace("SHA", hashlib.sha256(KERNEL).hexdigest()))
    (tmp_path / "characters/tim/character.yaml").write_text("summary: Tim\n")
    kinds = (("ears", "asr", "whisper"), ("mind", "llm", "mistral"), ("voice", "tts", "styletts2"))
    rows = [ROW.format(name=name, kind=kind, engine=engine, files=FILES) for name, kind, engine in kinds]
    (tmp_path / "models/manifest.yaml").write_text("".join(rows))
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return tmp_path


@pytest.fixture
def board(home: Path) -> Board:
    """The board of that folder."""
    return load_board("toy")


def test_every_value_given_is_printed_with_the_file_that_gives_it(board: Board) -> None:
    rows = list(seating.resolved(board.where))
    assert ("boards/family.yaml", "stages.asr", "cores: [1, 2], engine: whisper, model: ears") in rows
    assert ("boards/toy.yaml", "stages.asr", "runtime: rknn, npu_cores: [1]") in rows
    assert (
        "boards/family.yaml",
        "soc.cores.all",
        "kind: Cortex-A76, ids: [0, 1, 2, 3], clock: 2.4 GHz, speed: 0.5",
    ) in rows
    assert ("boards/family.yaml", "", "character: tim") in rows


def test_who_sits_on_which_core(board: Board) -> None:
    seats = {row[0]: row[1:] for row in seating.seats(board)}
    assert seats["core 0"] == ("all: Cortex-A76 2400 MHz, speed 0.5", "capture (real time, priority 60), vad")
    assert seats["core 1"][1] == "asr, tts"
    assert seats["NPU core 0"] == ("RKNPU", "free")
    assert seats["NPU core 1"] == ("RKNPU", "asr")
    assert seats["any core"][1].startswith("phrases, effects, playback")


def test_a_core_without_a_stage_is_free(home: Path) -> None:
    (home / "boards/toy.yaml").write_text("extends: family\nstages: {llm: {cores: [2]}}\n")
    assert ("core 3", "all: Cortex-A76 2400 MHz, speed 0.5", "free") in list(seating.seats(load_board("toy")))


def test_what_runs_where(home: Path) -> None:
    runs = {row[0]: row[1:] for row in seating.placements(load_board("toy"))}
    assert runs["asr"] == ("whisper", "ears", "rknn", "NPU core 1")
    assert runs["llm"] == ("mistral", "mind", "onnx", "CPU")
    assert runs["vad"] == ("silero", "no model", "", "CPU")
    assert runs["turn"] == ("silence", "no model", "", "CPU, beside vad")
    assert "phrases" not in runs
    family = {row[0]: row[1:] for row in seating.placements(load_board("family"))}
    assert family["asr"][-1] == "CPU, 2 threads"


def test_memory_is_that_of_the_files_against_budget_and_chip(board: Board) -> None:
    rows = list(seating.memory(board))
    assert ("ears", "5.0 MB in files") in rows
    assert rows[-2] == ("all models", "15.0 MB of a budget of 600 MB for the process")
    assert rows[-1] == ("RK3588", "4000 MB")


def test_what_is_missing(board: Board) -> None:
    missing = "\n".join(seating.missing(board))
    assert "the machine: RK3588 is arm64, this one is amd64" in missing
    assert "model ears: its files are not all in models/ears" in missing
    assert "rknn: the package rknnlite is not installed" in missing
    assert "rknn: the NPU's library /usr/lib/librknnrt.so" in missing
    assert "image, vendor: build/inputs/toy/kernel.deb (the vendor)" in missing
    assert "image, boot_loader: build/inputs/toy/u-boot.bin (the board's maker)" in missing


def test_an_input_of_the_image_is_missing_until_it_is_the_file_meant(home: Path) -> None:
    path = folders.input_path("toy", "kernel.deb")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"another kernel")
    assert "is not the file meant: expected sha256" in _told_of("vendor")[0]
    path.write_bytes(KERNEL)
    assert _told_of("vendor") == []


def _told_of(name: str) -> list[str]:
    return [line for line in seating.missing(load_board("toy")) if f"image, {name}:" in line]


def test_a_checksum_that_the_board_lacks_is_printed(home: Path) -> None:
    path = folders.input_path("toy", "u-boot.bin")
    path.parent.mkdir(parents=True)
    path.write_bytes(KERNEL)
    assert _told_of("boot_loader") == [
        "image, boot_loader: build/inputs/toy/u-boot.bin has no sha256 in the board file; "
        f"it is {hashlib.sha256(KERNEL).hexdigest()}"
    ]


def test_columns_stand_below_each_other(board: Board) -> None:
    lines = list(seating.tables(board))
    assert lines[0].startswith("the board toy;")
    assert "who sits on which core" in lines and "what is missing here" in lines
    core = next(line for line in lines if line.startswith("  core 1"))
    npu = next(line for line in lines if line.startswith("  NPU core 0"))
    assert core.index("all: Cortex-A76") == npu.index("RKNPU")
    assert core.index("asr, tts") == npu.index("free")


def test_prose_is_cut_short(home: Path) -> None:
    (home / "boards/toy.yaml").write_text(f"extends: family\nsoc: {{source: {'word ' * 30}}}\n")
    lines = [line for line in seating.tables(load_board("toy")) if "source: word" in line]
    assert len(lines) == 1 and lines[0].endswith("…") and len(lines[0]) < 120


def test_check_prints_a_board_for_another_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    assert main(["check", "--board", "orangepi5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "engines of orangepi5: good" in lines
    assert any(line.split() == ["NPU", "core", "2", "RKNPU,", "6", "TOPS", "free"] for line in lines)
    assert "  the machine: RK3588S is arm64, this one is amd64" in lines
    assert any(line.startswith("  image, vendor_kernel: build/inputs/orangepi5/") for line in lines)


def test_nothing_is_missing_on_the_machine_itself() -> None:
    lines = list(seating.tables(load_board("host")))
    assert not [line for line in lines if "sha256" in line or "its files" in line]
