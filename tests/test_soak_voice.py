"""The soak of the voice: a minute is within all bounds, and a click, a gap, a loss or a leak is not overlooked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from epsilon.config import folders
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.ring import Samples
from epsilon.stages.effects import Effects
from tools.soak import voice
from tools.soak.clicks import AROUND, most_prominent, prominence
from tools.soak.stream import Findings, Stream
from tools.soak.texts import WORDS, long_texts
from tools.soak.voice import Mouth, Soak, verdict

RATE_HZ = 16_000
TEXT = "Hm, I keep seven spoons in a drawer, and nobody touches them. Nobody at all."


def soak(kind: type[Soak] = Soak) -> Soak:
    return kind(load_board("host"), [load_character("bram")])


def broken(run: Soak, minutes: float = 0.06) -> list[str]:
    """What is beyond its bound after a few seconds of speech."""
    return verdict(run.run(minutes, iter([TEXT] * 9))).broken


def hum(frames: int = RATE_HZ) -> Samples:
    swell = np.hanning(frames)
    return (0.5 * swell * np.sin(2 * np.pi * 220 * np.arange(frames) / RATE_HZ)).astype(np.float32)


@pytest.mark.slow
def test_a_minute_of_all_characters_is_within_all_bounds() -> None:
    names = folders.character_names()
    found = Soak(load_board("host"), [load_character(name) for name in names]).run(1.0, long_texts(names))
    assert verdict(found).broken == []
    assert found.replies >= len(names) and found.phrases > 20 and found.spoken_frames > found.frames / 2


class Click:
    """Two seconds into the reply one sample is wrong, where the voice is quietest: its own pulses are steps as well."""

    delay_frames = tail_frames = 0

    def __init__(self) -> None:
        self.at = 0

    def reset(self) -> None:
        self.at = 0

    def process(self, block: Samples) -> Samples:
        spoilt, due = block.copy(), 0 <= 2 * RATE_HZ - self.at < len(block)
        self.at += len(block)
        if due:
            place = AROUND + int(np.convolve(np.abs(block), np.ones(2 * AROUND), "valid").argmin())
            spoilt[place] += 0.9 if spoilt[place] < 0 else -0.9
        return spoilt


def test_a_click_is_found() -> None:
    run = soak()
    effects = run.mouths[0].stages[2]
    assert isinstance(effects, Effects)
    effects.chain = [*effects.chain, Click()]
    assert "most prominent step, times its surroundings" in broken(run)


class SlowMind(Soak):
    """Thinks for four seconds before the last words."""

    def words(self, text: str) -> Iterator[str | None]:
        coming = list(super().words(text))
        yield from coming[:-4]
        yield from [None] * 200
        yield from coming[-4:]


def test_a_gap_is_found_and_is_no_underrun() -> None:
    found = broken(soak(SlowMind))
    assert "gaps between phrases" in found and "underruns" not in found


class Sleepy(Soak):
    """Once, in the middle of a phrase, everything but the card stands still for two seconds."""

    def _pass_block(self, mouth: Mouth) -> None:
        super()._pass_block(mouth)
        phrases = [phrase for phrase, _ in self.playback.waiting]
        if not self.findings.replies and len(phrases) > 2 and phrases[0].told and phrases[0] is phrases[2]:
            for _ in range(100):
                super()._pass_block(Mouth(mouth.words, [], mouth.sounds))
            self.findings.replies += 1


def test_an_underrun_is_found() -> None:
    found = broken(soak(Sleepy))
    assert "underruns" in found and "samples lost or altered on the way" in found
    assert "most prominent step, times its surroundings" not in found, "a dry spell must not click"


@pytest.mark.parametrize(("mb_per_minute", "found"), [(0.0, []), (0.5, ["MB grown after warm-up"])])
def test_memory_that_grows_is_found(mb_per_minute: float, found: list[str]) -> None:
    filling = [(minute * 60.0, 100.0 + 5 * minute) for minute in range(5)]
    later = [(minute * 60.0, 120.0 + mb_per_minute * minute) for minute in range(5, 61)]
    assert verdict(Findings(memory_mb=filling + later)).broken == found


def test_the_program_ends_with_1_when_a_bound_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["voice", "--minutes", "0.01"])
    monkeypatch.setattr(voice, "long_texts", lambda names: iter([TEXT]))
    assert voice.main() == 0
    assert "all within bounds" in capsys.readouterr().out
    monkeypatch.setattr(voice, "PEAK", 0.01)
    monkeypatch.setattr(voice, "long_texts", lambda names: iter([TEXT]))
    assert voice.main() == 1
    assert "beyond its bound: peak, of full scale" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "told"),
    [(["--board", "hots"], "no board 'hots'"), (["--minutes", "0"], "should be more than 0")],
)
def test_bad_input_is_told(
    given: list[str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["voice", *given])
    try:
        assert voice.main() == 2
    except SystemExit as ended:  # as argparse does
        assert ended.code == 2
    assert told in capsys.readouterr().err


def test_a_step_stands_out_by_its_surroundings() -> None:
    smooth, spoilt = hum(), hum()
    spoilt[8000:] += 0.3
    assert most_prominent(smooth)[0] < 1.1
    found, at = most_prominent(spoilt)
    assert at == 8000 and found > 5
    assert prominence(spoilt, np.array([8000]))[0] == pytest.approx(found)
    assert prominence(spoilt, np.array([4000]))[0] < 1.1


def test_a_step_between_two_pieces_is_seen() -> None:
    findings = Findings()
    stream = Stream(findings, RATE_HZ)
    stream.hear(hum()[:8020], [])
    stream.hear(np.zeros(8000, np.float32), [0])
    assert findings.join_click == pytest.approx(findings.click) and findings.click > 5
    assert findings.click_s == 8020 / RATE_HZ


def test_the_texts_are_long_and_the_same_each_time() -> None:
    names = folders.character_names()
    once, again = (list(islice(long_texts(names), 6)) for _ in range(2))
    assert once == again and len(set(once)) == 6
    assert all(len(text.split()) >= WORDS for text in once)
