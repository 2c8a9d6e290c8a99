"""Body: the light follows the conversation; battery, heat and hands are felt, told, and acted upon."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

from epsilon.config.character import Lines
from epsilon.floor import LISTENING, Floor
from epsilon.hardware import DARK, Hardware, Switches
from epsilon.hardware.light import FRAME_S, PATTERNS, Sign, shade
from epsilon.hardware.senses import Feeling
from epsilon.ladder import Ladder, Rung, Standing
from epsilon.messages import Announcement
from epsilon.mouth import Mouth
from epsilon.ring import Samples
from epsilon.stage import Place, Stage
from epsilon.state import VOLUME, State
from epsilon.turn import Mark

READ_S = 5.0  # between two looks at battery and heat, which change slowly
SHAKE_S = 0.06  # a finger that presses the button feels that it was understood
PATIENCE_S = 12.0  # no line of the body takes longer to begin and to end
SMALLER, USUAL = "smaller", "usual"  # where the toy wants to move
BATTERY, BUTTON = "battery", "button"  # why it turns off


class Room(Protocol):
    """What of the conversation the body shows: the vad stage."""

    floor: Floor
    owing: bool
    announced: tuple[Announcement, Mark] | None


class Body(Stage):
    """Shows how the toy is, and says what it feels.

    What the body has to say goes to the vad stage, which knows when. Turning off and moving to smaller cores are
    asked for by news, when the line about it has been said: whoever runs the toy does it.
    """

    def __init__(
        self,
        place: Place,
        hardware: Hardware,
        feeling: Feeling,
        switches: Switches,
        ladder: Ladder,
        lines: Lines,
        clips: Mapping[str, Samples],
        state: State | None = None,
    ) -> None:
        super().__init__(place)
        self.hardware, self.feeling, self.switches, self.ladder = hardware, feeling, switches, ladder
        self.lines, self.clips, self.state = lines, clips, state or State()
        self.room: Room | None = None
        self.mouth: Mouth | None = None
        self.be_brief: Callable[[float], None] = lambda share: None
        self.may_move = False  # the board says what it runs while hot
        self.broken = False  # something in the toy died
        self.deaf: Callable[[], bool] = lambda: False  # there is no sound card at the moment
        self.standing = Standing()
        self.said: Announcement | None = None  # the last line that was handed over
        self.patience_s = math.inf  # when it is waited for no longer
        self.leaving = ""  # why the toy is about to turn off
        self.at, self.moving = USUAL, ""  # where it is, and where it wants to move
        self.off = False  # whoever runs it was told
        self.volume, self.pressed = switches.volume, False
        self.read_s = 0.0  # the clock's time of the next reading, as all `…_s` here
        self.shake_s = self.frame_s = math.inf
        self.sign, self.since_s, self.shown = Sign.LISTENING, 0.0, DARK
        self.turn.watch(self.bell)
        switches.watch(self.bell)

    def follow(self, room: Room, mouth: Mouth, be_brief: Callable[[float], None]) -> None:
        """Whose conversation it shows, and who answers more briefly when strength is short."""
        self.room, self.mouth, self.be_brief = room, mouth, be_brief
        mouth.watch(self.bell)

    def take_over(self, ladder: Ladder, at: str) -> None:
        """Go on as the body that has moved there, however it stands by now."""
        self.ladder, self.standing, self.at, self.may_move = ladder, ladder.standing, at, True
        self._head()

    def fail(self) -> None:
        """Something broke: the light says so from here on."""
        self.broken = True
        self.bell.ring()

    def tick(self) -> bool:
        now_s = self.clock.now()
        busy = [self._obey(now_s), self._feel(now_s), self._act(now_s)]
        self._show(now_s)
        return any(busy)

    def due(self) -> float | None:
        patience_s = self.patience_s if self._wants() else math.inf
        next_s = min(self.read_s, self.shake_s, self.frame_s, patience_s)
        return next_s if math.isfinite(next_s) else None

    def _obey(self, now_s: float) -> bool:
        """What hands did."""
        was_pressed, self.pressed = self.pressed, self.switches.pressed
        if self.pressed and not was_pressed:
            self.hardware.shake(True)
            self.shake_s = now_s + SHAKE_S
        elif now_s >= self.shake_s:
            self.hardware.shake(False)
            self.shake_s = math.inf
        if self.volume != self.switches.volume:
            self.volume = self.switches.volume
            self.state.set(VOLUME, self.volume)
            self.tell("volume", self.turn.now, str(self.volume))
            return True
        if self.switches.off and not self.leaving:
            self._leave(BUTTON, now_s)
            return True
        return False

    def _feel(self, now_s: float) -> bool:
        if now_s < self.read_s:
            return False
        readings = self.feeling.read()
        self.read_s = math.inf if readings is None else now_s + READ_S
        if readings is None or self.leaving:
            return False
        before, self.standing = self.standing, self.ladder.take(readings)
        if self.standing == before:
            return False
        felt = (("%", readings.percent), ("C", readings.celsius))
        values = (f"{value:.0f} {unit}" for unit, value in felt if value is not None)
        self.tell("standing", self.turn.now, " ".join((self.standing.name, *values)))
        self._change(before, now_s)
        return True

    def _change(self, before: Standing, now_s: float) -> None:
        """What follows from where the toy stands now."""
        standing, measures = self.standing, self.standing.measures
        self.be_brief(measures.length)
        if measures.off:
            self._leave(BATTERY, now_s)
            return
        if standing.rung is Rung.LOW and before.rung is Rung.WELL:
            self._say(self.lines.low_battery, now_s)
        if standing.hot != before.hot:
            if standing.hot:
                self._say(self.lines.hot, now_s)
            self._head()

    def _head(self) -> None:
        """Where the toy belongs, if it is not there."""
        wanted = SMALLER if self.standing.hot else USUAL
        self.moving = wanted if self.may_move and wanted != self.at else ""

    def _leave(self, why: str, now_s: float) -> None:
        self.leaving = why
        self._say(self.lines.goodbye, now_s, urgent=True)

    def _say(self, text: str, now_s: float, urgent: bool = False) -> None:
        """Hand a line over to be said, from its recording where there is one."""
        if text and self.outbox is not None:
            self.said = Announcement(self.turn.now, text, self.clips.get(text), urgent)
            self.patience_s = now_s + PATIENCE_S
            self.emit(self.said)

    def _act(self, now_s: float) -> bool:
        """Turn off or move, once what is said about it has been heard."""
        if not self._wants():
            return False
        impatient = now_s >= self.patience_s
        if self.said is not None and not impatient and not self._is_heard(self.said):
            return False
        if self.leaving:
            self.off = True
            self.tell("power off", self.turn.now, self.leaving)
            return True
        self.patience_s = now_s + READ_S  # nobody says when it falls quiet in a room that is silent
        if not self._is_quiet():
            return False
        self.tell("move", self.turn.now, self.moving)
        self.at, self.moving = self.moving, ""
        return True

    def _wants(self) -> bool:
        """True while it waits for the moment to turn off or to move."""
        return not self.off and bool(self.leaving or self.moving)

    def _is_heard(self, line: Announcement) -> bool:
        """True when the line has left the card, or somebody spoke over it."""
        if self.room is None or self.mouth is None or self.room.announced is None:
            return False
        last, mark = self.room.announced
        over = self.turn.now > mark or (self.mouth.spoke == mark and not self.mouth.sounding)
        return last is line and over

    def _is_quiet(self) -> bool:
        room, mouth = self.room, self.mouth
        return (
            room is None
            or mouth is None
            or not (room.floor.state is not LISTENING or room.owing or mouth.sounding)
        )

    def _show(self, now_s: float) -> None:
        """Draw the light; one that moves is drawn again and again."""
        if not self.hardware.light.there:
            return
        sign = self._sign()
        if sign is not self.sign:
            self.sign, self.since_s = sign, now_s
            self.tell("light", self.turn.now, sign.name.lower())
        pattern = PATTERNS[sign]
        colour = shade(pattern, now_s - self.since_s, self.standing.measures.brightness)
        if colour != self.shown:
            self.hardware.light.show(colour)
            self.shown = colour
        self.frame_s = now_s + FRAME_S if pattern.moves else math.inf

    def _sign(self) -> Sign:
        """The most important of what there is to show."""
        room, mouth, standing = self.room, self.mouth, self.standing
        signs = (
            (Sign.TROUBLE, self.broken or self.deaf()),
            (Sign.LEAVING, bool(self.leaving)),
            (Sign.MUTED, self.switches.muted),
            (Sign.HEARING, room is not None and room.floor.state is not LISTENING),
            (Sign.SPEAKING, mouth is not None and mouth.sounding),
            (Sign.THINKING, room is not None and room.owing),
            (Sign.HOT, standing.hot),
            (Sign.LOW, standing.rung > Rung.WELL),
        )
        return next((sign for sign, shown in signs if shown), Sign.LISTENING)
