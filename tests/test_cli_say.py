"""`epsilon say`: what it lists, changes and refuses, and where the sound goes."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from epsilon.__main__ import main


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (["--style", "brigth"], "no style 'brigth'; there are: .*did you mean bright"),
        (["--mood", "sda"], "has no mood 'sda'; there "),
        (["--speed", "9"], "speed should be from 0.5 to 2, not 9"),
        (["--pitch", "-30"], "pitch should be from -6 to 6, not -30"),
    ],
)
def test_say_refuses_what_the_voice_does_not_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str], told: str
) -> None:
    assert main(["say", "hello", "-o", str(tmp_path / "out.wav"), *option]) == 2
    assert re.search(told, capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_say_wants_to_know_where_the_sound_goes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "hello"]) == 2
    assert "-o FILE.wav" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", " ", "🙂 (…)", "<sad>"])
def test_what_has_no_sound_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["say", text, "-o", str(tmp_path / "out.wav")]) == 2
    assert "there is nothing to say" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_say_lists_what_there_is_to_choose_from(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--list", "--character", "bram"]) == 0
    styles, usual, moods, effects = capsys.readouterr().out.splitlines()
    assert "bright" in styles and usual.startswith("bram: style bram, speed ")
    assert moods.startswith("moods of bram: ") and effects.startswith("effects of bram: ")


def test_say_changes_style_and_pace_and_leaves_effects_out(tmp_path: Path) -> None:
    lengths = []
    for speed in ("1", "1.5"):
        out = tmp_path / f"{speed}.wav"
        assert main(["say", "Hello there.", "--style", "low", "--speed", speed, "--dry", "-o", str(out)]) == 0
        lengths.append(len(soundfile.read(out)[0]))
    assert lengths[1] < 0.85 * lengths[0]


def test_what_is_said_can_go_into_a_pipe(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["say", "Hello there.", "-o", "-"]) == 0
    streams = capfdbinary.readouterr()
    samples, rate_hz = soundfile.read(io.BytesIO(streams.out))
    assert rate_hz == 16_000 and len(samples) > 4_000 and streams.err == b""


@pytest.mark.parametrize(
    ("redirected", "why"), [("> /dev/full", "No space left on device"), (">&-", "it is closed")]
)
def test_a_pipe_that_takes_nothing_is_told(redirected: str, why: str) -> None:
    command = f'"{sys.executable}" -m epsilon say Hello. -o - {redirected}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"standard output: cannot be written: {why}\n")
