"""The account of a conversation: what was said when, and where the milliseconds went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from epsilon.messages import News

KEPT = 1000  # turns: a toy talks for months
CUT_IN_S = 1.0  # speech that goes on within this time of the answer's first sound was not over
OF_THE_USER = frozenset(("speech", "goes on", "end of turn", "words"))
PARTS = (  # the parts of TIFU, each from the event before it to its own
    ("dead_air_ms", "end of turn"),
    ("asr_ms", "words"),
    ("prefill_ms", "prefilled"),
    ("decode_ms", "phrase"),
    ("tts_ms", "sound"),
    ("card_ms", "answer"),
)


@dataclass(slots=True)
class TurnRecord:
    """One turn: what the user said, what the toy answered, and the clock's time of each step between.

    Of an answer that was prepared and not wanted only the waste is kept.
    """

    turn: int
    revision: int = 0
    start_at: int = -1  # frames since the start of the input, as all `…_at`
    end_at: int = -1
    user_text: str = ""
    reply_text: str = ""
    heard_text: str = ""
    reply_start_at: int = -1
    answer_at: int = -1  # later than the reply's start when it began with a recorded opener
    reply_end_at: int = -1
    prefill_left: int = -1  # tokens of the prompt not prefilled yet when the user stopped speaking
    gaps_ms: list[float] = field(default_factory=list)  # silences between phrases: the next came too late
    pauses_ms: list[float] = field(
        default_factory=list
    )  # inside the user's turn, behind each of which it went on
    ducks: int = 0  # how often the toy held its breath
    wasted_tokens: int = 0  # thought, and not wanted
    wasted_ms: float = 0.0  # of sound
    silent: bool = False
    interrupted: bool = False
    cut_in: bool = False
    times_s: dict[str, float] = field(default_factory=dict)


class Journal:
    """Builds the records from the stages' news. Lives in one thread: whoever watches the toy."""

    def __init__(self, time_of: Callable[[int], float], frames_per_s: int) -> None:
        self._time_of, self._frames_per_s = time_of, frames_per_s
        self._records: dict[int, TurnRecord] = {}

    @property
    def turns(self) -> list[TurnRecord]:
        """The turns in which words were understood or the toy began by itself, in order."""
        found = [record for _, record in sorted(self._records.items())]
        return [record for record in found if record.user_text or record.reply_start_at >= 0]

    def record(self, turn: int) -> TurnRecord:
        """What is known of a turn so far."""
        if turn not in self._records:
            self._records[turn] = TurnRecord(turn)
            if len(self._records) > KEPT:
                del self._records[next(iter(self._records))]
        return self._records[turn]

    def take(self, news: News) -> TurnRecord:
        """Write one piece of news down; returns the turn's record."""
        record = self.record(news.mark.turn)
        if news.what == "discarded":
            self._waste(record, news.text)
        elif (
            news.mark.revision >= record.revision
        ):  # else it belongs to an answer that is not wanted any more
            self._write(record, news)
        return record

    def _write(self, record: TurnRecord, news: News) -> None:
        if news.mark.revision > record.revision:
            _begin_anew(record, news.mark.revision)
        record.times_s.setdefault(news.what, news.time_s)
        if news.what in OF_THE_USER:
            self._write_user(record, news)
        else:
            self._write_reply(record, news)

    def _write_user(self, record: TurnRecord, news: News) -> None:
        match news.what:
            case "speech":
                record.start_at = news.at
                self._judge_cut_in(news)
            case "goes on":
                record.pauses_ms.append(float(news.text))
            case "end of turn":
                record.end_at = news.at
            case "words":
                record.user_text = news.text

    def _write_reply(self, record: TurnRecord, news: News) -> None:
        match news.what:
            case "token":
                record.reply_text += news.text
            case "prefilled":
                record.prefill_left = int(news.text)
            case "gap":
                record.gaps_ms.append(float(news.text))
            case "silent":
                record.silent = True
            case "ducks":
                record.ducks += 1
            case "opener" | "answer":
                self._begin_reply(record, news)
            case "heard" | "cut":
                record.heard_text, record.reply_end_at = news.text, news.at
                record.interrupted = news.what == "cut"

    def _waste(self, record: TurnRecord, text: str) -> None:
        what, _, count = text.partition("=")
        if what == "tokens":
            record.wasted_tokens += int(count)
        else:
            record.wasted_ms += int(count) * 1000 / self._frames_per_s

    def tifu_ms(self, record: TurnRecord) -> dict[str, float]:
        """Time to first utterance and its parts, in ms; empty when nothing was answered.

        It starts at the last sample of the user's speech. The first sound is that of a recorded opener, where the
        reply had one, else the answer's. What was done before the end of the turn was decided cost nothing: only
        dead air and the card are left of an answer that was ready.
        """
        if record.end_at < 0 or record.answer_at < 0:
            return {}
        start_s = before_s = self._time_of(record.end_at)
        parts: dict[str, float] = {}
        for name, event in PARTS:
            time_s = max(before_s, record.times_s[event])
            parts[name] = _ms(time_s - before_s)
            before_s = time_s
        first_s = self._time_of(record.reply_start_at)
        return {"first_sound_ms": _ms(first_s - start_s), "answer_ms": _ms(before_s - start_s), **parts}

    def _begin_reply(self, record: TurnRecord, news: News) -> None:
        if record.reply_start_at < 0:
            record.reply_start_at = news.at
        if news.what == "answer":
            record.answer_at = news.at
            record.times_s["answer"] = self._time_of(news.at)

    def _judge_cut_in(self, news: News) -> None:
        before = self._records.get(news.mark.turn - 1)
        if before is not None and before.end_at >= 0 and 0 <= before.reply_start_at <= news.at:
            before.cut_in = news.at - before.reply_start_at < CUT_IN_S * self._frames_per_s


def _begin_anew(record: TurnRecord, revision: int) -> None:
    """The user went on: the answer is to other words, and its times are others."""
    record.revision = revision
    record.reply_text, record.silent, record.prefill_left = "", False, -1
    record.reply_start_at = record.answer_at = record.reply_end_at = -1
    record.times_s = {"speech": record.times_s["speech"]} if "speech" in record.times_s else {}


def _ms(duration_s: float) -> float:
    return round(duration_s * 1000, 1)
