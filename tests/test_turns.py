"""Spoken turns: what is drawn from a seed, and what is written into the label file."""

from __future__ import annotations

import ctypes.util
import random
import subprocess
import sys
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pytest

from epsilon.errors import ConfigError
from epsilon.ring import Samples
from tests.sounds import vowels
from tools.turns import labels, pauses
from tools.turns.labels import Label
from tools.turns.manners import Manner, said, stretched
from tools.turns.scripts import KINDS, Script, Writer, written
from tools.turns.worlds import World

needs_flite = pytest.mark.skipif(
    not (ctypes.util.find_library("flite") and ctypes.util.find_library("espeak-ng")),
    reason="libflite1 and libespeak-ng1 are not installed",
)


def scripts(seed: int, world: World, count: int) -> list[Script]:
    writer = Writer(random.Random(seed), world)
    return [writer.draw() for _ in range(count)]


def test_the_same_seed_gives_the_same_scripts() -> None:
    assert scripts(3, World.HELD_OUT, 60) == scripts(3, World.HELD_OUT, 60)
    assert scripts(3, World.HELD_OUT, 60) != scripts(4, World.HELD_OUT, 60)


def test_every_kind_comes_and_no_turn_ends_in_a_pause() -> None:
    drawn = scripts(1, World.TRAINING, 400)
    assert {script.kind for script in drawn} == set(KINDS)
    for script in drawn:
        assert script.parts[-1].pause_s == 0
        assert script.parts[-1].melody != "on"
        assert all(part.text.strip() for part in script.parts)


def test_the_worlds_share_no_turn_but_short_answers() -> None:
    found = [
        {script.spoken for script in scripts(1, world, count) if script.kind != "short"}
        for world, count in ((World.TRAINING, 600), (World.DEVELOPMENT, 300), (World.HELD_OUT, 300))
    ]
    assert not any(one & other for one, other in combinations(found, 2))


def test_the_ears_do_not_write_fillers() -> None:
    assert written("um i want er a dog") == "i want a dog"


def test_pauses_are_as_long_as_published() -> None:
    rng = random.Random(2)
    drawn = np.array([pauses.draw_pause(rng) for _ in range(4000)])
    assert drawn.min() >= pauses.SHORTEST_S
    assert drawn.max() <= pauses.LONGEST_S
    assert 0.3 < np.median(drawn) < 0.6, "the class of 200 to 1000 ms has most of them"
    assert 0.08 < (drawn > 1.0).mean() < 0.3


def test_a_syllable_that_is_drawn_out_keeps_its_pitch_and_its_beginning() -> None:
    sound = vowels()[:8000]
    longer = stretched(sound, 5000, 1.6)
    assert len(longer) == round(3000 * 1.6)
    assert np.abs(longer).max() <= 1.2 * np.abs(sound).max()
    np.testing.assert_allclose(longer[:240], sound[5000:5240], atol=1e-3)
    assert abs(period(sound[6000:7600]) - period(longer[1600:3200])) <= 3


def test_a_manner_changes_the_last_syllable_alone() -> None:
    sound = vowels()[:16000]
    risen = said(sound, Manner(5.0, 0.0, 1.0))
    fallen = said(sound, Manner(-5.0, -6.0, 1.0))
    assert abs(len(risen) - len(sound)) < 3 and abs(len(fallen) - len(sound)) < 3
    np.testing.assert_array_equal(risen[:11000], sound[:11000])
    assert np.abs(np.diff(risen)).max() < 2 * np.abs(np.diff(sound)).max(), "it joins without a click"
    assert period(risen[-1600:]) < period(sound[-1600:]) < period(fallen[-1600:])
    assert said(sound, Manner(0.0, 0.0, 1.0)) is sound


def period(sound: Samples) -> int:
    """Of the pitch, in samples."""
    return int(np.correlate(sound, sound, "full")[len(sound) - 1 :][40:260].argmax()) + 40


def test_labels_are_read_as_written(tmp_path: Path) -> None:
    label = Label("a.wav", 2.5, 0.5, "yes: no", ((1.0, 1.5),), "voice", "tv", 20.0, "two")
    labels.write(tmp_path, [label], "two: one")
    assert labels.read(tmp_path) == [label]


def test_a_label_file_of_others_needs_file_and_end_only(tmp_path: Path) -> None:
    (tmp_path / labels.FILE).write_text("- {file: x.wav, end_s: 1.5, microphone: far}\n")
    assert labels.read(tmp_path) == [Label("x.wav", 1.5)]


@pytest.mark.train
@needs_flite
def test_turns_sound_where_their_labels_say() -> None:
    from tools.turns.making import turns

    for turn in islice(turns(5, World.HELD_OUT, noise="clean"), 12):
        at = [round(s * 16_000) for s in (turn.label.start_s, turn.label.end_s)]
        level = np.abs(turn.samples[at[0] : at[1]]).max()
        assert np.abs(turn.samples[: at[0]]).max() < 0.1 * level
        for start_s, end_s in turn.label.pauses:
            inside = turn.samples[round((start_s + 0.15) * 16_000) : round(end_s * 16_000)]
            assert np.sqrt((inside**2).mean()) < 0.05 * level


@pytest.mark.train
@needs_flite
def test_the_same_seed_gives_the_same_sound(tmp_path: Path) -> None:
    for out in ("first", "second"):
        command = [sys.executable, "-m", "tools.turns", str(tmp_path / out), "--count", "6", "--seed", "7"]
        subprocess.run(command, check=True, capture_output=True)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert len(names) == 7
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


@pytest.mark.train
@needs_flite
def test_the_worlds_share_no_voice() -> None:
    from tools.turns.speakers import Troupe

    rng = random.Random(1)
    found = [{Troupe(world).draw(rng, False).voice.split("+")[-1] for _ in range(80)} for world in World]
    assert not any(one & other for one, other in combinations(found, 2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- {file: x.wav, end_s: 1}\n- {end_s: 1.5}", r"turns.yaml: entry 2: key 'file' is missing"),
        (
            "- {file: x.wav, end: 1.5}",
            r"entry 1: key 'end_s' is missing; no key 'end' .*\(did you mean end_s\?\)",
        ),
        ("- {file: x.wav, end_s: late}", r"entry 1: 'end_s' should be a number, found 'late'"),
        ("- {file: 3, end_s: 1.5}", r"entry 1: 'file' should be text, found 3"),
        ("- {file: x.wav, end_s: 1.5, pauses: [1, 2]}", r"entry 1: 'pauses' should be pairs of seconds"),
        ("- x.wav", r"entry 1: expected keys and values"),
        ("file: x.wav", r"turns.yaml: expected a list"),
        ("- {file: x.wav}\n}", r"turns.yaml:2: is no YAML"),
    ],
)
def test_a_mistake_in_a_label_file_is_told_with_its_place(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / labels.FILE).write_text(text)
    with pytest.raises(ConfigError, match=told):
        labels.read(tmp_path)


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"turns.yaml: cannot be read"):
        labels.read(tmp_path)
