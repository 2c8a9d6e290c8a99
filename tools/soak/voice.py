"""An hour of speech without a pause: python -m tools.soak.voice [--minutes 60] [--board host]

Long texts go word by word, as a mind gives them, through phrases, tts, effects and playback to the card that is a file,
all characters in turn, in lock-step: much faster than it would sound. Everything that leaves the card is looked at. The
program ends with 1 when something is lost, altered, late, clipped or clicks, or when memory grows.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np

from epsilon.clock import ManualClock
from epsilon.config import folders
from epsilon.config.board import Audio, Board, load_board
from epsilon.config.character import Character, load_character
from epsilon.devices.wav import WavCard
from epsilon.errors import EpsilonError
from epsilon.messages import Heard, Message, News, Sound, Token
from epsilon.parts import load_effects, load_engine, seat_of
from epsilon.ring import Bell, Ring, Samples
from epsilon.stage import SLOTS, Place, Stage
from epsilon.stages.effects import Effects
from epsilon.stages.phrases import Phrases
from epsilon.stages.playback import Playback
from epsilon.stages.tts import Tts
from epsilon.turn import Turn
from tools.bench import print_table
from tools.soak.stream import Findings, Stream
from tools.soak.texts import long_texts

RATE_HZ = 16_000
# What is allowed. A step from sample to sample is judged by how much larger it is than all others within 10 ms: in
# forty sentences said at once the shipped voices' own stand out 1.6 and 2.9 times. Bram's sharpest sounds step by 0.82
# in eighty sentences, by 0.92 in ten minutes.
LARGEST_STEP = 1.2  # of full scale
CLICK = 5.0
JOIN_CLICK = 2.5  # where a chunk, a phrase or a reply begins: there are few, and none may be an accident
PEAK = 0.999
GROWN_MB = 5.0  # in all: what is held swings by that much between replies


class NotedCard(WavCard):
    """The card, with a note of where what was written begins."""

    def __init__(self, audio: Audio, clock: ManualClock) -> None:
        super().__init__(audio, clock, np.zeros(0, np.float32))
        self.starts: list[int] = []

    def write(self, samples: Samples) -> int:
        start = super().write(samples)
        self.starts.append(start)
        return start


class NotedRing(Ring[Message]):
    """A joint between stages, with a note of the sound that passed."""

    def __init__(self, bell: Bell) -> None:
        super().__init__(SLOTS, bell)
        self.sounds: list[Sound] = []

    def put(self, item: Message) -> bool:
        """Note it and pass it on."""
        assert isinstance(item, Sound)
        self.sounds.append(item)
        return super().put(item)


@dataclass
class Mouth:
    """One character's way from words to the speaker, which it shares with the others."""

    words: Ring[Message]
    stages: list[Stage]
    sounds: NotedRing


