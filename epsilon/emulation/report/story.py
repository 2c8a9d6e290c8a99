"""What the page tells, gathered from a take and a trace: everything on the time line of the sound, in seconds."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from epsilon.emulation.trace import Trace
from epsilon.journal import PARTS, Journal, TurnRecord
from epsilon.messages import News
from epsilon.ring import Samples
from epsilon.takes.folder import Take
from epsilon.takes.written import Json
from epsilon.turn import Mark

RATE_HZ = 16_000
PEAK_FRAMES = 320  # the waveform has a point for every 20 ms
BIN_S = 0.25  # and processor and rings one for each of these
WORDS, TOKEN, NEWS = "Words", "Token", "News"
HAND = {
    ("pressed", True): "button down",
    ("pressed", False): "button up",
    ("muted", True): "microphone off",
    ("muted", False): "microphone on",
}


def story(take: Take, trace: Trace | None) -> Json:
    """All that the page needs."""
    header, seconds = take.header, len(take.microphone) / RATE_HZ
    journal = journal_of(take)
    return {
        "board": header["board"]["name"],
        "character": header["character"]["name"],
        "facts": _facts(take),
        "seconds": round(seconds, 3),
        "counts": header.get("counts", {}),
        "peaks": {
            "user": _peaks(take.microphone),
            "toy": _peaks(take.played),
            "step_s": PEAK_FRAMES / RATE_HZ,
        },
        "parts": [name.removesuffix("_ms").replace("_", " ") for name, _ in PARTS],
        "turns": [_turn(take, journal, record) for record in journal.turns],
        "hands": _hands(take),
        "bin_s": BIN_S,
        "rings": _rings(trace, seconds) if trace else [],
        "processor": _cpu(trace, seconds) if trace else [],
        "engines": _engines(trace) if trace else [],
    }


def journal_of(take: Take) -> Journal:
    """The journal of a take, from the news in it."""
    start_s = take.header["start_s"]
    journal = Journal(lambda frame: float(start_s) + frame / RATE_HZ, RATE_HZ)
    told = [_news(line["message"]) for line in take.messages if line["message"]["kind"] == NEWS]
    for news in sorted(told, key=lambda news: news.time_s):
        journal.take(news)
    return journal


def _news(message: Json) -> News:
    mark = Mark(*message["mark"])
    at = message.get("at", -1)
    return News(mark, message["what"], message["time_s"], message["text"], str(message.get("tail", "")), at)


def _facts(take: Take) -> dict[str, str]:
    header = take.header
    machine, versions = header["machine"], header["versions"]
    paces = {
        "lockstep": "lock-step: as fast as the machine goes",
        "realtime": "real time",
        "board": "the time of a board",
    }
    return {
        "pace": paces[take.pace],
        "ended": header["ended"],
        "machine": f"{machine.get('processor', '')} ({machine.get('architecture', '')})",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "models": ", ".join(header["models"]),
    }


def _hands(take: Take) -> list[Json]:
    """What hands did, as the stage that hears saw it; how it was at the start is not worth telling."""
    found: list[Json] = []
    before: dict[str, bool] = {}
    for line in take.lines:
        if line.get("by") != "vad":
            continue
        what, value = str(line["seen"]), bool(line["value"])
        if (what, value) in HAND and value != before.get(what, False):
            before[what] = value
            found.append({"s": _s(line["at"]), "what": HAND[what, value]})
    return found


def _turn(take: Take, journal: Journal, record: TurnRecord) -> Json:
    lines = [line for line in take.messages if line["message"]["mark"][0] == record.turn]
    told: Json = {
        "turn": record.turn,
        "user": record.user_text,
        "start_s": _s(record.start_at),
        "end_s": _s(record.end_at),
        "reply": record.reply_text.strip(),
        "heard": record.heard_text,
        "reply_start_s": _s(record.reply_start_at),
        "answer_s": _s(record.answer_at),
        "reply_end_s": _s(record.reply_end_at),
        "silent": record.silent,
        "interrupted": record.interrupted,
        "cut_in": record.cut_in,
        "ducks": record.ducks,
        "gaps_ms": record.gaps_ms,
        "pauses_ms": record.pauses_ms,
        "prefill_left": record.prefill_left,
        "wasted": {"tokens": record.wasted_tokens, "sound_ms": round(record.wasted_ms)},
        "words": _words(lines),
        "answers": _answers(lines, record),
    }
    parts = journal.tifu_ms(record)
    told["tifu"] = [parts[name] for name, _ in PARTS] if parts else []
    told["answer_ms"] = parts.get("answer_ms")
    told["first_sound_ms"] = parts.get("first_sound_ms")
    return told


def _words(lines: Iterable[Json]) -> list[Json]:
    """What was understood when; of each hypothesis also the words of the one before that it took back."""
    found: list[Json] = []
    before: list[str] = []
    for line in lines:
        message = line["message"]
        if message["kind"] != WORDS or not line["ring"].startswith("asr"):
            continue
        words = [*message["committed"], *message["tail"]]
        same = next(
            (n for n, (a, b) in enumerate(zip(before, words, strict=False)) if a != b),
            min(len(before), len(words)),
        )
        kind = "final" if message["final"] else "pause" if message["settled"] else "partial"
        found.append(
            {
                "s": _s(line["at"]),
                "kind": kind,
                "committed": " ".join(message["committed"]),
                "tail": " ".join(message["tail"]),
                "revised": " ".join(before[same:]) if words[same:] or not message["committed"] else "",
                "revision": message["mark"][1],
            }
        )
        before = words
    return found


def _answers(lines: Iterable[Json], record: TurnRecord) -> list[Json]:
    """Every answer that was thought of, by its revision, and what became of it."""
    found: dict[int, Json] = {}
    for line in lines:
        message = line["message"]
        revision = message["mark"][1]
        if message["kind"] == TOKEN:
            one = found.setdefault(
                revision, {"revision": revision, "s": _s(line["at"]), "text": "", "fate": "prepared"}
            )
            one["text"] += message["text"]
        elif (
            message["kind"] == NEWS and revision in found and message["what"] in ("discarded", "heard", "cut")
        ):
            fates = {"discarded": "discarded", "heard": "heard to its end", "cut": "cut off"}
            found[revision]["fate"] = fates[message["what"]]
    for one in found.values():
        if one["fate"] == "prepared" and one["revision"] < record.revision:
            one["fate"] = "discarded"
        one["text"] = one["text"].strip()
    return [found[revision] for revision in sorted(found)]


def _rings(trace: Trace, seconds: float) -> list[Json]:
    """Of each ring the most that lay in it, by windows of BIN_S."""
    bins = _bins(seconds)
    most: dict[str, list[int]] = defaultdict(lambda: [0] * bins)
    for count in trace.counts:
        place = min(bins - 1, int(count.at / RATE_HZ / BIN_S))
        most[count.name][place] = max(most[count.name][place], count.value)
    return [{"name": name, "most": values} for name, values in most.items()]


def _cpu(trace: Trace, seconds: float) -> list[Json]:
    """Of each stage the processor time in percent of one core, by windows of BIN_S of sound."""
    bins = _bins(seconds)
    used: dict[str, list[float]] = {row: [0.0] * bins for row in trace.rows}
    for span in trace.spans:
        if not span.engine:
            used[span.row][min(bins - 1, int(span.at / RATE_HZ / BIN_S))] += span.cpu_s
    return [
        {
            "name": row,
            "percent": [round(100 * cpu_s / BIN_S, 1) for cpu_s in values],
            "cpu_s": round(sum(values), 3),
        }
        for row, values in used.items()
    ]


def _engines(trace: Trace) -> list[Json]:
    """What each call of an engine took."""
    calls: dict[tuple[str, str], list[float]] = defaultdict(list)
    for span in trace.spans:
        if span.engine:
            calls[span.row, span.name].append(1000 * span.lasted_s)
    return [
        {
            "row": row,
            "call": name,
            "count": len(lasted),
            "total_ms": round(sum(lasted), 1),
            "mean_ms": round(sum(lasted) / len(lasted), 3),
            "most_ms": round(max(lasted), 2),
        }
        for (row, name), lasted in calls.items()
    ]


def _bins(seconds: float) -> int:
    return max(1, int(seconds / BIN_S) + 1)


def _peaks(samples: Samples) -> str:
    """The loudest sample of each PEAK_FRAMES, of 255, in base64."""
    padded: Samples = np.zeros(-(-len(samples) // PEAK_FRAMES) * PEAK_FRAMES, np.float32)
    padded[: len(samples)] = np.abs(samples)
    peaks = padded.reshape(-1, PEAK_FRAMES).max(axis=1) if len(padded) else padded
    return base64.b64encode(np.clip(peaks * 255, 0, 255).astype(np.uint8).tobytes()).decode("ascii")


def _s(frame: Any) -> float | None:
    return None if frame is None or frame < 0 else round(frame / RATE_HZ, 3)
