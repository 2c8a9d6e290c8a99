"""The live view: what stands on a terminal while a toy talks, when it is drawn, and what is left of it."""

from __future__ import annotations

import io
import math
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from rich.console import Console, Group
from rich.text import Text

import epsilon.parts
import epsilon.toy
from epsilon.config.board import TurnRule, load_board
from epsilon.config.character import load_character
from epsilon.emulation.runner import Emulation
from epsilon.gauges import LISTENS, Gauges, Reading, level_db
from epsilon.journal import Journal
from epsilon.ladder import Rung, Standing
from epsilon.live import CALM_S, REDRAW_S, Live, undisturbed
from epsilon.live.lines import bar, body, meter, meters, rings, shares, spoken
from epsilon.messages import News
from epsilon.ring import SampleRing, Samples
from epsilon.screen import LEAST_COLUMNS, Screen
from epsilon.stages.body import Body
from epsilon.takes.checks import LOCKSTEP
from epsilon.toy import STAGES
from epsilon.turn import Mark
from tests import scripted
from tests.terminal import Paper

RATE_HZ = 16_000
COLUMNS, LINES = 80, 24
PARTS = {"dead_air_ms": 600.0, "asr_ms": 100.0, "prefill_ms": 0.0, "decode_ms": 50.0, "tts_ms": 150.0}
TIFU = {"first_sound_ms": 800.0, "answer_ms": 1000.0, **PARTS, "card_ms": 100.0}
CALM = Reading(
    state=LISTENS,
    quiet=True,
    hears_db=-50.0,
    says_db=-math.inf,
    microphone=0.01,
    messages=0.0,
    speaker_ms=0.0,
    counts={"overruns": 0, "underruns": 0, "stale": 3, "laps": 0},
    standing=None,
)


class Terminal(io.StringIO):
    """Text that thinks it is a terminal."""

    def isatty(self) -> bool:
        return True


class Told(NamedTuple):
    """What came of a conversation that was shown."""

    written: str
    plain: list[str]  # the lines that a file would have got
    panels: list[list[str]]  # what stood there after each redraw
    redraws_s: list[float]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of 80 columns that knows colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("LINES", str(LINES))
    monkeypatch.delenv("NO_COLOR", raising=False)


def emulation(monkeypatch: pytest.MonkeyPatch) -> Emulation:
    """A toy that is asked one thing, in lock-step."""
    made = scripted.engines(["what do you like best"], ["Puddles, of course. And the moon."])
    for module in (epsilon.toy, epsilon.parts):
        monkeypatch.setattr(module, "load_engine", lambda board, stage: made[stage])
    board = replace(load_board("host"), turn=TurnRule())
    return Emulation(board, load_character("odette"), [sound()], LOCKSTEP)


def sound() -> Samples:
    """A second and a half of what the scripted ears take for speech, in silence."""
    speech = 0.3 * np.sin(np.arange(int(RATE_HZ * 1.5)) / 5)
    return np.concatenate([np.zeros(RATE_HZ), speech, np.zeros(RATE_HZ)]).astype(np.float32)


def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the live view, on the toy's own time, makes of a conversation."""
    talk = emulation(monkeypatch)
    out, file = Terminal(), io.StringIO()
    live, plain, paper = (
        Live(out, "odette", talk.card.clock.now),
        Screen(file, "odette"),
        Paper(COLUMNS, LINES),
    )
    redraws_s: list[float] = []
    panels: list[list[str]] = []
    live.follow(talk.toy)
    plain.follow(talk.toy)
    draw, fed = live.draw, 0

    def watched() -> None:
        nonlocal fed
        draw()
        if len(out.getvalue()) > fed:
            paper.feed(out.getvalue()[fed:])
            fed = len(out.getvalue())
            redraws_s.append(talk.card.clock.now())
            panels.append(paper.lines)

    def show(news: News) -> None:
        live.show(news)
        plain.show(news)

    monkeypatch.setattr(live, "draw", watched)
    with live:
        talk.run(show, screen=live)
    return Told(out.getvalue(), file.getvalue().splitlines(), panels, redraws_s)


