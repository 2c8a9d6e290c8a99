"""May the toy listen while it speaks? Chosen from what its own microphone heard of it, and kept for board and card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from epsilon.config.board import Board
from epsilon.config.document import Problems, read
from epsilon.config.fields import read_table, setting, settings_of, spec_of
from epsilon.config.units import show, split_name
from epsilon.state import state_folder

NO_CANCELLER = "none"
INAUDIBLE_DB = 45.0  # of return loss: a voice is below what a quiet room makes itself
ENOUGH_DB = 18.0  # of echo taken out: what is left of a voice at -6 dB is fainter than any user
AT_NOISE_DB = 3.0  # above the noise of room and microphone, and nothing more can be asked of a canceller
MUTED_DB = -95.0  # no microphone that is on is so quiet
CLIPPED_PERCENT = 1.0
ANEW = "epsilon check --audio measures anew"
HEADER = f"# How well the toy hears itself here. Written when it first talked; {ANEW}.\n"


class Duplex(Enum):
    """How the toy listens."""

    OPEN = "open"
    """Always, and without a canceller: its microphone does not hear its speaker."""
    FULL = "full"
    """Always: its own voice is taken out."""
    HALF = "half"
    """Between its replies alone."""


LISTENS = {
    Duplex.OPEN: "so it listens while it speaks, and needs no echo canceller",
    Duplex.FULL: "so it listens while it speaks",
    Duplex.HALF: "so it does not listen while it speaks",
}


@dataclass(frozen=True)
class Acoustics:
    """What was measured; levels are in decibels of full scale."""

    duplex: str = setting("how the toy listens", choices=tuple(one.value for one in Duplex))
    canceller: str = setting("the module of epsilon/engines/echo that was measured")
    delay_ms: float = setting("from the reference to the echo", low=-1000, high=2000)
    noise_db: float = setting("level of room and microphone", low=-120, high=20)
    echo_db: float = setting("level of the toy in its microphone", low=-120, high=20)
    return_loss_db: float = setting("how much fainter the echo is than what left", low=-60, high=120)
    enhancement_db: float = setting("how much of the echo the canceller took out", low=-60, high=120)
    clipped_percent: float = setting("share of the echo's samples at full scale", low=0, high=100)

    @property
    def audible(self) -> bool:
        """True when the microphone hears the speaker."""
        return self.return_loss_db < INAUDIBLE_DB


def choose(found: Acoustics) -> Duplex:
    """The best that the measurement allows."""
    if not found.audible:
        return Duplex.HALF if found.noise_db <= MUTED_DB else Duplex.OPEN
    left_db = found.echo_db - found.enhancement_db
    if found.canceller == NO_CANCELLER:
        return Duplex.HALF
    good = found.enhancement_db >= ENOUGH_DB or left_db <= found.noise_db + AT_NOISE_DB
    return Duplex.FULL if good else Duplex.HALF


def reasons(found: Acoustics) -> list[str]:
    """What was found and what follows, in sentences for people."""
    said = list(_findings(found))
    duplex = Duplex(found.duplex)
    if duplex is not choose(found):
        said.append(f"the file says '{duplex.value}' all the same")
    return [*said, LISTENS[duplex]]


def _findings(found: Acoustics) -> Iterator[str]:
    if not found.audible:
        muted = f"the microphone gives pure silence: is it muted? {ANEW}"
        yield muted if found.noise_db <= MUTED_DB else "the microphone does not hear the speaker"
        return
    loss_db = found.return_loss_db
    compared = f"{abs(loss_db):.0f} dB {'louder' if loss_db < 0 else 'fainter'} than what left"
    yield f"the echo is {compared} and comes {found.delay_ms:.0f} ms later"
    if found.clipped_percent > CLIPPED_PERCENT:
        yield f"{found.clipped_percent:.0f} % of it clips: turn the speaker or the microphone down"
    if found.canceller == NO_CANCELLER:
        yield "the board names no echo canceller"
        return
    few = "" if choose(found) is Duplex.FULL else f"; {ENOUGH_DB:.0f} dB are needed"
    yield f"{found.canceller} takes {found.enhancement_db:.0f} dB out{few}"


def how_to_listen(board: Board, hears_itself: bool, found: Acoustics | None) -> Duplex:
    """What was chosen for this board; where nothing was measured, what its canceller is there for."""
    if not hears_itself:
        return Duplex.OPEN
    if found is not None:
        return Duplex(found.duplex)
    return Duplex.HALF if board.stages["capture"].engine == NO_CANCELLER else Duplex.FULL


def recall(board: Board) -> Acoustics | None:
    """What was measured with this board's card and canceller; None when nothing was, or with another canceller.

    ConfigError with file and line when the file is not what was written.
    """
    path = place(board)
    if not path.is_file():
        return None
    problems = Problems()
    found = read_table(Acoustics, read(path, problems), problems)
    problems.raise_if_any()
    return found if found.canceller == board.stages["capture"].engine else None


def keep(board: Board, found: Acoustics) -> Path:
    """Write it where `recall` looks, whole or not at all; returns where."""
    from epsilon.audio_files import finished  # brings libsndfile, which whoever only reads does without

    path = place(board)
    with finished(path) as unfinished:
        unfinished.write_text(HEADER + "".join(f"{line}\n" for line in _lines(found)), encoding="utf-8")
    return path


def table(found: Acoustics) -> list[str]:
    """A line for each figure, with what it is."""
    meanings = [spec_of(field).doc for field in settings_of(Acoustics)]
    return [f"{line:<28} {meaning}" for line, meaning in zip(_lines(found), meanings, strict=True)]


def _lines(found: Acoustics) -> Iterator[str]:
    """As the file has them."""
    for field in settings_of(Acoustics):
        key, unit = split_name(field.name)
        value = getattr(found, field.name)
        yield f"{key}: {show(round(value, 1), unit) if unit else value}"


def place(board: Board) -> Path:
    """The file of a board and its card, where the toy keeps things."""
    card = re.sub(r"[^\w.]+", "_", board.audio.card).strip("_.") or "card"
    return state_folder() / f"{board.name}-{card}.yaml"
