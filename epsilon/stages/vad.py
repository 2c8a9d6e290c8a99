"""Vad: hears who speaks, and decides whose turn it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace

from epsilon.company import Company, insists
from epsilon.config.board import TurnRule
from epsilon.config.character import PUSH_TO_TALK
from epsilon.engines.protocols import SAMPLE_RATE_HZ, EndOfTurn, Thought, VoiceDetector
from epsilon.floor import DOUBTING, LISTENING, SPEAKING, Event, Floor
from epsilon.frames import WINDOW_FRAMES, frames, ms, windows
from epsilon.hardware import Switches
from epsilon.loudness import Loudness
from epsilon.messages import Announcement, Message, Murmur, Remark, Speech, Understood
from epsilon.mouth import Mouth
from epsilon.ring import Ring, SampleRing, Samples
from epsilon.stage import Place, Stage
from epsilon.turn import Mark

PREROLL_FRAMES = SAMPLE_RATE_HZ // 4  # speech begins before the detector believes it
TAIL_FRAMES = SAMPLE_RATE_HZ // 10  # and dies away after it stopped believing
ROOM_FRAMES = SAMPLE_RATE_HZ * 3 // 10  # how long the toy's own sound rings on in the room
AGAIN_FRAMES = 2 * WINDOW_FRAMES  # of voice end a pause: one window is as often a click
QUIET_FRAMES = SAMPLE_RATE_HZ * 3 // 10  # of silence, and what made the toy hold its breath was nothing
MURMUR_AFTER_MS = 300.0
STORY_GOES_ON = 0.4  # the probability below which a pause is not the end of the story


class Vad(Stage):
    """The one writer of the turn: begins it, pauses it, hands it over; `floor` says what is legal when.

    In a pause the words so far go to the mind, which prepares an answer that nobody hears yet. What it thinks of
    the words comes back as Understood, and the end-of-turn engine decides by that and by the sound how long to wait.
    """

    def __init__(
        self,
        place: Place,
        microphone: SampleRing,
        detector: VoiceDetector,
        end_of_turn: EndOfTurn,
        rule: TurnRule,
        mouth: Mouth,
        company: Company,
        switches: Switches | None = None,
    ) -> None:
        super().__init__(place)
        self.company, self.switches = company, switches or Switches()
        self.detector, self.end_of_turn, self.rule, self.mouth = detector, end_of_turn, rule, mouth
        self.reader = microphone.reader(self.bell, WINDOW_FRAMES)
        self.calm = False  # nobody speaks, and the toy neither speaks nor owes an answer; any thread may ask
        self.pulse: Callable[[], None] = lambda: None  # called when something was heard: the turn loop lives
        self.murmurs: Ring[Message] | None = None  # to the card's stage, past all others
        self.lines: deque[Announcement] = deque()  # what the body has to say
        self.announced: tuple[Announcement, Mark] | None = None  # the last of them that was said, and as what
        self.floor = Floor()
        self.mark = self.turn.now  # of what is heard; while in doubt that of a turn not yet begun
        self.thought: Thought | None = None  # of the words up to this pause; None while it is not known
        self.guess: tuple[str, ...] = ()  # the words that were understood last, certain or not
        self.pressed = False  # the talk button, as it was when the last window was heard
        self.loudness = Loudness()
        self.handed_over = Speech(self.mark, 0, 0, last=True)
        self.to_ask_again = False  # its words have changed since an answer was prepared
        self.spent = 0  # revisions of the next turn that sounds were given which came to nothing
        self.owing = False  # an answer was promised and has not sounded yet
        self.voiced_frames = 0  # of the speech that may be starting, or going on after a pause
        self.closely_at = 0  # where the detector listened closely last
        self.deaf_until = 0  # without echo cancellation the toy does not listen while it speaks
        self.start_at = self.begins_at = self.voiced_at = self.posted_at = 0

    def work(self, item: Message) -> Iterator[Message]:
        if isinstance(item, Announcement):
            self.lines.append(item)
            return
        assert isinstance(item, Understood)
        if item.changed and item.mark == self.turn.now:
            self.to_ask_again = True
        if item.mark != self.mark:
            return
        guess, self.guess = self.guess, item.words
        doubtful = self.floor.state is DOUBTING and item.words[:1] != guess[:1]  # ears guess at coughs too
        self.thought = Thought(() if doubtful else item.words, item.finished)
        if self.floor.state is LISTENING:
            self.company.understand(item.words)
            self.owing &= not item.settles
            yield from self._ask_again()

    def _ask_again(self) -> Iterator[Message]:
        """The final words are not those the answer was prepared for: that answer is stale, and they are asked."""
        if self.to_ask_again:
            self.to_ask_again, self.owing = False, True
            self.mark = self.turn.revise()
            self.tell("end of turn", self.mark, at=self.handed_over.end_at)
            self.turn.commit()
            yield replace(self.handed_over, mark=self.mark)

    def tick(self) -> bool:
        busy = False
        while self.reader.available >= WINDOW_FRAMES:
            busy = True
            laps = self.reader.laps
            window = self.reader.read(WINDOW_FRAMES)
            if self.reader.laps != laps:
                self.detector.reset()
            for voiced in self._judged(window):
                for speech in self._hear(window, voiced, self.reader.at):
                    self.emit(speech)
        if busy:
            self.calm = self._is_quiet(self.voiced_frames > 0)
            self.pulse()
        return busy

    def _judged(self, window: Samples) -> list[bool]:
        """Whether there is a voice; over the toy's own it is listened for closely, and must be surer."""
        closely = self.mouth.sounding
        self.closely_at = self.reader.at if closely else self.closely_at
        enough = self.rule.sure if closely and self.floor.state is LISTENING else self.rule.threshold
        return [probability >= enough for probability in self.detector.push(window, closely)]

    def _hear(self, window: Samples, voiced: bool, now_at: int) -> Iterator[Message]:
        yield from self._obey(now_at)
        if self.lines and (self.lines[0].urgent or self._is_quiet(voiced)):
            yield self._announce(self.lines.popleft(), now_at)
            return
        if self.floor.state is LISTENING:
            yield from self._listen(window, voiced, now_at)
            return
        self.company.stir(now_at)
        self.end_of_turn.push(window, voiced)
        if self.floor.state is DOUBTING:
            yield from self._doubt(voiced and not self.loudness.is_far(window), now_at)
        elif self.floor.state is SPEAKING:
            yield from self._follow(window, voiced, now_at)
        else:
            yield from self._pause(voiced, now_at)

    def _obey(self, now_at: int) -> Iterator[Message]:
        """What hands did since the last window."""
        was_pressed, self.pressed = self.pressed, self.switches.pressed and not self.switches.muted
        if self.switches.muted and self.floor.allows(Event.MUTE):
            self._forget()
        elif self.switches.muted:
            return  # who cannot be heard cannot begin, and a reply is said to its end
        elif self.pressed and not was_pressed and self.floor.allows(Event.PRESS):
            self.voiced_frames = 0
            self._begin(Event.PRESS, now_at)
        elif was_pressed and not self.pressed and self.floor.allows(Event.RELEASE):
            self.posted_at = now_at
            yield self._hand_over(Event.RELEASE, now_at)

    def _listen(self, window: Samples, voiced: bool, now_at: int) -> Iterator[Message]:
        """Wait for somebody to speak; after a long quiet the toy may begin by itself."""
        if self.mouth.deafening:
            self.deaf_until = now_at + ROOM_FRAMES
        self.owing &= self.mouth.spoke != self.turn.now
        over_sound = self.mouth.sounding
        if over_sound or voiced or self.owing or self.switches.muted:
            self.company.stir(now_at)
        elif (line := self.company.remark(now_at)) is not None:
            yield self._remark(line)
            return
        ignored = now_at < self.deaf_until or self.rule.listen == PUSH_TO_TALK
        if not voiced or ignored or (over_sound and self.loudness.is_far_beginning(window, now_at)):
            self.voiced_frames = 0
            return
        self.voiced_frames += WINDOW_FRAMES
        needed_ms = self.rule.duck_ms if over_sound else self.rule.min_speech_ms
        if self.voiced_frames < frames(needed_ms):
            return
        if over_sound:
            self._begin_doubt(now_at)
        elif self.owing:
            self._go_on(now_at)
        else:
            self._begin(Event.VOICE, now_at)

    def _begin(self, event: Event, now_at: int) -> None:
        """A new turn, of the user's."""
        self.floor.take(event)
        if event is not Event.INSISTENCE:
            self._start_hearing(now_at)
        self.mark, self.owing, self.to_ask_again = self.turn.next(self.spent), False, False
        self.spent, self.thought, self.guess = 0, None, ()
        self.tell("speech", self.mark, at=self.begins_at)
        self.turn.hold(False)

    def _is_quiet(self, voiced: bool) -> bool:
        return self.floor.state is LISTENING and not (voiced or self.owing or self.mouth.sounding)

    def _announce(self, line: Announcement, now_at: int) -> Remark:
        """Whoever speaks is interrupted: what cannot wait has been left to wait no longer."""
        if self.floor.state is not LISTENING:
            self._forget()
        self.company.stir(now_at)
        remark = self._remark(line.text, line.clip)
        self.announced = (line, remark.mark)
        return remark

    def _remark(self, line: str, clip: Samples | None = None) -> Remark:
        self.floor.take(Event.REMARK)
        self.mark, self.owing, self.voiced_frames = self.turn.next(self.spent), False, 0
        self.spent = 0
        self.turn.commit()
        return Remark(self.mark, line, clip)

    def _begin_doubt(self, now_at: int) -> None:
        self.floor.take(Event.NOISE)
        self._start_hearing(now_at)
        # Never again: late words of a cough are nobody's.
        self.mark = Mark(self.turn.now.turn + 1, self.spent)
        self.spent += 1
        self.turn.hold(True)

    def _start_hearing(self, now_at: int) -> None:
        self.begins_at = now_at - self.voiced_frames
        self.start_at = self.posted_at = max(0, self.begins_at - PREROLL_FRAMES)
        self.voiced_at, self.thought, self.guess = now_at, None, ()
        self.end_of_turn.reset()

    def _doubt(self, voiced: bool, now_at: int) -> Iterator[Message]:
        """Something sounds while the toy holds its breath: is it for the toy?"""
        if voiced:
            self.voiced_at = now_at
            self.voiced_frames += WINDOW_FRAMES
        silence, thought = now_at - self.voiced_at, self.thought or Thought()
        if insists(thought.words, self.voiced_frames, frames(self.rule.interrupt_ms)):
            self._begin(Event.INSISTENCE, now_at)
        elif silence >= QUIET_FRAMES:
            self.floor.take(Event.QUIET)
            self.loudness.mistook(now_at)
            self.voiced_frames, self.mark = 0, self.turn.now
            self.turn.hold(False)
            yield from self._ask_again()
        elif silence == windows(self.rule.prepare_ms):
            yield self._post(now_at, paused=True)
        elif voiced and now_at - self.posted_at >= frames(self.rule.hop_ms) // 2:
            yield self._post(now_at, paused=False)

    def _follow(self, window: Samples, voiced: bool, now_at: int) -> Iterator[Message]:
        """The user speaks."""
        if voiced:
            self.voiced_at = now_at
            self.loudness.learn(window)
            if now_at - self.posted_at >= frames(self.rule.hop_ms):
                yield self._post(now_at, paused=False)
        elif now_at - self.voiced_at >= frames(self.rule.prepare_ms):
            self.floor.take(Event.PAUSE)
            self.voiced_frames = 0
            yield self._post(min(now_at, self.voiced_at + TAIL_FRAMES), paused=True)

    def _pause(self, voiced: bool, now_at: int) -> Iterator[Message]:
        """The user is silent: for how long is this a pause?"""
        self.voiced_frames = self.voiced_frames + WINDOW_FRAMES if voiced else 0
        silence_ms = ms(now_at - self.voiced_at)
        if self.voiced_frames >= AGAIN_FRAMES:
            self._go_on(now_at)
        elif not voiced and not self.pressed and self._is_over(silence_ms):
            if self.thought is None or self.company.is_meant(self.thought.words, now_at):
                yield self._hand_over(Event.END, now_at)
            else:
                self._ignore()
        elif silence_ms >= MURMUR_AFTER_MS:
            self._murmur(silence_ms, now_at)

    def _murmur(self, silence_ms: float, now_at: int) -> None:
        """In a long story's pauses the toy shows that it is there, and takes nobody's turn."""
        if self.thought is None or self.murmurs is None:
            return
        meant = self.company.is_meant(self.thought.words, now_at)
        if not meant or self.end_of_turn.over(silence_ms, self.thought) > STORY_GOES_ON:
            return
        if (noise := self.company.murmur(self.begins_at, now_at)) is not None:
            self.murmurs.put(Murmur(self.mark, *noise))

    def _is_over(self, silence_ms: float) -> bool:
        if self.thought is None and self.company.by_name:
            return False  # for whom it was meant must be known first
        return silence_ms >= self.end_of_turn.wait_ms(silence_ms, self.thought or Thought())

    def _ignore(self) -> None:
        """It was not meant for the toy: what was prepared is stale, and nothing is remembered."""
        self.floor.take(Event.END)
        self.mark, self.voiced_frames = self.turn.revise(), 0
        self.tell("ignored", self.mark)

    def _forget(self) -> None:
        """The microphone was switched off in the middle of a turn."""
        doubting = self.floor.state is DOUBTING
        self.floor.take(Event.MUTE)
        self.mark = self.turn.now if doubting else self.turn.revise()
        self.turn.hold(False)
        self.voiced_frames = 0
        self.tell("ignored", self.mark)

    def _go_on(self, now_at: int) -> None:
        """The same turn goes on: the answer that was prepared is stale."""
        begins_at = now_at - self.voiced_frames
        silence_ms = ms(begins_at - self.voiced_at)
        self.floor.take(Event.MORE)
        self.end_of_turn.went_on(silence_ms)
        self.mark, self.owing = self.turn.revise(), False
        self.tell("goes on", self.mark, text=f"{silence_ms:.0f}", at=begins_at)
        self.voiced_at, self.thought = now_at, None

    def _post(self, end_at: int, paused: bool) -> Speech:
        self.posted_at = end_at
        return Speech(self.mark, self.start_at, end_at, paused)

    def _hand_over(self, event: Event, now_at: int) -> Speech:
        """The turn is the toy's: what was prepared may sound."""
        self.floor.take(event)
        self.company.exchange(now_at)
        self.voiced_frames, self.owing = 0, True
        self.tell("end of turn", self.mark, at=self.voiced_at)
        self.turn.commit()
        self.handed_over = Speech(self.mark, self.start_at, self.posted_at, last=True)
        return self.handed_over