def text(*lines: Text) -> list[str]:
    """What is read of some lines on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), record=True, width=COLUMNS, force_terminal=True)
    console.print(Group(*lines))
    return console.export_text().rstrip("\n").split("\n")


def test_what_stands_there_follows_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    panels = ["\n".join(panel) for panel in told(monkeypatch).panels]

    def first(found: Callable[[str], bool]) -> int:
        return next(place for place, panel in enumerate(panels) if found(panel))

    calm, asks = first(lambda panel: "now  listens" in panel), first(lambda panel: "now  you speak" in panel)
    words = first(lambda panel: "you  what do you like" in panel)
    says = first(lambda panel: "now  speaks" in panel)
    assert calm < asks < words < says
    assert "hears ▕···········▏   – dB" in panels[calm] and "no answer yet" in panels[calm]
    assert "hears ▕█" in panels[words] and "says ▕···" in panels[words]
    assert "odette  Puddles, of course." in panels[says + 3] and "says ▕█" in panels[says + 3]
    assert "rings  microphone" in panels[says] and "card 0 ms" not in panels[says + 3]
    assert "▕░" in panels[-1] and "░ dead air" in panels[-1]


def test_in_the_end_the_lines_of_a_file_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(monkeypatch)
    paper = Paper(COLUMNS, LINES).feed(found.written)
    unfinished = [line for line in found.plain if line.endswith("…")]
    assert unfinished and paper.lines == [line for line in found.plain if line not in unfinished]
    assert paper.cursor_shown and not paper.unknown


def test_it_is_drawn_no_more_often_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    redraws_s = told(monkeypatch).redraws_s
    assert len(redraws_s) > 20
    assert min(np.diff(redraws_s)) >= REDRAW_S - 1e-9


def test_it_waits_long_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    talk, now_s = emulation(monkeypatch), 5.0
    live = Live(Terminal(), "odette", lambda: now_s)
    live.follow(talk.toy)
    with live:
        assert live.wait_s() == 0.0
        live.draw()
        assert live.wait_s() == CALM_S and live.wait_s(0.3) == 0.3
        live.show(News(Mark(1, 0), "partial", 0.0, "what", "do"))
        assert live.wait_s() == pytest.approx(REDRAW_S)
        now_s += REDRAW_S / 2
        before = live._drawn_s
        live.draw()
        assert live._drawn_s == before and live.wait_s() == pytest.approx(REDRAW_S / 2)
        now_s += REDRAW_S
        live.draw()
        assert live._drawn_s == now_s and live.wait_s() == CALM_S


def test_it_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    live = Live(Terminal(), "odette", lambda: 5.0)
    live.follow(emulation(monkeypatch).toy)
    with live:
        live.draw()
        assert threading.active_count() == before


def test_a_dead_toy_is_said_to_be_dead_until_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    talk, now_s = emulation(monkeypatch), 5.0
    out = Terminal()
    live = Live(out, "odette", lambda: now_s)
    live.follow(talk.toy)
    with live:
        live.show(News(Mark(1, 0), "partial", 0.5, "what was", "it"))
        live.show(News(Mark(-1, 0), "died", 1.0, "asr: it raised"))
        live.draw()
        standing = Paper(COLUMNS, LINES).feed(out.getvalue()).lines
        assert any("now  no toy lives" in line for line in standing)
        assert any("toy  died asr: it raised" in line for line in standing)
        assert "     you" in standing, "what was heard died with it"
        live.follow(talk.toy)
        now_s += 1
        live.draw()
        assert any("now  listens" in line for line in Paper(COLUMNS, LINES).feed(out.getvalue()).lines)


def test_colours_are_left_out_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = Paper(COLUMNS, LINES).feed(told(monkeypatch).written)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Paper(COLUMNS, LINES).feed(told(monkeypatch).written)
    colours = {str(number) for number in (*range(30, 48), *range(90, 108))}
    assert colours & set(coloured.drawn.split(";"))
    assert not colours & set(plain.drawn.split(";"))


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C counts, also where the tests run in the background of a script, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_waits_until_a_redraw_is_done() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), undisturbed():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_a_level_is_that_of_the_last_tenth_of_a_second() -> None:
    ring = SampleRing(RATE_HZ)
    assert level_db(ring) == -math.inf
    ring.write(np.full(8000, 0.1, np.float32))
    assert level_db(ring) == pytest.approx(-20.0)
    ring.write(np.zeros(1600, np.float32))
    assert level_db(ring) == -math.inf


def test_gauges_read_a_toy_whose_card_has_gone_or_that_is_muted(monkeypatch: pytest.MonkeyPatch) -> None:
    talk = emulation(monkeypatch)
    gauges = Gauges(talk.toy)
    talk.toy.switches.muted = True
    assert gauges.read().state == "muted"
    monkeypatch.setattr(talk.card, "gone", True)
    assert gauges.read().state == "no sound card"
    assert gauges.read().standing is None
    body = talk.toy.stages[STAGES.index("body")]
    assert isinstance(body, Body)
    body.standing = Standing(Rung.LOW)
    assert gauges.read().standing == Standing(Rung.LOW)


def test_a_meter_is_as_long_as_its_level_and_never_longer_than_it_is() -> None:
    assert text(meter(-30.0, 10)) == ["▕█████·····▏ -30 dB"]
    assert text(meter(-90.0, 4)) == ["▕····▏ -90 dB"]
    assert text(meter(3.0, 4)) == ["▕████▏   3 dB"]
    assert [meter(level_db, 9).spans[1].style for level_db in (-30, -6, 0)] == ["green", "yellow", "red"]


@pytest.mark.parametrize("columns", [LEAST_COLUMNS, 80, 100, 200])
def test_every_line_fits(columns: int) -> None:
    reading = replace(CALM, state="holds its breath", speaker_ms=1234.0)
    lines = [
        meters(reading, columns),
        spoken("you", "a word and " * 40, "another", columns),
        *bar(TIFU, 1000.0, columns),
        *rings(reading, columns),
    ]
    assert max(line.cell_len for line in lines) <= columns


def test_of_too_many_words_the_last_are_shown_and_those_that_may_change_are_marked() -> None:
    assert text(spoken("you", "who are", "you", COLUMNS)) == ["     you  who are you"]
    (line,) = text(spoken("you", "word " * 40 + "and", "then", COLUMNS))
    assert line.startswith("     you  …") and line.endswith("word and then")
    marked = spoken("you", "who are", "you", COLUMNS)
    assert [marked.plain[span.start : span.end] for span in marked.spans if "italic" in str(span.style)] == [
        "you"
    ]


def test_the_bar_is_shared_among_the_parts_of_the_time() -> None:
    assert shares(TIFU, 1000.0, 20) == [12, 2, 0, 1, 3, 2]
    assert sum(shares(TIFU, 4000.0, 20)) == 5
    assert sum(shares(TIFU, 500.0, 20)) == 20, "a short scale: LEAST_SCALE_MS"
    first, second, *more = text(*bar(TIFU, 2000.0, COLUMNS))
    assert first.startswith("    TIFU  ▕" + "░" * 18) and first.endswith("▏ 1000 ms")
    assert second == "          ░ dead air 600  ▒ asr 100  ▓ prefill 0  █ decode 50  ▚ tts 150"
    assert more == ["          ▞ card 100"]


def test_a_loss_stands_out() -> None:
    lost = replace(CALM, counts=CALM.counts | {"underruns": 2})
    (line,) = rings(lost, 100)
    loud = [line.plain[span.start : span.end] for span in line.spans if span.style == "bold red"]
    assert loud == ["underruns 2"]


def test_how_the_body_stands_is_shown_where_there_is_one() -> None:
    assert not body(CALM, "")
    tired = replace(CALM, standing=Standing(Rung.LOW))
    assert text(*body(tired, "")) == ["    body  low"]
    assert text(*body(tired, "low 18 % 41 C")) == ["    body  low 18 % 41 C"]


def test_gaps_and_tifu_scroll_as_on_any_screen() -> None:
    journal = Journal(lambda frame: frame / RATE_HZ, RATE_HZ)
    out = Terminal()
    with Live(out, "odette", lambda: 5.0) as live:
        live.journal = journal
        for what, time_s, said, at in (
            ("speech", 0.5, "", 8_000),
            ("end of turn", 2.6, "", 32_000),
            ("words", 2.7, "who are you", -1),
            ("prefilled", 2.8, "3", -1),
            ("phrase", 2.9, "A swan,", -1),
            ("sound", 3.0, "", -1),
            ("answer", 3.0, "", 49_600),
            ("gap", 3.2, "41.5", 52_000),
            ("heard", 4.0, "A swan,", 64_000),
        ):
            news = News(Mark(1, 0), what, time_s, said, "", at)
            journal.take(news)
            live.show(news)
    assert Paper(100, LINES).feed(out.getvalue()).lines[-2:] == [
        "    TIFU  1100 ms: dead air 600, asr 100, prefill 100, decode 100, tts 100, card 100",
        "    gaps  42 ms between phrases",
    ]
