"""A terminal made of text: what a person would see of the bytes that a program wrote to it."""

from __future__ import annotations

import re

STEP = re.compile(r"\x1b\[(\?)?([\d;]*)([A-Za-z])|\r|\n|[^\x00-\x1f\x1b]|.", re.DOTALL)


class Paper:
    """Understands what lines of text and rich's live region need, and counts anything else as a fault of theirs.

    Nothing scrolls away: `lines` is all that would still stand, and the cursor goes up no higher than the window.
    """

    def __init__(self, columns: int, height: int) -> None:
        self.columns, self.height = columns, height
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0
        self.cursor_shown = True
        self.drawn = ""  # the codes of style that were asked for
        self.unknown: list[str] = []

    def feed(self, text: str) -> Paper:
        """Take what was written."""
        for found in STEP.finditer(text):
            code = found.group()
            if found.group(3):
                self._obey(found.group(3), found.group(2), bool(found.group(1)))
            elif code == "\r":
                self.column = 0
            elif code == "\n":
                self._down()
            elif code.isprintable():
                self._put(code)
            else:
                self.unknown.append(code)
        return self

    @property
    def lines(self) -> list[str]:
        """Everything that stands, from the first line to the last that is not empty."""
        lines = ["".join(row).rstrip() for row in self.rows]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def _obey(self, letter: str, number: str, private: bool) -> None:
        if private and number == "25" and letter in "hl":
            self.cursor_shown = letter == "h"
        elif letter == "m":
            self.drawn += f"{number};"
        elif letter == "K" and number == "2":
            self.rows[self.row] = []
        elif letter == "K" and number in ("", "0"):
            del self.rows[self.row][self.column :]
        elif letter == "A":
            top = max(0, len(self.rows) - self.height)
            self.row = max(top, self.row - int(number or 1))
        else:
            self.unknown.append(f"{number}{letter}")

    def _down(self) -> None:
        self.row, self.column = self.row + 1, 0  # a terminal makes \r\n of it
        if self.row == len(self.rows):
            self.rows.append([])

    def _put(self, letter: str) -> None:
        if self.column == self.columns:
            self._down()
        row = self.rows[self.row]
        row.extend(" " * (self.column + 1 - len(row)))
        row[self.column] = letter
        self.column += 1
