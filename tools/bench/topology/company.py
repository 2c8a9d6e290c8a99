"""Ears and voice at work beside the mind, each in a thread on its own cores, as when the toy converses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.organs import Ears, Voice
from epsilon.parts import seat_of
from epsilon.realtime import Seat

SENTENCE = "Do you want to hear what happened in the garden last night?"


@contextmanager
def company(board: Board, character: Character) -> Iterator[None]:
    """While this lasts the toy hears a sentence and says one, over and over."""
    voice, ears = Voice(board, character), Ears(board)
    sound = voice.say(SENTENCE)
    work: list[tuple[Seat, Callable[[], object]]] = [
        (seat_of(board, "tts"), lambda: voice.say(SENTENCE)),
        (seat_of(board, "asr"), lambda: ears.words(sound)),
    ]
    ended = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(seat, one, ended)) for seat, one in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _repeat(seat: Seat, work: Callable[[], object], ended: threading.Event) -> None:
    seat.take()
    while not ended.is_set():
        work()
