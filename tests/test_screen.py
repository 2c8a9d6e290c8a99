"""The screen: plain lines for a file, lines replaced in place on a terminal."""

from __future__ import annotations

import io

from epsilon.journal import Journal
from epsilon.messages import News
from epsilon.screen import ERASE_LINE, Screen
from epsilon.turn import Mark

TURN = Mark(1, 0)
CONVERSATION = [  # what, clock in seconds, text, tail, frame
    ("speech", 0.5, "", "", 8_000),
    ("partial", 1.0, "who", "are", -1),
    ("partial", 1.3, "who", "are", -1),
    ("end of turn", 2.6, "", "", 32_000),
    ("words", 2.7, "who are you", "", -1),
    ("prefilled", 2.8, "3", "", -1),
    ("phrase", 2.9, "A badger,", "", -1),
    ("sound", 3.0, "", "", -1),
    ("says", 3.0, "A badger,", "", -1),
    ("answer", 3.0, "", "", 49_600),
    ("says", 3.2, "of course.", "", -1),
    ("heard", 4.0, "A badger, of course.", "", 64_000),
]


class Terminal(io.StringIO):
    """Text that thinks it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, last: str = "heard") -> str:
    """What the screen makes of the conversation when it ends with `last`."""
    journal = Journal(lambda frame: frame / 16_000, 16_000)
    screen = Screen(out, "bram", journal)
    for what, time_s, text, tail, at in CONVERSATION:
        news = News(TURN, last if what == "heard" else what, time_s, text, tail, at)
        journal.take(news)
        screen.show(news)
    return out.getvalue()


def test_a_file_gets_plain_lines() -> None:
    assert shown(io.StringIO()).splitlines() == [
        "     you  who are …",
        "     you  who are you",
        "    bram  A badger, …",
        "    bram  A badger, of course. …",
        "    bram  A badger, of course.",
        "    TIFU  1100 ms: dead air 600, asr 100, prefill 100, decode 100, tts 100, card 100",
    ]


def test_a_terminal_replaces_what_is_unfinished() -> None:
    lines = shown(Terminal()).split("\n")
    assert [line.count(ERASE_LINE) for line in lines] == [2, 3, 1, 0]
    assert lines[0].endswith("     you  who are you")
    assert lines[1].endswith("    bram  A badger, of course.")


def test_an_interruption_is_marked() -> None:
    assert "    bram  A badger, of course. … (interrupted)" in shown(io.StringIO(), last="cut")


def test_gaps_are_shown_where_there_were_any() -> None:
    journal, out = Journal(lambda frame: frame / 16_000, 16_000), io.StringIO()
    screen = Screen(out, "bram", journal)
    for what, time_s, text, tail, at in [
        *CONVERSATION[:-1],
        ("gap", 3.2, "41.5", "", 52_000),
        CONVERSATION[-1],
    ]:
        news = News(TURN, what, time_s, text, tail, at)
        journal.take(news)
        screen.show(news)
    assert out.getvalue().splitlines()[-1] == "    gaps  42 ms between phrases"
