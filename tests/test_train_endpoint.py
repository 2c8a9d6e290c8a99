"""The end-of-turn model's training: what the stage would hear, how policies are scored, the fusion, the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from epsilon.engines.endpoint.features import SIZE, Features
from epsilon.engines.endpoint.fusion import NAMES, Evidence
from epsilon.engines.endpoint.wording import PAUSE, UNKNOWN, Wording, with_pauses
from epsilon.engines.protocols import Thought
from tests.sounds import silence, vowels
from tools.train.endpoint.data import Example
from tools.train.endpoint.fuse import OF_SOUND, above, choose, fit
from tools.train.endpoint.hearing import Heard, imagine, pauses, silences
from tools.train.endpoint.policy import MISSED_MS, Moment, Thoughts, at, curve, moments
from tools.train.endpoint.said import Reader, Said, of_scripts
from tools.turns.labels import Label
from tools.turns.worlds import World

WINDOW = 512


def flags(text: str) -> Any:
    return np.array([letter == "v" for letter in text])


def test_silence_counts_from_the_last_voice_and_one_window_does_not_end_a_pause() -> None:
    assert silences(flags("vv..v..")).tolist() == [0, 0, 1, 2, 0, 1, 2]
    assert silences(flags("v.....v...")).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert silences(flags("v.....vv.")).tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]


def heard(text: str, over_from: int) -> Heard:
    voiced = flags(text)
    return Heard(0, voiced, silences(voiced), np.arange(len(text)) >= over_from)


def test_pauses_are_the_silences_in_which_the_stage_asks() -> None:
    assert pauses(heard("vv...vv......vv.......", 15)) == [(7, 14), (15, 22)]


def test_imagined_voice_begins_and_ends_about_where_the_speech_does() -> None:
    label = Label("a.wav", end_s=4.0, start_s=0.5, pauses=((1.5, 2.5),))
    rng = np.random.default_rng(3)
    lags = []
    for _ in range(200):
        found = imagine(label, 1.4, rng)
        assert found is not None
        (begin, end), last = pauses(found)
        lags.append((found.first + last[0]) * 0.032 - 4.0)
        assert 1.2 < (found.first + begin) * 0.032 < 1.9
        assert 2.4 < (found.first + end) * 0.032 < 2.7
        assert found.over[-1] and not found.over[end]
    assert 0.02 < np.median(lags) < 0.1


def example(text: str, end_window: int) -> Example:
    found = heard(text, end_window)
    rows = np.zeros((len(text), SIZE), np.float16)
    end_s = end_window * WINDOW / 16_000
    about = {"first": 0, "end_s": end_s, "parts": ["a b", "c"], "pauses": [[7 * 0.032, 13 * 0.032]]}
    return Example(rows, found.voiced, found.silence, found.over, about)


def test_dead_air_is_from_the_end_of_speech_and_words_come_late() -> None:
    turn = example("vvvvvvv......vvv" + "." * 20, 16)
    thoughts = [Thoughts(Thought(("a",)), -1.0), Thoughts(Thought(("a", "b"), 0.9), 1.0)]
    found = moments(turn, np.arange(36, dtype=np.float32), thoughts)
    assert [moment.over for moment in found][:3] == [False, False, False]
    last = [moment for moment in found if moment.over]
    first, behind = last[0].found, last[-1].found
    assert first.silence_ms == 160
    assert last[0].dead_air_ms == pytest.approx(160)
    assert (first.thought, first.words) == (Thought(), 0.0)
    assert (behind.thought, behind.words) == (Thought(("a", "b"), 0.9), 1.0)
    assert (first.pauses, first.voice_ms) == (1, 10 * 32.0)
    assert first.steady == pytest.approx(first.sound - 1.5), "the mean of four windows"
    assert turn.words_at(10) == ("a", "b")


def turns(count: int, seed: int) -> list[list[Moment]]:
    """Each has a pause of 400 ms whose sound says less than that of the end."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(count):
        pause, end = rng.normal(-2, 1), rng.normal(2, 1)
        steps = [160.0 + 32 * i for i in range(50)]
        turn = [Moment(Evidence(pause, pause, ms), False, ms - 3000) for ms in steps[:8]]
        found.append(turn + [Moment(Evidence(end, end, ms), True, ms) for ms in steps])
    return found


def test_a_timer_waits_for_the_longest_pauses_and_the_fusion_need_not() -> None:
    played, silence_levels = turns(200, 1), np.linspace(0.1, 0.5, 21)
    timer = at(curve(played, silence_levels, lambda moment: moment.found.silence_ms / 1000), 0.05)
    weights = fit(played, OF_SOUND)
    assert weights["sound"] + weights["steady"] > 0
    assert set(weights) == set(NAMES)
    found = curve(played, np.zeros(1), above(weights, choose(played, weights, 0.05)))[0]
    assert found.cut_in <= 0.05
    assert found.mean_ms < timer.mean_ms


def test_a_turn_without_a_silence_is_missed() -> None:
    assert curve([[]], np.array([0.5]), lambda moment: 1.0)[0].mean_ms == MISSED_MS


