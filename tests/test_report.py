"""The report: it tells what happened, needs nothing but itself, and plays and opens by mouse and by keys."""

from __future__ import annotations

import dataclasses
import html.parser
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from epsilon.audio_files import read_audio
from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.emulation.report import ogg, page, write_report
from epsilon.emulation.report.story import story
from epsilon.emulation.runner import Emulation
from epsilon.takes.checks import LOCKSTEP
from epsilon.takes.folder import Take
from tests import browser
from tools.takes import FOLDER

RATE_HZ = 16_000
MOST_MB = 5.0  # for five minutes


@pytest.fixture(scope="module")
def emulation() -> Emulation:
    """Two turns, the first reply interrupted."""
    recording = read_audio(FOLDER / "barge-in" / "in.wav")
    found = Emulation(load_board("host"), load_character("odette"), [recording], LOCKSTEP, traced=True)
    found.run(lambda news: None)
    return found


@pytest.fixture(scope="module")
def report(emulation: Emulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, taken(emulation), emulation.trace)
    return path


def taken(emulation: Emulation) -> Take:
    assert emulation.taken is not None
    return emulation.taken


def test_the_story_is_what_happened(emulation: Emulation) -> None:
    told = story(taken(emulation), emulation.trace)
    first, second = told["turns"]
    assert first["user"] == "tell me a story about a bear" and first["interrupted"]
    assert first["heard"] and not first["reply"].startswith(first["heard"] + ".")
    assert second["user"] == "no tell me about the moon" and not second["interrupted"]
    for turn, record in zip(told["turns"], emulation.toy.journal.turns, strict=True):
        assert turn["tifu"] == [*emulation.toy.journal.tifu_ms(record).values()][2:]
        assert sum(turn["tifu"]) == pytest.approx(turn["answer_ms"], abs=1)
        assert turn["words"][-1]["kind"] == "final" and turn["words"][-1]["committed"] == turn["user"]
        assert [one["fate"] for one in turn["answers"]][-1] == (
            "cut off" if turn["interrupted"] else "heard to its end"
        )
    assert {one["name"] for one in told["processor"]} >= {"vad", "asr", "llm", "tts"}
    assert any(max(ring["most"]) >= 1 for ring in told["rings"])


def test_words_that_were_taken_back_are_told() -> None:
    from epsilon.emulation.report.story import _words

    def heard(words: str, final: bool = False) -> dict[str, Any]:
        message = {
            "kind": "Words",
            "mark": [1, 0],
            "committed": [],
            "tail": words.split(),
            "settled": False,
            "final": final,
        }
        return {"at": 0, "ring": "asr→llm", "message": message}

    told = _words([heard("tell me"), heard("tell me a storm"), heard("tell me a story about", final=True)])
    assert [one["revised"] for one in told] == ["", "", "storm"]


def test_without_a_trace_there_is_a_report_all_the_same(emulation: Emulation) -> None:
    assert story(taken(emulation), None)["rings"] == []


