"""Button: does the talk button move when a hand moves it, and can every other pin of the body be had?"""

from __future__ import annotations

from epsilon.parts import load_hardware
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, failed, passed, skipped

ORDER, SPOKEN = 40, "button"
PATIENCE_S = 6.0
PLEASE = "Press the talk button, please, or let it go if you hold it."


def check(bench: Bench) -> Found:
    """Wait until it is pressed, or let go: whoever started the test by holding it has it down already."""
    if bench.board.body.hardware == "none":
        return skipped("this board has no pins")
    hardware = load_hardware(bench.board, bench.hands)
    hardware.start()  # takes every pin of the body
    try:
        if bench.board.body.talk_button is None:
            return passed("every pin of the body can be had; there is no talk button")
        before = bench.hands.moves  # a start tells where the button is: that is no movement
        bench.show(PLEASE)
        bench.say("press")
        return _moved(bench, before)
    finally:
        hardware.stop()


def _moved(bench: Bench, before: int) -> Found:
    hands = bench.hands
    end_s = bench.clock.now() + min(PATIENCE_S, bench.left_s())
    while hands.moves == before and hands.bell.wait(end_s - bench.clock.now()):
        pass  # another switch moved
    if hands.moves == before:
        return failed(f"the talk button at {bench.board.body.talk_button} did not move", muted=hands.muted)
    return passed("the talk button moves", moves=hands.moves - before, muted=hands.muted)