def test_rows_do_not_depend_on_the_level_of_the_microphone() -> None:
    sound, rows = np.concatenate([vowels(), silence(0.5)]), []
    for gain in (0.8, 0.2):
        features = Features()
        windows = (gain * sound)[: len(sound) // WINDOW * WINDOW].reshape(-1, WINDOW)
        rows.append(np.array([features.push(window.astype(np.float32), True) for window in windows]))
    heard = rows[0][5:40] > 0  # what is fainter is below the floor of a distant microphone
    np.testing.assert_allclose(rows[0][5:40][heard], rows[1][5:40][heard], atol=0.15)


def test_rows_at_once_are_those_of_one_window_after_the_other() -> None:
    sound = np.concatenate([vowels(), silence(0.5)]).astype(np.float32)
    sound = sound[: len(sound) // WINDOW * WINDOW]
    voiced = [place < 20 for place in range(len(sound) // WINDOW)]
    features = Features()
    one = [features.push(*window) for window in zip(sound.reshape(-1, WINDOW), voiced, strict=True)]
    np.testing.assert_allclose(Features().rows(sound, voiced), one, atol=1e-4)


def test_pauses_stand_where_they_were_but_not_at_the_end() -> None:
    assert with_pauses("a dog and".split(), [2, 3]) == ["a", "dog", PAUSE, "and"]
    assert with_pauses([], [0, 1]) == []


def test_scripts_are_read_to_each_pause_and_to_their_end() -> None:
    found = list(of_scripts(200, World.TRAINING))
    assert sum(said.over for said in found) == 200
    assert sum(PAUSE in said.words for said in found) > 50
    assert all(said.words[-1] != PAUSE for said in found if said.words)


def test_misread_words_stay_in_the_vocabulary_and_are_about_as_many() -> None:
    found = list(of_scripts(300, World.TRAINING))
    reader, rng = Reader(found), np.random.default_rng(1)
    said = max((said for said in found), key=lambda said: len(said.words))
    as_it_is, read = reader.places(said.words), [reader.misread(said.words, 0.5, rng) for _ in range(200)]
    assert {place for places in read for place in places} <= set(range(len(reader.vocabulary) + 1))
    assert as_it_is in read, "some are read without a mistake"
    assert abs(np.mean([len(places) for places in read]) - len(as_it_is)) < 2


def store(folder: Path, name: str, seed: int) -> None:
    """A shard of made-up rows in which the end is louder than a pause."""
    rng, columns, abouts = np.random.default_rng(seed), [], []
    for _ in range(60):
        found = heard("v" * 20 + "." * 10 + "v" * 10 + "." * 20, 40)
        rows = rng.normal(0, 0.3, (60, SIZE)).astype(np.float16)
        rows[:, 0] += found.over
        columns.append((rows, found.voiced, found.silence, found.over))
        abouts.append({"first": 0, "windows": 60, "end_s": 40 * 0.032, "parts": ["a"], "pauses": []})
    rows, voiced, silent, over = (np.concatenate(column) for column in zip(*columns, strict=True))
    np.savez(folder / f"{name}.npz", rows=rows, voiced=voiced, silence=silent, over=over)
    (folder / f"{name}.json").write_text(json.dumps(abouts))


@pytest.mark.train
def test_training_learns_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    from tools.train.endpoint.export import export_graph, load_endpoint
    from tools.train.endpoint.model import Shape
    from tools.train.endpoint.training import Recipe, Training

    store(tmp_path, "train-000", 1)
    small = Shape(16, 16, 2)
    training = Training(tmp_path / "run", tmp_path, Recipe(warm_up_steps=1, peak_rate=5e-3), small)
    losses = [training.learn(training.batch()) for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    training.save()
    again = Training(tmp_path / "run", tmp_path, Recipe(), small)
    assert again.step == 60
    model = load_endpoint(training.checkpoint)
    assert export_graph(model, tmp_path / "endpoint.onnx") < 1e-4


@pytest.mark.train
def test_words_are_read_in_the_toy_as_in_training(tmp_path: Path) -> None:
    import torch

    from tools.train.endpoint.wording import Sizes, Words, exported, padded

    reader = Reader([Said(["a", "dog", PAUSE, "and"], False)] * 5)
    model = Words(len(reader.vocabulary), Sizes(8, 8)).eval()
    toy = Wording(exported(model, reader))
    for words in (["dog"], ["a", "zebra", PAUSE, "dog", "and"], ["and"] * 30):
        with torch.no_grad():
            (wanted,) = model(*padded([reader.places(words)])).tolist()
        assert toy.log_odds(words) == pytest.approx(wanted, abs=0.01)
    assert toy.log_odds([]) == 0.0
    assert reader.places(["zebra"]) == [UNKNOWN]


@pytest.mark.train
def test_a_network_that_was_exported_can_be_trained_further(tmp_path: Path) -> None:
    import torch

    from tools.train.endpoint.export import export_graph
    from tools.train.endpoint.model import Endpoint, Shape, from_graph

    model = Endpoint(Shape(12, 16, 2)).eval()
    export_graph(model, tmp_path / "endpoint.onnx")
    again, rows = from_graph(tmp_path / "endpoint.onnx").eval(), torch.randn(1, 9, SIZE)
    torch.testing.assert_close(again(rows), model(rows))
