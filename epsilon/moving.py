"""A toy that is too hot moves to fewer cores or smaller models, and back: it ends, and goes on where it was."""

from __future__ import annotations

import gc

from epsilon.clock import Clock
from epsilon.config.board import Board
from epsilon.devices import Card
from epsilon.stages.body import SMALLER, Body
from epsilon.stages.llm import Llm
from epsilon.toy import STAGES, Toy


def destination(board: Board, where: str) -> Board:
    """The board as it is while the toy is hot, or as it is usually; `where` is the text of the news `move`."""
    return board.with_stages(board.ladder.smaller) if where == SMALLER else board


def successor(toy: Toy, board: Board, card: Card, clock: Clock) -> Toy:
    """The same somebody on other seats, who remembers what was said and how the body stands.

    `toy` has been stopped and is empty from here on: two of them may not fit the memory.
    """
    llm, body = _minds(toy)
    exchanges, ladder, at = llm.conversation.exchanges, body.ladder, body.at
    hardware, feeling = body.hardware, body.feeling
    toy.switches.unwatch(body.bell)
    del llm, body
    _empty(toy)
    known = (toy.acoustics, toy.switches, toy.state, hardware, feeling, toy.load)
    fresh = Toy(board, toy.character, card, clock, *known)
    llm, body = _minds(fresh)
    llm.conversation.take_over(exchanges)
    llm.model.sync_to(llm.sequence, llm.conversation.ids())  # now, while nobody waits for an answer
    body.take_over(ladder, at)
    llm.be_brief(ladder.standing.measures.length)
    return fresh


def _minds(toy: Toy) -> tuple[Llm, Body]:
    """What remembers something."""
    llm, body = toy.stages[STAGES.index("llm")], toy.stages[STAGES.index("body")]
    assert isinstance(llm, Llm) and isinstance(body, Body)
    return llm, body


def _empty(toy: Toy) -> None:
    """Let go of a toy's engines. Its stages and rings hold each other, and all of them were frozen at its start."""
    toy.stages.clear()
    gc.unfreeze()
    gc.collect()
