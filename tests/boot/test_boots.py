"""The images of the two emulated boards: they boot, hear, answer, turn off; they fall back; a hang is reset."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from epsilon.audio_files import read_audio
from epsilon.config.folders import root
from epsilon.ring import Samples
from tests.boot import machine, overlay
from tests.boot.machine import switched_on
from tests.virtual_card import Recording, virtual_card
from tools.image.wheels import sha256

pytestmark = pytest.mark.image
BOARDS = ("qemu-x86", "qemu-arm64")
OUT = root() / "build" / "image-test"
QUESTION = root() / "tests/takes/three-turns/in.wav"
QUESTION_S = 4.0
LISTENS = r"bram is listening"
RATE_HZ = 16_000
HEARD_S, LOUD = 0.3, 0.01  # so much sound above this level is a reply; the card itself is silent


@pytest.fixture(autouse=True, scope="module")
def _able() -> None:
    if absent := machine.missing():
        pytest.skip(absent)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The image of each board, with what the tests need laid over its root."""
    return {
        board: build(board, OUT, overlay.lay(tmp_path_factory.mktemp(board) / "over", board))
        for board in BOARDS
    }


def build(board: str, out: Path, over: Path) -> Path:
    """Made by the command that people use."""
    command = [sys.executable, "-m", "tools.image", "--board", board, "--effort", "1"]
    subprocess.run([*command, "--out", out, "--overlay", over], check=True, cwd=root())
    (image,) = out.glob(f"epsilon-{board}-*.img")
    return image


def loud_s(samples: Samples) -> float:
    """How many seconds of samples [n] are sound, in windows of 20 ms."""
    whole = len(samples) // 320 * 320
    levels = np.sqrt(np.mean(np.square(samples[:whole].reshape(-1, 320)), axis=1))
    return float(np.sum(levels > LOUD) * 320 / RATE_HZ)


def await_sound(recording: Recording, after: int) -> None:
    """Until the toy has been heard, from that frame on."""
    give_up_s = time.monotonic() + machine.AS_LONG_AS_S
    while loud_s(recording.samples()[after:]) < HEARD_S:
        assert time.monotonic() < give_up_s, "nothing was heard"
        time.sleep(1)  # the recording is a file that another program writes


@pytest.mark.parametrize("board", BOARDS)
def test_it_boots_hears_answers_and_turns_off(board: str, images: dict[str, Path], tmp_path: Path) -> None:
    with virtual_card(tmp_path / "card") as card, switched_on(board, images[board], tmp_path, card) as toy:
        toy.await_line(LISTENS)
        recording = card.record()
        card.play(read_audio(QUESTION)[: round(QUESTION_S * RATE_HZ)]).wait()
        await_sound(recording, len(recording.samples()))
        toy.turn_off()
        toy.await_end()
    assert toy.program.returncode == 0


def test_the_real_engines_of_the_image_say_what_those_of_the_checkout_say(
    images: dict[str, Path], tmp_path: Path
) -> None:
    """In the root of the PC's image, with its own Python and packages, on this machine and not an emulated one."""
    inside = OUT / "work/qemu-x86-bram/root"
    talk = "emulate --board qemu-x86 --character bram"
    steps = [
        *(f"mount --rbind /{name} {inside}/{name}" for name in ("dev", "proc")),
        f"mount --bind {tmp_path} {inside}/mnt",
        f"cp {QUESTION} {tmp_path}/in.wav",
        f"exec chroot {inside} /usr/bin/epsilon {talk} /mnt/in.wav",
    ]
    image = conversation("unshare", "--map-root-user", "--mount", "sh", "-ec", "\n".join(steps))
    checkout = conversation(sys.executable, "-m", "epsilon", *talk.split(), str(QUESTION))
    assert image == checkout and len(image) > 3


def conversation(*command: str) -> list[str]:
    """What was said on both sides, as a program shows it."""
    done = subprocess.run(command, check=True, cwd=root(), stdout=subprocess.PIPE, text=True)
    return re.findall(r"^ +(?:you|bram)  .*$", done.stdout, re.MULTILINE)


def test_building_again_gives_the_same_bytes(images: dict[str, Path], tmp_path: Path) -> None:
    again = build("qemu-x86", tmp_path / "again", overlay.lay(tmp_path / "over", "qemu-x86"))
    assert sha256(again) == sha256(images["qemu-x86"])


def test_three_bad_boots_fall_back_to_the_other_slot(images: dict[str, Path], tmp_path: Path) -> None:
    with switched_on("qemu-x86", images["qemu-x86"], tmp_path, words="epsilon.test=bad-a") as toy:
        toy.await_line("epsilon: slot b, ")
        assert [toy.count(rf"epsilon: slot a, {left} tries left") for left in (2, 1, 0)] == [1, 1, 1]
        toy.await_line(LISTENS)


def test_a_hang_is_reset_by_the_watchdog(images: dict[str, Path], tmp_path: Path) -> None:
    with switched_on("qemu-x86", images["qemu-x86"], tmp_path, words="epsilon.test=hang") as toy:
        toy.await_line("epsilon.test: systemd hangs")
        toy.await_line("epsilon: slot a, ")  # nothing but the watchdog starts it again
