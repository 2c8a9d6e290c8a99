"""Does the sound survive Python's pauses? python -m tools.bench.gil [TAKE] [--hold-ms 200]

A take is played into a virtual sound card, the toy hears it and answers through the card, and all the while one Python
thread holds the interpreter for 200 ms in each second. Then every sample is compared: what the toy's microphone gave
with what was played to it, and what left the speaker with what the toy handed over.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from epsilon.audio_files import read_audio
from epsilon.clock import Clock, MonotonicClock
from epsilon.config.board import Audio, load_board
from epsilon.config.character import load_character
from epsilon.devices.portaudio import PortAudioCard
from epsilon.ring import Samples
from epsilon.toy import Toy, running
from tests import virtual_card
from tools.bench import print_table
from tools.takes import FOLDER, takes

RATE_HZ = 16_000
PERIOD_S = 1.0
ANSWER_S = 8.0  # after the take: the last answer and what is on its way
KEY_FRAMES = 400  # of noise or speech, enough to find a place by


class NotedCard(PortAudioCard):
    """The card, with a note of every sample that passed between it and the toy."""

    def __init__(self, audio: Audio, clock: Clock) -> None:
        super().__init__(audio, clock)
        self.heard: list[Samples] = []
        self.replies: list[list[Samples]] = []

    def read(self) -> Samples | None:
        block = super().read()
        if block is not None:
            self.heard.append(block)
        return block

    def begin_phrase(self) -> None:
        if not self._in_reply:
            self.replies.append([])
        super().begin_phrase()

    def write(self, samples: Samples) -> int:
        self.replies[-1].append(samples.copy())
        return super().write(samples)


class Holder(threading.Thread):
    """Holds the interpreter: `usleep` called through a library handle that does not let go of it."""

    def __init__(self, hold_ms: float) -> None:
        super().__init__(name="holder")
        self.hold_us = round(hold_ms * 1000)
        self.holds = 0
        self.ended = threading.Event()

    def run(self) -> None:
        usleep = ctypes.PyDLL(None).usleep
        while not self.ended.wait(PERIOD_S - self.hold_us / 1e6):
            usleep(self.hold_us)
            self.holds += 1


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sound that went in, looked for in what came out."""

    sent: int
    lost: int  # samples of it that are not where they should be
    gaps: int  # runs of such samples


def main() -> None:
    """Measure and print; the exit code is 1 when a sample is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("take", nargs="?", default="three-turns", help="a folder of tests/takes")
    parser.add_argument("--hold-ms", type=float, default=200.0, help="in each second (default: 200)")
    parser.add_argument("--board", default="host")
    chosen = parser.parse_args()
    raise SystemExit(measure(chosen.take, chosen.hold_ms, chosen.board))


def measure(take: str, hold_ms: float, board_name: str) -> int:
    """Run the conversation and print the table; returns the exit code."""
    board = load_board(board_name)
    character = load_character(next(one.character for one in takes() if one.name == take))
    played = read_audio(FOLDER / take / "in.wav")
    clock = MonotonicClock()
    holder = Holder(hold_ms)
    with tempfile.TemporaryDirectory() as folder, virtual_card.virtual_card(Path(folder) / "card") as sound:
        card = NotedCard(dataclasses.replace(board.audio, card=virtual_card.CARD), clock)
        toy = Toy(board, character, card, clock)
        recording = sound.record()
        with running(toy):
            holder.start()
            sound.play(played)
            end_s = clock.now() + len(played) / RATE_HZ + ANSWER_S
            while (left_s := end_s - clock.now()) > 0:
                for _ in toy.watch(left_s):
                    pass
            holder.ended.set()
            holder.join()
        left = recording.stop()
    microphone = compare(played, np.concatenate(card.heard))
    speakers = [compare(np.concatenate(reply), left) for reply in card.replies if reply]
    report(microphone, speakers, holder.holds, card, toy)
    return int(bool(microphone.lost or sum(one.lost for one in speakers) or not speakers))


def compare(sent: Samples, found: Samples) -> Comparison:
    """Count the samples of `sent` [n] that are not in `found` [m] from the place where it begins."""
    start = place_of(sent, found)
    if start is None:
        return Comparison(len(sent), len(sent), 1)
    there = found[start : start + len(sent)]
    wrong = np.ones(len(sent), bool)
    wrong[: len(there)] = there != sent[: len(there)]
    gaps = int(wrong[0]) + int(np.count_nonzero(np.diff(wrong.astype(int)) == 1))
    return Comparison(len(sent), int(np.count_nonzero(wrong)), gaps)


def place_of(sent: Samples, found: Samples) -> int | None:
    """Where `sent` begins in `found`: its first stretch that is not silence, looked for sample by sample."""
    first = int(np.flatnonzero(sent)[0])
    key = sent[first : first + KEY_FRAMES]
    for start in np.flatnonzero(found[: len(found) - len(key)] == key[0]):
        if np.array_equal(found[start : start + len(key)], key):
            return int(start) - first
    return None


def report(
    microphone: Comparison, speakers: list[Comparison], holds: int, card: PortAudioCard, toy: Toy
) -> None:
    """A row for the microphone and one for each reply."""
    rows = [("microphone", microphone)] + [(f"reply {n + 1}", one) for n, one in enumerate(speakers)]
    print_table(
        ("sound", "seconds", "samples", "lost", "gaps"),
        [(name, one.sent / RATE_HZ, one.sent, one.lost, one.gaps) for name, one in rows],
    )
    print(f"the interpreter was held {holds} times; {len(toy.journal.turns)} turns")
    print(f"the card counted {card.counts.overruns} overruns and {card.counts.underruns} underruns")


if __name__ == "__main__":
    main()