class Links(html.parser.HTMLParser):
    """Everything in a page that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attributes if name in ("src", "href", "action", "srcset", "data")
        ]


def test_the_page_asks_for_nothing(report: Path) -> None:
    text, links = report.read_text(encoding="utf-8"), Links()
    links.feed(text)
    assert {link.partition(":")[0] for link in links.found} <= {"data", "#turns"}
    assert (
        "default-src 'none'" in text
        and "@import" not in text
        and "http://" not in text.partition("<script")[0]
    )


def test_whatever_was_said_cannot_leave_its_place(emulation: Emulation) -> None:
    take = taken(emulation)
    rude = "</script><script>alert(1)</script>@@SOUND@@"
    lines = json.loads(
        json.dumps(take.lines).replace("tell me a story about a bear", rude.replace("/", "\\\\/"))
    )
    text = page(dataclasses.replace(take, lines=lines), None)
    assert text.count("<script>") == 1 and "alert(1)" in text
    assert text.count('id="ogg"') == 1 and len(text) < 1.2 * len(page(take, None))


def test_five_minutes_fit(emulation: Emulation) -> None:
    take = taken(emulation)
    times = 300 * RATE_HZ // len(take.microphone) + 1
    long = ogg(np.tile(take.microphone, times), np.tile(take.played, times))
    beside = len(page(take, emulation.trace)) - len(ogg(take.microphone, take.played)) * 4 / 3
    assert len(long) * 4 / 3 + times * beside < MOST_MB * 1e6
    sound, rate_hz = soundfile.read(io.BytesIO(long))
    assert rate_hz == RATE_HZ and len(sound) == times * len(take.microphone)


@pytest.mark.slow
def test_a_browser_shows_and_plays_it(report: Path, tmp_path: Path) -> None:
    if lacking := browser.missing():  # not every distribution has one that a build server can install
        pytest.skip(lacking)
    with browser.browser(tmp_path) as shown:
        shown.open(report)
        assert shown.do("document.querySelectorAll('#list > li').length") == 2
        check_mouse(shown)
        check_keys(shown)
        check_sound(shown)
        light = shown.do("getComputedStyle(document.body).backgroundColor")
        shown.photograph(tmp_path / "light.png")
        shown.dark(True)
        assert shown.do("getComputedStyle(document.body).backgroundColor") != light
        shown.photograph(tmp_path / "dark.png")
        assert all(
            request.startswith(("blob:", "data:", report.resolve().as_uri())) for request in shown.requests
        )
        assert (shown.logged, shown.thrown) == ([], [])


def check_mouse(shown: browser.Page) -> None:
    """A turn opens by a click on its line, and by one on the time line, which also goes there."""
    shown.click("#turn-2")
    assert shown.do("!document.getElementById('panel-2').hidden")
    assert "moon" in shown.do("document.getElementById('panel-2').innerText")
    shown.click("#turn-2")
    assert shown.do("document.getElementById('panel-2').hidden")
    shown.click("#bars .toy[data-turn='2']")
    assert shown.do("document.getElementById('turn-2').getAttribute('aria-expanded')") == "true"
    assert shown.do("sound.currentTime") == pytest.approx(shown.do("story.turns[1].reply_start_s"), abs=0.05)
    shown.click("#in")
    assert shown.do("wide.clientWidth / strip.clientWidth") == pytest.approx(2, abs=0.01)


def check_keys(shown: browser.Page) -> None:
    """All of it without a mouse; who cannot see is told where they are."""
    shown.do("document.body.focus(), seek(0)")
    shown.press("ArrowRight")
    assert shown.do("sound.currentTime") == pytest.approx(1.0, abs=0.01)
    shown.do("current = -1")
    shown.press("n")
    assert shown.do("document.activeElement.id") == "turn-1"
    shown.press("Enter")
    assert shown.do("document.getElementById('turn-1').getAttribute('aria-expanded')") == "true"
    assert shown.do("document.getElementById('live').textContent") == "turn 1 is open"
    shown.do("position.focus()")
    shown.press("End")
    assert shown.do("Number(position.getAttribute('aria-valuenow'))") == pytest.approx(
        shown.do("seconds"), abs=0.1
    )
    unnamed = "[...document.querySelectorAll('button, audio, [role=slider], [role=region]')].filter((e) => "
    unnamed += "!(e.textContent.trim() || e.getAttribute('aria-label'))).length"
    assert shown.do(unnamed) == 0


def check_sound(shown: browser.Page) -> None:
    """It plays from where it is asked to."""
    shown.do("seek(2, true)")
    goes_on = "new Promise((well) => sound.addEventListener('timeupdate', () => sound.currentTime > 2.3 && well(true)))"
    assert shown.do(goes_on)
    assert shown.do("sound.duration") == pytest.approx(shown.do("story.seconds"), abs=0.05)
    shown.do("document.activeElement.blur()")
    shown.press("Space")
    assert shown.do("sound.paused")
