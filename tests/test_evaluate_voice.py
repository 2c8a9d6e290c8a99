"""The voice's evaluation: every measure on sounds whose answer is known, and all of it on the voice that ships."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from epsilon.config.character import VoiceSettings
from epsilon.effects import crush
from epsilon.errors import ConfigError, ModelError
from tests.scripted import PHONEME_FRAMES, ScriptedVoice
from tests.sounds import buzz, noise
from tools.evaluate.spectrograms import spectrogram
from tools.evaluate.voice import RATE_HZ, comparison, pictures, prosody, report
from tools.evaluate.voice.__main__ import MEMORY, SENTENCES, main
from tools.evaluate.voice.judge import Judge, Understood
from tools.evaluate.voice.speakers import Speaker, load_voice, of_style
from tools.evaluate.voice.teachers import Reading, teachers_of
from tools.train.text.sentences import load

SHIPPED = Path("models/pocket/voice")


# Words


def test_words_are_counted_without_marks_and_case() -> None:
    found = Understood()
    found.add("Stop, that ladder isn't safe!", ["stop", "the", "ladder", "isn't", "safe"])
    assert (found.words, found.errors) == (5, 1) and found.percent == 80


def test_equal_sound_gives_equal_words_and_is_heard_once(tmp_path: Path) -> None:
    memory = tmp_path / "heard.txt"
    judge = Judge(memory)
    assert judge.hear(noise(0.3, 0.1)) == judge.hear(noise(0.3, 0.1))
    assert len(memory.read_text().splitlines()) == 1
    digest = memory.read_text().split(" ")[0]
    memory.write_text(f"{digest} so it said\n")
    assert Judge(memory).hear(noise(0.3, 0.1)) == ["so", "it", "said"]


# Sentences


def drawn(texts: list[str]) -> list[str]:
    """Those whose words a template of the trainings can make with its word lists."""
    slot, sentences = re.compile(r"\{(\w+)\}"), load()
    words = {" ".join(re.findall(r"[a-z][a-z']*", text.lower())): text for text in texts}
    found = list[str]()
    for template in sentences.templates + sentences.held_out:
        if not slot.sub("", template).strip():
            continue  # nothing but slots, such as a number: it makes no sentence
        parts = slot.split(template)
        loose = re.compile(
            "".join("[a-z' ]+" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        )
        for candidate in filter(loose.fullmatch, words):
            lists = [
                "|".join(sentences.slots.get(name.removeprefix("a_"), ["[a-z ]+"])) for name in parts[1::2]
            ]
            filled = [
                f"(?:an? )?(?:{lists[at // 2]})" if at % 2 else re.escape(part)
                for at, part in enumerate(parts)
            ]
            if re.fullmatch("".join(filled), candidate):
                found.append(words[candidate])
    return found


def test_nothing_that_is_judged_can_have_been_taught() -> None:
    rows = prosody.load()
    melodies = [text for row in rows["questions"] + rows["exclamations"] for text in row]
    melodies += rows["wh_questions"] + rows["lists"] + rows["going_on"]
    held_out = SENTENCES.read_text(encoding="utf-8").splitlines()
    assert len(held_out) == len(set(held_out)) == 100
    assert drawn([*held_out, *melodies]) == []
    assert drawn(["What is your name?"])  # what can be is found


def test_pairs_differ_in_their_melody_alone() -> None:
    rows = prosody.load()
    for plain, marked in rows["exclamations"]:
        assert plain[:-1] == marked[:-1] and plain[-1] == "." and marked[-1] == "!"
    for plain, marked in rows["questions"]:
        assert sorted(plain.lower()[:-1].split())[:1] and marked.endswith("?") and plain.endswith(".")


# Speakers


def speaker(**settings: Any) -> Speaker:
    """One that hums."""
    return Speaker("hum", ScriptedVoice(), VoiceSettings(style="any"), **settings)


def test_a_speaker_tells_what_was_said_where() -> None:
    said = speaker().say("ab c.")
    assert said.symbols == ["a", "b", "c", "."]
    assert said.ends == [PHONEME_FRAMES * count for count in (1, 2, 3, 4)]
    assert set(said.ends[:-1]) <= set(said.joins) and said.borders == ()
    assert len(said.dry) == said.ends[-1] and said.first_cpu_s <= said.cpu_s
    np.testing.assert_array_equal(said.dry, said.wet)


def test_a_cut_speaker_has_borders_between_its_phrases() -> None:
    said = speaker(cut=True).say("We had cake, tea, and a very long talk about the weather.")
    assert len(said.phrases) > 1
    assert len(said.borders) == len(said.phrases) - 1
    assert not set(said.borders) & set(said.joins)
    assert said.ends[-1] == len(said.dry)


def test_effects_change_what_is_heard_and_not_what_is_compared() -> None:
    plain, crushed = speaker(), speaker(chain=[crush.load(crush.Options(bits=4), RATE_HZ)])
    np.testing.assert_array_equal(plain.say("abc").dry, crushed.say("abc").dry)
    assert not np.allclose(plain.say("abc").wet, crushed.say("abc").wet)


def test_an_unknown_style_is_named() -> None:
    voice, _ = load_voice(str(SHIPPED))
    with pytest.raises(ConfigError, match="no style 'lov'"):
        of_style(voice, "lov")


# All of it


def test_a_score_of_a_reading_against_itself_is_perfect() -> None:
    said = speaker().say("the cat sat on the mat.")
    hop_ms = 1000 * PHONEME_FRAMES / RATE_HZ
    f0_hz = np.full(len(said.dry) // 160 + 1, 250, np.float32)
    reading = Reading(said.dry, said.symbols, [hop_ms] * len(said.symbols), f0_hz)
    likeness = comparison.Likeness()
    likeness.add(said, reading)
    found = likeness.figures()
    assert found["f0_rmse_cents"] == found["mel_cepstral_distortion_db"] == found["phoneme_error_ms"] == 0
    assert found["time_percent"] == pytest.approx(100)


def test_the_table_leaves_out_what_nobody_measured() -> None:
    found = {"a": {"understood_percent": 91.25, "clicks": {"chunk joins": [1, 20]}}, "b": {}}
    lines = report.table(found).splitlines()
    assert [line.split()[0] for line in lines] == ["a", "words", "clicks"]
    assert "91.2" in lines[1] and "1 of 20" in lines[2] and lines[2].rstrip().endswith("0")


def test_pictures_are_as_wide_as_the_sound_and_show_the_melody(tmp_path: Path) -> None:
    from PIL import Image

    pictures.draw(
        tmp_path / "a.png", "low", "rms", [pictures.Pair("A tone.", buzz(200, 2.0), buzz(200, 1.0))]
    )
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 2 * 2 * pictures.PIXELS_A_S
        colours = {colour for _, colour in picture.getcolors(1 << 20) or ()}
    assert pictures.MELODY in colours
    assert spectrogram(buzz(200)).shape == (257, 200)


@pytest.fixture
def untaught(tmp_path: Path) -> Path:
    """The voice that ships without a word of its teachers, as a voice from elsewhere would be."""
    folder = tmp_path / "voice"
    shutil.copytree(SHIPPED, folder)
    page = yaml.safe_load((folder / "model.yaml").read_text(encoding="utf-8"))
    del page["teachers"]
    (folder / "model.yaml").write_text(yaml.safe_dump(page), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_voice_from_elsewhere_is_measured_by_itself(
    untaught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {kind: rows[:1] for kind, rows in prosody.load().items()}
    (tmp_path / "few.yaml").write_text(yaml.safe_dump(few), encoding="utf-8")
    monkeypatch.setattr(prosody, "SENTENCES", tmp_path / "few.yaml")
    monkeypatch.setattr("tools.evaluate.voice.__main__.MEMORY", tmp_path / "heard.txt")
    written = tmp_path / "out.json"
    arguments = [
        str(untaught),
        "--style",
        "low",
        "--character",
        "bram",
        "--count",
        "1",
        "--json",
        str(written),
    ]
    assert main([*arguments, "--pictures", str(tmp_path / "pictures"), "--show"]) == 0
    assert teachers_of(untaught) == {}
    found = json.loads(written.read_text(encoding="utf-8"))["speakers"]
    assert list(found) == ["low", "bram"]
    for figures in found.values():
        assert figures["understood_percent"] > 40
        assert figures["clicks"]["chunk joins"][0] == 0 and figures["clipped_samples"] == 0
        assert figures["streamed_against_whole"] < 2e-4
        assert "teacher_understood_percent" not in figures
    printed = capsys.readouterr().out
    assert "real-time factor" in printed and "heard:" in printed and "its teacher's" not in printed
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"low.png", "bram.png"}


def test_mistakes_are_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere/at/all"]) == 2
    assert main([str(SHIPPED), "--style", "brite", "--count", "1"]) == 2
    assert "no style 'brite'" in capsys.readouterr().err
    assert MEMORY.parts[0] == "build"


def test_an_unknown_teacher_is_named() -> None:
    from tools.evaluate.voice.teachers import Reads

    with pytest.raises(ModelError, match="no teacher 'stl'"):
        Reads("stl")
