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
from tools.evaluate.spectrograms import spectrogram
from tools.evaluate.voice import comparison, faults, pictures, pitch, prosody, report, spectra, timing
from tools.evaluate.voice.__main__ import MEMORY, SENTENCES, main
from tools.evaluate.voice.judge import Judge, Understood
from tools.evaluate.voice.speakers import Speaker, load_voice, of_style
from tools.evaluate.voice.teachers import Reading, teachers_of
from tools.train.text.sentences import load

SHIPPED = Path("models/pocket/voice")
RATE_HZ = 16_000


def tone(hz: float | np.ndarray, seconds: float = 1.0, harmonics: int = 8) -> np.ndarray:
    """A buzz with one frequency, or one for each sample."""
    count = int(seconds * RATE_HZ)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, count)) / RATE_HZ
    parts = [np.sin(n * phase) / n for n in range(1, harmonics + 1)]
    return (0.1 * np.sum(parts, axis=0)).astype(np.float32)


def glide(first_hz: float, last_hz: float, seconds: float = 1.0) -> np.ndarray:
    """A buzz from one pitch to another, as far in every semitone."""
    return tone(np.geomspace(first_hz, last_hz, int(seconds * RATE_HZ)), seconds)


def hiss(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    """White noise."""
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))).astype(np.float32)


# Melody


@pytest.mark.parametrize("hz", [75.0, 118.0, 205.0, 333.0, 450.0])
def test_a_tone_has_its_pitch(hz: float) -> None:
    f0_hz = pitch.track(tone(hz))[5:-5]
    assert (f0_hz > 0).all()
    assert np.abs(1200 * np.log2(f0_hz / hz)).max() < 5  # cents


def test_a_glide_is_followed() -> None:
    f0_hz = pitch.track(glide(100, 200))[5:-5]
    wanted = np.geomspace(100, 200, 101)[5:-5]
    assert np.abs(1200 * np.log2(f0_hz / wanted)).max() < 15


def test_noise_and_silence_have_no_pitch() -> None:
    assert (pitch.track(hiss()) > 0).mean() < 0.05
    assert not pitch.track(np.zeros(8000, np.float32)).any()
    assert pitch.track(np.zeros(0, np.float32)).tolist() == [0.0]


def test_a_pause_has_no_pitch_and_the_frames_around_it_keep_their_places() -> None:
    f0_hz = pitch.track(np.concatenate([tone(200, 0.5), np.zeros(8000, np.float32), tone(150, 0.5)]))
    assert not f0_hz[56:95].any()
    assert np.median(f0_hz[:46]) == pytest.approx(200, rel=0.01)
    assert np.median(f0_hz[105:]) == pytest.approx(150, rel=0.01)


# Spectrum


def test_equal_sounds_are_no_decibel_apart_and_loudness_does_not_count() -> None:
    first = spectra.mel_cepstra(hiss())
    path = spectra.in_step(first, first)
    assert path.tolist() == [[at, at] for at in range(len(first))]
    assert spectra.distortion_db(first, first, path).max() == 0
    louder = spectra.mel_cepstra(4 * hiss())
    assert spectra.distortion_db(first, louder, path).max() < 1e-3
    assert louder[:, 0] - first[:, 0] == pytest.approx(np.log(4), abs=1e-3)


def test_one_coefficient_apart_is_what_the_formula_says() -> None:
    one = np.zeros((4, 14))
    other = one.copy()
    other[:, 3] = 0.5
    path = np.array([[0, 0], [1, 1]])
    assert spectra.distortion_db(one, other, path) == pytest.approx(10 / np.log(10) * np.sqrt(2) * 0.5)


