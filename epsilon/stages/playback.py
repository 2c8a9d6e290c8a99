"""Playback: sound to the card, never before its turn nor further ahead than the lead, and what of it was heard."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator

import numpy as np

from epsilon.devices import Card
from epsilon.devices.edge import after_silence
from epsilon.duplex import Duplex
from epsilon.engines.protocols import SAMPLE_RATE_HZ
from epsilon.hardware import Switches
from epsilon.messages import Heard, Message, Murmur, Sound
from epsilon.pace import Pace
from epsilon.ring import Bell, Samples
from epsilon.spoken import Spoken
from epsilon.stage import Place, Stage
from epsilon.turn import Mark
from epsilon.volume import Gain

REFILL_SHARE = 8  # of the lead, played when the card is fed again: the rest is for when Python is held up
FADE_MS = 10.0  # a barge-in is silent after this and at most a block of 10 ms, without a click
MURMUR_GAIN = np.float32(10 ** (-9 / 20))
AUDIBLE = 10 ** (-50 / 20)  # of full scale


class Playback(Stage):
    """Feeds the card with what belongs to a committed turn; what came before that waits.

    What a newer turn makes stale is faded out. While the turn is held the sound stops, and goes on where it was.
    What left the card is reported as heard.
    """

    def __init__(
        self, place: Place, card: Card, duplex: Duplex = Duplex.HALF, switches: Switches | None = None
    ) -> None:
        super().__init__(place)
        self.card, self.duplex, self.switches = card, duplex, switches or Switches()
        self.gain = Gain()
        self.listeners: list[Bell] = []
        self.mark: Mark | None = None  # of the reply that sounds
        self.waiting: deque[tuple[Spoken, Samples]] = deque()  # no longer than the reply is spoken
        self.given: deque[tuple[Spoken, Samples]] = deque()  # to the card, which may not have played it yet
        self.spoke = Mark(-1, 0)
        self.holding = False
        self.murmur: Samples = np.zeros(0, np.float32)  # what of a small noise the card has not been given
        self.murmuring = False
        self.fell_silent_at = 0  # where the toy began to hold its breath
        self.joined = True  # what is written next follows what was written before
        self.spoken: list[Spoken] = []
        self.arrived = self.written = 0  # frames of the reply that came here, and that went to the card
        self.ends_at = 0  # the frame of the card's time line at which what was written has left
        self.pace = Pace()  # of the voice, learnt over all replies
        self.audible: set[str] = set()  # of "opener" and "answer": whose first audible sample is on its way
        self.ended = False  # everything of the reply has arrived
        self.turn.watch(self.bell)

    @property
    def sounding(self) -> bool:
        """True from a reply's first sound to its last."""
        return self.mark is not None and self.mark == self.spoke

    @property
    def deafening(self) -> bool:
        """True while the microphone hears the reply and nothing takes it out."""
        return self.sounding and self.card.hears_itself and self.duplex is Duplex.HALF

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever the toy begins to speak, or ends."""
        self.listeners.append(bell)

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Murmur):
            self._murmur(item)
            return
        assert isinstance(item, Sound)
        if self.mark is not None and item.mark != self.mark:
            yield from self._leave(self.mark)
        if self.mark is None:
            self._begin(item.mark)
        if not self.spoken or self.spoken[-1].index != item.index:
            self._begin_phrase(item)
        phrase = self.spoken[-1]
        phrase.add(item, self.clock.now(), self.pace)
        if len(item.samples):
            self.waiting.append((phrase, item.samples))
            self.arrived += len(item.samples)
        self.ended |= item.last
        self._feed(item.mark)

    def tick(self) -> bool:
        if self.mark is None or not self.turn.is_committed(self.mark):
            busy = self._feed_murmur()
            if self.mark is None:
                return busy
        if self.turn.is_stale(self.mark):
            for heard in self._leave(self.mark):
                self.emit(heard)
            return True
        if not self.turn.is_committed(self.mark):
            return False
        if self.turn.held:
            return self._hold(self.mark)
        self.holding = False
        busy = self._feed(self.mark)
        if self.ended and not self.waiting and self.card.pending() == 0:
            self.emit(self._account(self.mark, complete=True))
            return True
        return busy

    def due(self) -> float | None:
        if len(self.murmur):
            return self.clock.now() + self.card.block_frames / SAMPLE_RATE_HZ
        if self.mark is None or self.holding or not (self.waiting or self.ended):
            return None
        if not self.turn.is_committed(self.mark):
            return None
        ahead = wait_frames = self.card.pending()
        if self._held():
            ready_s = self.waiting[0][0].ready_s(self.pace)
            return ready_s if math.isfinite(ready_s) else None
        if self.waiting:
            refill_at = self.card.lead_frames - self.card.lead_frames // REFILL_SHARE
            wait_frames = max(ahead - refill_at, self.card.block_frames)
        return self.clock.now() + max(wait_frames, 1) / SAMPLE_RATE_HZ

    def _murmur(self, item: Murmur) -> None:
        """A small noise, softly, unless the toy speaks."""
        if not self.sounding:
            self.tell("murmurs", item.mark, item.text, at=self.card.left())
            self.murmur = item.samples * MURMUR_GAIN
            self._feed_murmur()

    def _feed_murmur(self) -> bool:
        room = self.card.room() if len(self.murmur) else 0
        if room > 0:
            self.card.write(self.gain.apply(self.murmur[:room], self.switches.volume))
            self.murmur = self.murmur[room:]
            self.murmuring = True
        return room > 0

    def _hush(self) -> None:
        """A reply begins: no noise of its own stands in its way."""
        self.murmur = self.murmur[:0]
        if self.murmuring:
            self.card.cut(FADE_MS)
        self.murmuring = False

    def _begin(self, mark: Mark) -> None:
        self.mark, self.spoken, self.audible, self.ended = mark, [], set(), False
        self.arrived = self.written = 0
        self.holding, self.joined = False, True

    def _begin_phrase(self, item: Sound) -> None:
        if not item.recorded and all(phrase.recorded for phrase in self.spoken):
            self.tell("sound", item.mark)
        self.spoken.append(Spoken(item.index, item.text, self.arrived, item.recorded))

    def _held(self) -> bool:
        """True while the next phrase would run dry if it began now: the voice is made more slowly than it sounds."""
        if not self.waiting or self.waiting[0][0].told:
            return False
        starts_s = self.clock.now() + self.card.pending() / SAMPLE_RATE_HZ
        return starts_s < self.waiting[0][0].ready_s(self.pace)

    def _feed(self, mark: Mark) -> bool:
        busy = False
        if self.turn.held or not self.turn.is_committed(mark):
            return False
        if self.waiting and self.written == 0 and not self._held():
            self._hush()
        while not self._held() and self.waiting and (room := self.card.room()) > 0:
            phrase, samples = self.waiting.popleft()
            if len(samples) > room:
                self.waiting.appendleft((phrase, samples[room:]))
                samples = samples[:room]
            self._write(mark, phrase, samples)
            busy = True
        if self.ended and not self.waiting:
            self.card.end_reply()
        return busy

    def _write(self, mark: Mark, phrase: Spoken, samples: Samples) -> None:
        begins, phrase.told = not phrase.told, True
        if begins:
            self.tell("says", mark, phrase.text)
        if begins or not self.joined:
            self.card.begin_phrase()
        if not self.joined:
            samples = after_silence(samples, SAMPLE_RATE_HZ)
        leaves_at = self.card.write(self.gain.apply(samples, self.switches.volume))
        self._tell_gap(mark, begins, leaves_at)
        self.ends_at = leaves_at + len(samples)
        self._listen(mark, "opener" if phrase.recorded else "answer", samples, leaves_at)
        self.written += len(samples)
        if self.spoke != mark:
            self.spoke = mark
            self._ring()
        self._keep(phrase, samples)

    def _tell_gap(self, mark: Mark, begins: bool, leaves_at: int) -> None:
        """A silence between phrases that is in none of them, unless the toy held its breath."""
        if not self.joined:
            self.joined = True
            self.tell("resumes", mark, at=leaves_at)
        elif begins and self.written and leaves_at > self.ends_at:
            self.tell("gap", mark, f"{(leaves_at - self.ends_at) * 1000 / SAMPLE_RATE_HZ:.1f}", at=leaves_at)

    def _keep(self, phrase: Spoken, samples: Samples) -> None:
        """Remember what the card was given for as long as it may not have played it."""
        self.given.append((phrase, samples))
        kept = sum(len(given) for _, given in self.given)
        most = self.card.pending() + self.card.block_frames
        while kept - len(self.given[0][1]) >= most:
            kept -= len(self.given.popleft()[1])

    def _hold(self, mark: Mark) -> bool:
        """Fall silent, and take back from the card what it has not played."""
        if self.holding or not self.sounding:
            return False
        dropped = self.card.cut(FADE_MS)
        self.written -= dropped
        while dropped > 0 and self.given:
            phrase, samples = self.given.pop()
            kept = max(0, len(samples) - dropped)
            self.waiting.appendleft((phrase, samples[kept:]))
            dropped -= len(samples) - kept
        self.given.clear()
        self.holding, self.joined = True, False
        self.fell_silent_at = self.card.left()
        self.tell("ducks", mark, at=self.fell_silent_at)
        return True

    def _listen(self, mark: Mark, what: str, samples: Samples, leaves_at: int) -> None:
        """Say when the first audible sample leaves, of an opener and of the answer behind it."""
        if what not in self.audible and len(loud := np.flatnonzero(np.abs(samples) > AUDIBLE)):
            self.audible.add(what)
            self.tell(what, mark, at=leaves_at + int(loud[0]))

    def _leave(self, mark: Mark) -> Iterator[Heard]:
        """Stop in the middle of a reply, or forget one of which nothing has sounded."""
        self.waiting.clear()
        self.given.clear()
        if self.written == 0:
            self.mark = None
            if not self.turn.is_committed(mark):
                self.tell("discarded", mark, f"samples={self.arrived}")
            return
        if not self.holding:
            self.written -= self.card.cut(FADE_MS)
        self.card.end_reply()
        yield self._account(mark, complete=False)

    def _account(self, mark: Mark, complete: bool) -> Heard:
        """What was heard of the reply, which is over."""
        text = " ".join(filter(None, (phrase.heard(self.written) for phrase in self.spoken)))
        ended_at = self.fell_silent_at if self.holding else self.card.left()
        self.tell("heard" if complete else "cut", mark, text, at=ended_at)
        self.mark, self.spoke = None, mark  # after it was told: whoever waits for this may end the toy
        self._ring()
        return Heard(mark, text, complete)

    def _ring(self) -> None:
        for bell in self.listeners:
            bell.ring()
