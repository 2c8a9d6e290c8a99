"""Shows a conversation while it happens: words as heard, the answer as spoken, where the time went."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from types import TracebackType
from typing import TextIO

from epsilon.journal import PARTS, Journal
from epsilon.messages import News
from epsilon.toy import Toy

ERASE_LINE = "\r\x1b[K"
DIM, PLAIN = "\x1b[2m", "\x1b[0m"

DUMB = ("dumb", "unknown")  # terminals that only know the next line
LEAST_COLUMNS, LEAST_LINES = 72, 14  # of a terminal with room for epsilon.live below the conversation

OF_THE_BODY = frozenset(
    (
        "card gone",
        "card back",
        "standing",
        "power off",
        "died",
        "hangs",
        "killed",
        "trouble",
        "not born",
        "born",
    )
)


class Screen:
    """Writes to a terminal, where what is unfinished is replaced in place, or to a file, a line for each.

    It is drawn by whoever watches the toy's news: inside a `with`, `show` for each piece, then `draw`, and again
    when `wait_s` has passed without any. `epsilon.live.Live` is the one to which that matters.
    """

    def __init__(self, out: TextIO, character: str, journal: Journal | None = None) -> None:
        self.out, self.character, self.journal = out, character, journal
        self.in_place = out.isatty() and os.environ.get("TERM") not in DUMB
        self._partial = ""  # of the words being heard
        self._says: list[str] = []  # the phrases of the reply being spoken

    def __enter__(self) -> Screen:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def follow(self, toy: Toy) -> None:
        """From here on it shows this toy."""
        self.journal = toy.journal

    def wait_s(self, most_s: float | None = None) -> float | None:
        """How long to wait for news before the next `draw`, `most_s` at most; None: as long as there are none."""
        return most_s

    def draw(self) -> None:
        """Draw what changes without news."""

    def show(self, news: News) -> None:
        """Show one piece of news, after the journal has taken it."""
        match news.what:
            case "partial":
                self._show_partial(news)
            case "words":
                self._end_line(self._line("you", news.text))
                self._partial = ""
            case "silent":
                self._end_line(self._line(self.character, "(says nothing)"))
            case "says":
                self._says.append(news.text)
                self._refresh(self._line(self.character, " ".join(self._says) + " …"))
            case "heard" | "cut":
                self._end_reply(news)
            case _ if news.what in OF_THE_BODY:
                self._end_line(self._dim(self._line("toy", f"{news.what} {news.text}".strip())))

    def _show_partial(self, news: News) -> None:
        text = f"{news.text} {news.tail}".strip()
        if text and text != self._partial:
            self._partial = text
            self._refresh(self._line("you", f"{news.text} {self._dim(news.tail)}".strip() + " …"))

    def _end_reply(self, news: News) -> None:
        said = news.text if news.what == "heard" else f"{news.text} … (interrupted)".lstrip()
        self._end_line(self._line(self.character, said))
        self._says = []
        if (journal := self.journal) is None:
            return
        for record in journal.turns:
            if record.turn == news.mark.turn and (parts := journal.tifu_ms(record)):
                self._show_tifu(parts)
                self._show_gaps(record.gaps_ms)

    def _show_tifu(self, parts: dict[str, float]) -> None:
        named = ", ".join(
            f"{name.removesuffix('_ms').replace('_', ' ')} {parts[name]:.0f}" for name, _ in PARTS
        )
        self._end_line(self._dim(f"{'TIFU':>8}  {parts['answer_ms']:.0f} ms: {named}"))

    def _show_gaps(self, gaps_ms: list[float]) -> None:
        if gaps_ms:
            named = ", ".join(f"{gap_ms:.0f}" for gap_ms in gaps_ms)
            self._end_line(self._dim(f"{'gaps':>8}  {named} ms between phrases"))

    def _line(self, who: str, text: str) -> str:
        return f"{who:>8}  {text}"

    def _dim(self, text: str) -> str:
        return f"{DIM}{text}{PLAIN}" if self.in_place and text else text

    def _refresh(self, line: str) -> None:
        """A line that will still change: on a terminal it replaces the one before, elsewhere it is a line."""
        if self.in_place:
            width = shutil.get_terminal_size().columns - 1
            shown = line if len(line) <= width else line[: width - 1] + "…"
            self.out.write(f"{ERASE_LINE}{shown}{PLAIN}")
        else:
            self.out.write(f"{line}\n")
        self.out.flush()

    def _end_line(self, line: str) -> None:
        """A line that stays."""
        self.out.write(f"{ERASE_LINE if self.in_place else ''}{line}\n")
        self.out.flush()


def screen_on(out: TextIO, character: str, toy: Toy | None) -> Screen:
    """The live view on a terminal with room for it, where rich is installed; lines everywhere else.

    A toy that could not be born may come to live later: see `follow`.
    """
    screen = Screen(out, character)
    if _has_room(out) and find_spec("rich") is not None:
        from epsilon.live import Live

        screen = Live(out, character)
    if toy is not None:
        screen.follow(toy)
    return screen


def _has_room(out: TextIO) -> bool:
    if (
        not out.isatty()
        or os.environ.get("TERM", "dumb") in DUMB
        or "utf" not in (out.encoding or "").lower()
    ):
        return False
    columns, lines = os.get_terminal_size(out.fileno())
    return columns >= LEAST_COLUMNS and lines >= LEAST_LINES
