"""The live view: the conversation scrolls, and below it stands what the toy hears, says and does now. Needs rich."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live as Region
from rich.text import Text

from epsilon.gauges import Gauges
from epsilon.live.lines import bar, body, meters, rings, spoken
from epsilon.messages import News
from epsilon.screen import Screen
from epsilon.toy import Toy

REDRAW_S = 0.1  # no two redraws are closer
CALM_S = 1.0  # while nothing happens, between two looks at the meters
DEATHS = frozenset(("died", "hangs", "not born"))


class Live(Screen):
    """See Screen. What is finished scrolls as it does there; what still changes stands below and goes in the end.

    Nothing here waits or starts a thread: whoever watches the news draws, in the main thread, no more often than
    every REDRAW_S.
    """

    def __init__(self, out: TextIO, character: str, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__(out, character)
        self.console = Console(file=out, highlight=False, markup=False, emoji=False)
        self._region = Region(
            console=self.console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),  # what goes to a file goes there still
        )
        self._now, self._drawn_s, self._fresh = now, -CALM_S, True
        self._gauges: Gauges | None = None  # while there is no toy
        self._above: list[str] = []  # finished lines that are not drawn yet
        self._hearing = ("", "")  # words that stay, and words that may change
        self._tifu: dict[str, float] = {}  # of the last answer
        self._longest_ms = 0.0  # of all answers
        self._felt = ""  # of battery and heat

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with undisturbed():
            self._print_above()
            self._region.stop()

    def follow(self, toy: Toy) -> None:
        super().follow(toy)
        self._gauges = Gauges(toy)

    def wait_s(self, most_s: float | None = None) -> float | None:
        calm = not self._fresh and (self._gauges is None or self._gauges.quiet)
        due_s = max(0.0, self._drawn_s + (CALM_S if calm else REDRAW_S) - self._now())
        return due_s if most_s is None else min(due_s, most_s)

    def show(self, news: News) -> None:
        super().show(news)
        self._fresh = True
        match news.what:
            case "partial":
                self._hearing = (news.text, news.tail)
            case "words" | "ignored":
                self._hearing = ("", "")
            case "standing":
                self._felt = news.text
            case _ if news.what in DEATHS:
                self._gauges, self._hearing, self._says = None, ("", ""), []

    def draw(self) -> None:
        now_s = self._now()
        if now_s - self._drawn_s < REDRAW_S:
            return
        self._drawn_s, self._fresh = now_s, False
        panel = self._panel()
        with undisturbed(), self.console:  # all of it in one write
            self._region.start()
            self._print_above()
            self._region.update(panel, refresh=True)

    def _print_above(self) -> None:
        """Let the finished lines scroll."""
        lines, self._above = self._above, []
        if lines:
            self.console.print(Text.from_ansi("\n".join(lines)), soft_wrap=True)

    def _panel(self) -> Group:
        columns = self.console.width
        reading = self._gauges.read() if self._gauges is not None else None
        lines = [
            Text("─" * columns, "dim"),
            meters(reading, columns),
            spoken("you", *self._hearing, columns),
            spoken(self.character, " ".join(self._says), "", columns),
            *bar(self._tifu, self._longest_ms, columns),
        ]
        if reading is not None:
            lines += rings(reading, columns) + body(reading, self._felt)
        return Group(*lines)

    def _refresh(self, line: str) -> None:
        """What will still change stands below."""

    def _end_line(self, line: str) -> None:
        self._above.append(line)

    def _show_tifu(self, parts: dict[str, float]) -> None:
        super()._show_tifu(parts)
        self._tifu, self._longest_ms = parts, max(self._longest_ms, parts["answer_ms"])


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits for the end of what is inside: a terminal that is half drawn cannot be tidied up."""
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)
