"""The command line: a clear message and exit code 2 for what is mistyped or broken, no half file."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from epsilon.__main__ import main
from epsilon.config.folders import board_names, root

Said = Callable[[], str]
COMMANDS = (
    "chat check emulate flash models plan replay run say selftest soak talk transcribe update version".split()
)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What was said on standard error since the last question; on bad input nothing else is said."""

    def ask() -> str:
        streams = capsys.readouterr()
        assert streams.out == ""
        assert "Traceback" not in streams.err
        return streams.err

    return ask


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships, to be spoilt."""
    for folder in ("boards", "characters", "models"):
        shutil.copytree(root() / folder, tmp_path / "home" / folder)
    monkeypatch.setenv("EPSILON_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """A good audio file: a second of a quiet tone."""
    path = tmp_path / "good.wav"
    soundfile.write(path, 0.01 * np.sin(np.arange(16_000) / 8), 16_000)
    return path


def run_apart(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """The command in a process of its own, which hears Ctrl-C: shells start what runs in the background deaf to it."""
    command = [sys.executable, "-m", "epsilon", *arguments]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, **pipes, **options)  # type: ignore[call-overload]
    finally:
        signal.signal(signal.SIGINT, before)


def test_without_a_command_the_commands_are_listed(said: Said) -> None:
    assert main([]) == 2
    listed = said()
    assert all(f"    {command}" in listed for command in COMMANDS)


def test_an_unknown_command_or_option_is_refused(said: Said) -> None:
    for arguments in (["emulat"], ["check", "--bord", "host"], ["transcribe"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        assert "error:" in said()


def header(data_bytes: int, data: bytes = b"") -> bytes:
    """A WAV file: 16 kHz, mono, 16 bit, whose header promises `data_bytes`."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + data_bytes)
        + b"WAVE"
        + form
        + b"data"
        + struct.pack("<I", data_bytes)
        + data
    )


BROKEN = {  # what somebody may hand in: name, content
    "empty.wav": b"",
    "text.wav": b"this is not sound\n",
    "silent.wav": header(0),
    "header.wav": header(32_000)[:30],
    "cut.wav": header(32_000, bytes(1_000)),
    "lying.wav": header(0xFFFF_FF00, bytes(1_000)),
    "cut.flac": b"fLaC" + bytes(20),
}


@pytest.mark.parametrize("command", ["emulate", "transcribe"])
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_recording_is_named_and_nothing_is_written(
    tmp_path: Path, said: Said, speech: Path, command: str, name: str
) -> None:
    path, out = tmp_path / name, tmp_path / "out"
    path.write_bytes(BROKEN[name])
    extra = ["--out", str(out)] if command == "emulate" else []
    assert main([command, str(speech), str(path), *extra]) == 2
    message = said()
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize("command", ["emulate", "transcribe"])
def test_a_missing_recording_names_the_nearest(
    tmp_path: Path, said: Said, speech: Path, command: str
) -> None:
    assert main([command, str(tmp_path / "goood.wav")]) == 2
    message = said()
    assert "goood.wav: " in message and "good.wav" in message
    assert main([command, str(speech), str(tmp_path)]) == 2
    assert "folder" in said()


@pytest.mark.parametrize(
    "arguments",
    [["chat"], ["talk"], ["say", "hello", "-o", "{out}.wav"], ["emulate", "{speech}", "--out", "{out}"]],
    ids=["chat", "talk", "say", "emulate"],
)
def test_an_unknown_board_or_character_names_the_nearest(
    tmp_path: Path, said: Said, speech: Path, arguments: list[str]
) -> None:
    out = tmp_path / "out"
    filled = [part.format(out=out, speech=speech) for part in arguments]
    assert main([*filled, "--board", "hots"]) == 2
    assert said() == f"no board 'hots'; there are: {', '.join(board_names())} (did you mean host?)\n"
    assert main([*filled, "--character", "odete"]) == 2
    assert said() == "no character 'odete'; there are: bram, odette (did you mean odette?)\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.wav"]


def test_a_misspelt_key_is_told_with_file_and_line(
    home: Path, capsys: pytest.CaptureFixture[str], speech: Path
) -> None:
    board = home / "boards/host.yaml"
    text = board.read_text().replace("rate:", "raet:").replace("idle_cpu:", "idle_cup:")
    board.write_text(text)
    line = 1 + text[: text.index("idle_cup")].count("\n")
    for arguments in (["check"], ["emulate", str(speech)], ["transcribe", str(speech)], ["chat"]):
        assert main(arguments) == 2
        first, second = capsys.readouterr().err.splitlines()[:2]
        assert first.startswith("boards/host.yaml:3:") and "did you mean rate?" in first
        assert second.startswith(f"boards/host.yaml:{line}:") and "did you mean idle_cpu?" in second