def test_a_slower_reading_is_brought_into_step() -> None:
    quick = np.random.default_rng(1).standard_normal((20, 14))
    path = spectra.in_step(np.repeat(quick, 2, axis=0), quick)
    assert {tuple(pair) for pair in path} == {(at, at // 2) for at in range(40)}


def test_levels_are_those_of_the_sound() -> None:
    sine = np.sin(2 * np.pi * 440 * np.arange(16000) / RATE_HZ).astype(np.float32)
    assert spectra.levels_db(0.5 * sine)[50] == pytest.approx(-9.03, abs=0.1)
    assert faults.level_db(0.5 * sine) == pytest.approx(-9.03, abs=0.1)
    assert faults.level_db(np.zeros(0, np.float32)) == -120


# Timing


def test_symbols_that_both_say_are_compared() -> None:
    ours, theirs = ["$", "K", "AE1", "T", " ", "S", "$"], ["$", "K", "AE0", "D", " ", "S", "$"]
    pairs = timing.matched(ours, [1, 2, 3, 4, 5, 6, 7], theirs, [10, 20, 30, 40, 50, 60, 70])
    assert pairs.tolist() == [
        [2, 20],
        [3, 30],
        [6, 60],
    ]  # stress does not matter, spaces and pads are no phonemes


def test_ends_become_durations_and_commas_have_a_start() -> None:
    assert timing.durations([160, 480, 480], 1000 / RATE_HZ) == [10, 20, 0]
    assert timing.comma_starts(["$", "K", ",", "T", "."], [10, 20, 30, 40, 50]) == [20]


# Faults


def test_a_click_stands_out_from_the_steps_around_it() -> None:
    sound = tone(150)
    assert not any(faults.is_click(sound, at) for at in range(1000, 9000, 7))
    broken = sound.copy()
    broken[5000:] += 0.2
    assert faults.is_click(broken, 5000) and not faults.is_click(broken, 4990)
    assert not faults.is_click(sound, 0) and not faults.is_click(sound, len(sound))
    quiet = np.zeros(1000, np.float32)
    quiet[500:] = 5e-4  # nobody hears it
    assert not faults.is_click(quiet, 500)


def test_a_phrase_that_stops_in_the_middle_of_a_vowel_is_broken_off() -> None:
    sound = np.concatenate([tone(150)[:5003], np.zeros(3000, np.float32)])
    sound[5002] = 0.13
    assert faults.breaks_off(sound, 5003)
    assert not faults.breaks_off(sound, 6000) and not faults.breaks_off(sound, len(sound))


def test_clipped_samples_are_counted() -> None:
    assert faults.clipped(np.array([0.5, 1.0, -1.0, 0.998], np.float32)) == 2


# Words


def test_words_are_counted_without_marks_and_case() -> None:
    found = Understood()
    found.add("Stop, that ladder isn't safe!", ["stop", "the", "ladder", "isn't", "safe"])
    assert (found.words, found.errors) == (5, 1) and found.percent == 80


def test_equal_sound_gives_equal_words_and_is_heard_once(tmp_path: Path) -> None:
    memory = tmp_path / "heard.txt"
    judge = Judge(memory)
    assert judge.hear(hiss(0.3)) == judge.hear(hiss(0.3))
    assert len(memory.read_text().splitlines()) == 1
    digest = memory.read_text().split(" ")[0]
    memory.write_text(f"{digest} so it said\n")
    assert Judge(memory).hear(hiss(0.3)) == ["so", "it", "said"]


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


def test_endings_rise_and_fall_and_a_monotone_does_neither() -> None:
    level = tone(150, 0.8)
    rises = prosody.ending(np.concatenate([level, glide(150, 200, 0.2)]))
    falls = prosody.ending(np.concatenate([level, glide(150, 110, 0.2)]))
    assert rises is not None and falls is not None
    assert rises > 2 and falls < -2
    assert prosody.ending(level) == pytest.approx(0, abs=0.05)
    assert prosody.span(level) == pytest.approx(0, abs=0.1)
    assert prosody.span(glide(100, 200)) == pytest.approx(0.9 * 12, abs=0.6)
    assert prosody.ending(hiss()) is None and prosody.span(np.zeros(8000, np.float32)) is None


def test_pairs_say_how_many_differ() -> None:
    sounds = {"a": tone(150), "b": glide(150, 250)}
    found = prosody.pairs(sounds.__getitem__, [("a", "b"), ("a", "a")], prosody.ending)
    assert found["differ"] == [1, 2]


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
        tmp_path / "a.png", "low", "rms", [pictures.Pair("A tone.", tone(200, 2.0), tone(200, 1.0))]
    )
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width > 2 * 2 * pictures.PIXELS_A_S
        colours = {colour for _, colour in picture.getcolors(1 << 20) or ()}
    assert pictures.MELODY in colours
    assert spectrogram(tone(200)).shape == (257, 200)


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