class Soak:
    """The voices of some characters on one card; `run` speaks and finds out."""

    def __init__(self, board: Board, characters: Sequence[Character]) -> None:
        self.clock, self.turn = ManualClock(), Turn()
        self.card = NotedCard(board.audio, self.clock)
        self.playback = Playback(Place(seat_of(board, "playback"), self.turn, self.clock), self.card)
        self.heard: Ring[Message] = Ring(SLOTS, Bell())
        self.news: Ring[News] = Ring(SLOTS, Bell())
        self.playback.outbox, self.playback.news = self.heard, self.news
        engine = load_engine(board, "tts")
        self.mouths = [self._mouth(board, character, engine) for character in characters]
        self.findings = Findings()
        self.stream = Stream(self.findings, RATE_HZ)
        self.frame = 0
        self.card.start()

    def run(self, minutes: float, texts: Iterator[str], show: bool = False) -> Findings:
        """Speak the texts, one character after the other, until so many minutes have passed at the card."""
        mouths = cycle(self.mouths)
        while self.findings.frames < minutes * 60 * RATE_HZ:
            self.say(next(mouths), next(texts))
            self.stream.weigh()
            if show:
                self._show(minutes)
        self.findings.underruns = self.card.counts.underruns
        return self.findings

    def say(self, mouth: Mouth, text: str) -> None:
        """One reply, to its last sample."""
        mark, began = self.turn.next(), self.frame
        self.turn.commit()
        coming = self.words(text)
        over: Heard | None = None
        while over is None:
            if (word := next(coming, None)) is not None:
                mouth.words.put(Token(mark, word, last=not word))
            self._pass_block(mouth)
            item = self.heard.take()
            over = item if isinstance(item, Heard) else None
        self._pass_block(mouth)  # behind the last sample there is silence
        self._judge(mouth, began, over)

    def words(self, text: str) -> Iterator[str | None]:
        """A word for each block of the card, then the end (an empty one). None: nothing yet."""
        yield from (f"{word} " for word in text.split())
        yield ""

    def _mouth(self, board: Board, character: Character, engine: Any) -> Mouth:
        phrases = Phrases(self._place(board, "phrases"), character.voice.moods)
        tts = Tts(self._place(board, "tts"), engine, character.voice)
        effects = Effects(self._place(board, "effects"), load_effects(character))
        phrases.outbox, tts.outbox = tts.inbox(), effects.inbox()
        effects.outbox = sounds = NotedRing(self.playback.bell)
        self.playback.inboxes.append(sounds)
        return Mouth(phrases.inbox(), [phrases, tts, effects, self.playback], sounds)

    def _place(self, board: Board, stage: str) -> Place:
        return Place(seat_of(board, stage), self.turn, self.clock)

    def _pass_block(self, mouth: Mouth) -> None:
        self.frame += self.card.block_frames
        self.clock.advance_to(self.card.time_of(self.frame))
        self.card.read()
        while sum(stage.step() for stage in mouth.stages):
            pass

    def _judge(self, mouth: Mouth, began: int, over: Heard) -> None:
        found, left = self.findings, self.card.take()
        made = np.concatenate([sound.samples for sound in mouth.sounds.sounds])
        start = self.card.starts[0] - began
        same = (
            left[start : start + len(made)] == made
            if len(left) >= start + len(made)
            else np.zeros(len(made), bool)
        )
        found.altered += int(np.count_nonzero(~same))
        found.altered += int(np.count_nonzero(left[:start])) + int(
            np.count_nonzero(left[start + len(made) :])
        )
        ends = np.cumsum([len(sound.samples) for sound in mouth.sounds.sounds])
        self.stream.hear(left, [start, *(start + ends).tolist()])
        found.replies += 1
        found.phrases += sum(sound.phrase_ends for sound in mouth.sounds.sounds)
        whole = " ".join(sound.text for sound in mouth.sounds.sounds if sound.phrase_ends and sound.text)
        found.not_heard += not over.complete or over.text != whole
        while (item := self.news.take()) is not None:
            found.gaps_ms += [float(item.text)] if item.what == "gap" else []
        mouth.sounds.sounds.clear()
        self.card.starts.clear()

    def _show(self, minutes: float) -> None:
        found = self.findings
        print(
            f"\r{found.frames / RATE_HZ / 60:.1f} of {minutes:g} minutes, {found.memory_mb[-1][1]:.0f} MB",
            end="",
            file=sys.stderr,
            flush=True,
        )


@dataclass
class Verdict:
    """A row for each bound, and what is beyond its own."""

    rows: list[tuple[str, object, object]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def at_most(self, what: str, found: float, allowed: float) -> None:
        """Something that must not be more."""
        shown = (found, allowed) if isinstance(found, int) else (f"{found:.3f}", f"{allowed:g}")
        self.rows.append((what, *shown))
        if not found <= allowed:
            self.broken.append(what)


def verdict(found: Findings) -> Verdict:
    """Whether a run was within all bounds."""
    made = Verdict()
    made.at_most("underruns", found.underruns, 0)
    made.at_most("gaps between phrases", len(found.gaps_ms), 0)
    made.at_most("ms of gaps", sum(found.gaps_ms), 0)
    made.at_most("replies not heard to their end", found.not_heard, 0)
    made.at_most("samples lost or altered on the way", found.altered, 0)
    made.at_most("samples that are no number", found.not_finite, 0)
    made.at_most("peak, of full scale", found.peak, PEAK)
    made.at_most("largest step, of full scale", found.largest_step, LARGEST_STEP)
    made.at_most("most prominent step, times its surroundings", found.click, CLICK)
    made.at_most("the same where chunks and phrases join", found.join_click, JOIN_CLICK)
    made.at_most("MB grown after warm-up", found.grown_mb, GROWN_MB)
    return made


def main() -> int:
    """Speak, print the table, and end with 1 when a bound is broken, with 2 when there is nothing to speak with."""
    chosen = _options()
    names = folders.character_names()
    try:
        soak = Soak(load_board(chosen.board), [load_character(name) for name in names])
    except EpsilonError as mistake:
        print(mistake, file=sys.stderr)
        return 2
    found = soak.run(chosen.minutes, long_texts(names), show=True)
    made = verdict(found)
    print(file=sys.stderr)
    print_table(("over the whole run", "found", "allowed"), made.rows)
    print(
        f"{found.frames / RATE_HZ / 60:.1f} minutes, {100 * found.spoken_frames / found.frames:.0f} % of them sound: "
        f"{', '.join(names)} in turn, {found.replies} replies, {found.phrases} phrases, {found.joins} joins; "
        f"the most prominent step at {found.click_s:.2f} s; {found.memory_mb[-1][1]:.0f} MB held"
    )
    print(f"beyond its bound: {', '.join(made.broken)}" if made.broken else "all within bounds")
    return bool(made.broken)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="of sound (default: 60)")
    parser.add_argument("--board", default="host")
    chosen = parser.parse_args()
    if not 0 < chosen.minutes < math.inf:
        parser.error(f"--minutes {chosen.minutes:g}: should be more than 0")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
