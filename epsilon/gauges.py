"""What there is to read off a toy that runs: levels, who has the floor, how full its rings are, what was lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.floor import DOUBTING, LISTENING, PAUSING, SPEAKING
from epsilon.ladder import Standing
from epsilon.ring import SampleRing
from epsilon.stage import SLOTS
from epsilon.stages.body import Body
from epsilon.stages.playback import Playback
from epsilon.stages.vad import Vad
from epsilon.toy import STAGES, Toy

LEVEL_FRAMES = SAMPLE_RATE_HZ // 10  # a level is that of the last 100 ms
OF_THE_USER = {SPEAKING: "you speak", PAUSING: "you pause", DOUBTING: "holds its breath"}
LISTENS = "listens"


@dataclass(frozen=True, slots=True)
class Reading:
    """A toy at one moment. Levels are RMS in dB of full scale, -inf where there is silence or nothing at all."""

    state: str
    quiet: bool  # nobody speaks, and nobody waits for an answer
    hears_db: float  # behind the echo canceller: without the toy's own voice
    says_db: float
    microphone: float  # the share of its ring that waits to be heard
    messages: float  # the share of the fullest ring between two stages
    speaker_ms: float  # of sound that waits on the card
    counts: dict[str, int]
    standing: Standing | None  # None where the toy has neither battery nor thermometer


class Gauges:
    """Reads a toy from any thread, without a lock: every number by itself is right, two may be of two moments."""

    def __init__(self, toy: Toy) -> None:
        self._toy = toy
        vad, playback, body = (toy.stages[STAGES.index(name)] for name in ("vad", "playback", "body"))
        assert isinstance(vad, Vad) and isinstance(playback, Playback) and isinstance(body, Body)
        self._vad, self._playback, self._body = vad, playback, body
        self._feels = toy.board.body.battery is not None or bool(toy.board.soc.zones)

    def read(self) -> Reading:
        """All of it now."""
        toy, standing = self._toy, self._body.standing
        inboxes = [len(inbox) for stage in toy.stages for inbox in stage.inboxes]
        return Reading(
            state=self._state(),
            quiet=self.quiet,
            hears_db=level_db(toy.microphone),
            says_db=level_db(toy.card.reference),
            microphone=max(0, self._vad.reader.available) / toy.microphone.frames,
            messages=max(inboxes, default=0) / SLOTS,
            speaker_ms=self._waiting_frames() * 1000 / SAMPLE_RATE_HZ,
            counts=toy.counts,
            standing=standing if self._feels or standing != Standing() else None,
        )

    @property
    def quiet(self) -> bool:
        """Nobody speaks, and nobody waits for an answer."""
        vad = self._vad
        return vad.floor.state is LISTENING and not vad.owing and not self._playback.sounding

    def _waiting_frames(self) -> int:
        """Of sound that the card holds. The card itself is not asked: it may only be by the stage that feeds it."""
        playback = self._playback
        sounds = playback.sounding and not playback.holding
        return max(0, playback.ends_at - self._toy.card.left()) if sounds else 0

    def _state(self) -> str:
        """What the toy is doing, in a word or two; who cannot hear says that first."""
        if self._toy.card.gone:
            return "no sound card"
        if self._toy.switches.muted:
            return "muted"
        if (floor := self._vad.floor.state) is not LISTENING:
            return OF_THE_USER[floor]
        if self._playback.sounding:
            return "speaks"
        return "thinks" if self._vad.owing else LISTENS


def level_db(ring: SampleRing) -> float:
    """The level of what was written last."""
    count = min(LEVEL_FRAMES, ring.written)
    samples = ring.copy(ring.written - count, count) if count else None
    power = float(np.mean(samples**2)) if samples is not None else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf
