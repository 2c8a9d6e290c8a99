"""The commands on a real terminal: the live view where it belongs, lines elsewhere, and a tidy end by Ctrl-C."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from epsilon import duplex
from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.duplex import Acoustics
from epsilon.live import Live
from epsilon.screen import LEAST_COLUMNS, LEAST_LINES, Screen, screen_on
from tests import virtual_card
from tests.terminal import Paper
from tests.test_bench import demand

ROOT = Path(__file__).parent.parent
SPEECH = ROOT / "tests" / "takes" / "three-turns" / "in.wav"
ONE_TURN = 4 * 16_000
COLUMNS, LINES = 100, 30
PATIENCE_S = 60.0
INTERRUPTED = 130
COLOURS = "\x1b[32m", "\x1b[2;32m"  # of a meter, of a part of TIFU


class Desk:
    """A program on a terminal, and whoever sits in front of it."""

    def __init__(self, terminal: int, program: subprocess.Popen[bytes]) -> None:
        self._terminal, self._program = terminal, program
        self.written = ""

    def wait_for(self, text: str) -> None:
        """Read on until a person sees this text."""
        while not any(text in line for line in self.paper.lines):
            assert self._read(), f"it ended without '{text}':\n{self.written}"

    def interrupt(self) -> int:
        """Press Ctrl-C; the exit code, once everything that it still wrote is read."""
        os.write(self._terminal, b"\x03")
        return self.end()

    def end(self) -> int:
        """The exit code, once it has ended by itself."""
        while self._read():
            pass
        return self._program.wait(PATIENCE_S)

    @property
    def paper(self) -> Paper:
        """What a person sees."""
        return Paper(COLUMNS, LINES).feed(self.written)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._terminal], [], [], PATIENCE_S)
        assert ready, f"nothing happens any more:\n{self.written}"
        with contextlib.suppress(OSError):  # the other end is closed
            read = os.read(self._terminal, 65536)
            self.written += read.decode("utf-8", errors="replace")
            return bool(read)
        return False


@contextlib.contextmanager
def desk(*arguments: str, columns: int = COLUMNS, **environment: str) -> Iterator[Desk]:
    """Run a command of epsilon on a terminal of its own."""
    ours, theirs = pty.openpty()
    resize(theirs, columns, LINES)
    given = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")
    }
    program = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, *arguments],
        cwd=ROOT, env=given | {"TERM": "xterm-256color"} | environment,
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Desk(ours, program)
    finally:
        program.kill()
        program.wait(PATIENCE_S)
        os.close(ours)


TAKE_TERMINAL = """
import fcntl, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
from epsilon.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def resize(terminal: int, columns: int, lines: int) -> None:
    """Give a terminal its size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


@pytest.fixture
def silence(tmp_path: Path) -> str:
    """A minute in which nobody says anything."""
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(60 * 16_000, np.float32), 16_000)
    return str(path)


@pytest.fixture
def speech(tmp_path: Path) -> str:
    """The first of three turns."""
    path = tmp_path / "hello.wav"
    soundfile.write(path, read_audio(SPEECH)[:ONE_TURN], 16_000)
    return str(path)


def test_ctrl_c_leaves_a_tidy_terminal(silence: str) -> None:
    with desk("emulate", silence, "--pace", "realtime") as sat:
        sat.wait_for("now  listens")
        sat.wait_for("rings  microphone")
        assert not sat.paper.cursor_shown
        assert sat.interrupt() == INTERRUPTED
        assert [line.removesuffix("^C") for line in sat.paper.lines] == ["odette is listening"]
        assert sat.paper.cursor_shown and not sat.paper.unknown


def test_a_conversation_is_left_when_it_has_ended_by_itself(speech: str) -> None:
    with desk("emulate", speech) as sat:
        assert sat.end() == 0
    lines = sat.paper.lines
    assert [line.split()[0] for line in lines] == ["odette", *["you", "odette", "TIFU"]]
    assert "▕" in sat.written and any(colour in sat.written for colour in COLOURS)


def test_no_color_is_honoured(speech: str) -> None:
    with desk("emulate", speech, NO_COLOR="1") as sat:
        assert sat.end() == 0
    assert "▕" in sat.written and not any(colour in sat.written for colour in COLOURS)


def test_a_dumb_terminal_gets_plain_lines(speech: str) -> None:
    with desk("emulate", speech, TERM="dumb") as sat:
        assert sat.end() == 0
    assert "\x1b" not in sat.written and "you  hello what is your name" in sat.written


def test_a_narrow_terminal_gets_lines(speech: str) -> None:
    with desk("emulate", speech, columns=LEAST_COLUMNS - 1) as sat:
        assert sat.end() == 0
    assert "▕" not in sat.written and "\x1b[A" not in sat.written
    assert "you  hello what is your name" in sat.written


def test_what_is_no_terminal_gets_plain_lines(speech: str) -> None:
    command = [sys.executable, "-m", "epsilon", "emulate", speech]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "\x1b" not in ran.stdout and "▕" not in ran.stdout
    assert ran.stdout.splitlines()[0] == "     you  hello …"
    assert ran.stderr == "odette is listening\n"


@pytest.mark.card
@pytest.mark.slow
def test_talk_shows_what_is_heard_and_said_and_ends_tidily(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demand(virtual_card.missing())
    text = (ROOT / "boards" / "host.yaml").read_text(encoding="utf-8")
    board = tmp_path / "virtual.yaml"
    board.write_text(text.replace("card: default", f"card: {virtual_card.CARD}"), encoding="utf-8")
    monkeypatch.setenv("EPSILON_STATE", str(tmp_path / "state"))
    duplex.keep(load_board(str(board)), Acoustics("open", "kalman", 0, -80, -120, 99, 0, 0))
    with virtual_card.virtual_card(tmp_path / "card") as card:
        ears = ("--ears", load_board("host").stages["asr"].model or "")
        with desk("talk", "--board", str(board), *ears) as sat:
            sat.wait_for("now  listens")
            card.play(read_audio(SPEECH)[:ONE_TURN])
            sat.wait_for("now  you speak")
            sat.wait_for("now  speaks")
            sat.wait_for("░ dead air")
            assert sat.interrupt() == INTERRUPTED
    lines = sat.paper.lines
    assert sat.paper.cursor_shown
    assert not any("▕" in line or "now  " in line or "rings  " in line for line in lines)
    assert any(line.startswith("     you  ") for line in lines)
    assert any(line.startswith("  odette  ") for line in lines)


@pytest.mark.parametrize(
    ("kind", "columns", "lines", "term", "encoding"),
    [
        (Live, LEAST_COLUMNS, LEAST_LINES, "xterm", "utf-8"),
        (Screen, LEAST_COLUMNS - 1, LEAST_LINES, "xterm", "utf-8"),
        (Screen, LEAST_COLUMNS, LEAST_LINES - 1, "xterm", "utf-8"),
        (Screen, LEAST_COLUMNS, LEAST_LINES, "dumb", "utf-8"),
        (Screen, LEAST_COLUMNS, LEAST_LINES, "xterm", "latin-1"),
    ],
)
def test_the_live_view_is_for_terminals_with_room(
    monkeypatch: pytest.MonkeyPatch, kind: type[Screen], columns: int, lines: int, term: str, encoding: str
) -> None:
    monkeypatch.setenv("TERM", term)
    ours, theirs = pty.openpty()
    resize(theirs, columns, lines)
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "w", encoding=encoding) as out:
        assert type(screen_on(out, "odette", None)) is kind
        monkeypatch.setattr("epsilon.screen.find_spec", lambda name: None)
        assert type(screen_on(out, "odette", None)) is Screen


def test_a_file_gets_no_live_view() -> None:
    assert type(screen_on(io.StringIO(), "odette", None)) is Screen


def test_the_toy_on_a_board_never_loads_rich() -> None:
    code = "import sys, epsilon.cli.run, epsilon.life, epsilon.toy, epsilon.trial, epsilon.emulation.broken"
    loaded = f"{code}; print([name for name in sys.modules if name.split('.')[0] == 'rich'])"
    ran = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_rich_needs_nothing_that_the_lock_file_leaves_out() -> None:
    absent = "import sys; sys.modules.update(dict.fromkeys(('pygments', 'markdown_it', 'mdurl')))"
    draw = "from epsilon.live import Live\nwith Live(sys.stdout, 'odette') as live: live.draw()"
    ran = subprocess.run(
        [sys.executable, "-c", f"{absent}\n{draw}"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