@pytest.mark.parametrize("part", ["ears", "mind", "voice"])
def test_a_truncated_model_is_told_by_check_and_by_use(
    home: Path, capsys: pytest.CaptureFixture[str], speech: Path, part: str
) -> None:
    graph = max((home / "models/pocket" / part).iterdir(), key=lambda path: path.stat().st_size)
    graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
    assert main(["check", "--board", "host"]) == 2
    errors = capsys.readouterr().err
    assert f"models/pocket/{part}/{graph.name}: expected" in errors
    assert main(["emulate", str(speech), "--out", str(home / "out")]) == 2
    streams = capsys.readouterr()
    assert graph.name in streams.err and "Traceback" not in streams.err
    assert not (home / "out").exists()


def test_a_wrong_checksum_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    graph = max((home / "models/pocket/ears").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.write_bytes(content)
    assert main(["models", "verify"]) == 2
    assert f"models/pocket/ears/{graph.name}: expected sha256 " in capsys.readouterr().err


def test_nothing_to_say_is_bad_input(tmp_path: Path, said: Said) -> None:
    assert main(["say", "  ", "-o", str(tmp_path / "out.wav")]) == 2
    assert "nothing to say" in said()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_told_before_work_begins(tmp_path: Path, said: Said, speech: Path) -> None:
    assert main(["emulate", str(speech), "--out", str(speech)]) == 2
    assert str(speech) in said()
    assert main(["say", "hello", "-o", str(speech / "x.wav")]) == 2
    assert "cannot be written" in said()


def test_check_finds_nothing_wrong_with_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    streams = capsys.readouterr()
    assert streams.err == ""
    assert "board host: good" in streams.out and "character bram: good" in streams.out


def test_the_reference_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--reference"]) == 0
    listed = capsys.readouterr().out
    for key in ("silence", "rate", "persona", "repetition", "first_answer"):
        assert f"  {key} " in listed


def test_a_closed_pipe_ends_the_program_quietly() -> None:
    command = f"{sys.executable} -m epsilon check --reference | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == "boards/<name>.yaml\n"
    assert done.stderr == ""


def test_ctrl_c_ends_the_program_quietly() -> None:
    toy = run_apart("chat", stdin=subprocess.PIPE)
    assert toy.stdin and toy.stdout
    toy.stdin.write("hello\n")
    toy.stdin.flush()
    assert toy.stdout.readline().strip()
    toy.send_signal(signal.SIGINT)
    _, errors = toy.communicate(timeout=20)
    assert (toy.returncode, errors) == (130, "")


def test_chat_without_a_terminal_says_one_plain_line_per_reply_and_nothing_else() -> None:
    toy = run_apart("chat", "--character", "bram", stdin=subprocess.PIPE)
    replies, errors = toy.communicate("Hello!\n\nWhat's your name?\n", timeout=60)
    assert toy.returncode == 0 and errors == ""
    assert len(replies.splitlines()) == 2
    assert all(line.strip() and line.isprintable() for line in replies.splitlines())


def test_what_is_typed_may_be_anything() -> None:
    toy = subprocess.Popen(
        [sys.executable, "-m", "epsilon", "chat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    typed = b"\xff\xfe\n???\n" + b"and then " * 3_000 + "\nüñí 你好\n".encode()
    replies, errors = toy.communicate(typed, timeout=60)
    assert (toy.returncode, errors) == (0, b"")
    assert len(replies.splitlines()) == 4


def test_say_and_transcribe_go_through_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoken = tmp_path / "said.wav"
    assert main(["say", "Hello there, I am a toy.", "-o", str(spoken)]) == 0
    samples, rate_hz = soundfile.read(spoken)
    assert rate_hz == 16_000 and len(samples) > 8_000 and np.abs(samples).max() > 0.05
    capsys.readouterr()
    assert main(["transcribe", str(spoken), str(spoken)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0] == lines[1]
    assert lines[0].startswith(f"{spoken}: ")


def test_a_command_loads_only_what_it_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "epsilon", "version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("epsilon ")
    assert "onnxruntime.capi" not in done.stderr and "soundfile" not in done.stderr
