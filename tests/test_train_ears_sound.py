"""What the ears' training does to sound: speakers, strangers, surroundings, and going on after a kill."""

from __future__ import annotations

import ctypes.util
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tools.train.ears import tokens
from tools.train.speech import shards
from tools.train.speech.shards import Utterance

RATE_HZ = 16_000
needs_flite = pytest.mark.skipif(
    not (ctypes.util.find_library("flite") and ctypes.util.find_library("espeak-ng")),
    reason="libflite1 and libespeak-ng1 are not installed",
)
needs_festival = pytest.mark.skipif(shutil.which("festival") is None, reason="festival is not installed")


def test_held_out_voices_are_not_in_the_cast() -> None:
    import yaml

    from tools.train.speech.casting import CAST

    cast = yaml.safe_load(CAST.read_text())
    trained = {*cast["flite"], *cast["festival"], *cast["accents"]}
    trained |= {f"{accent}+{variant}" for accent in cast["accents"] for variant in cast["variants"]}
    assert not trained & set(cast["held_out"])
    kinds = {voice.startswith("en-") for voice in cast["held_out"]}
    assert kinds == {True, False}, "held-out voices of both kinds"
    assert sum(cast["flite"].values()) + sum(cast["festival"].values()) < 1


@needs_flite
@needs_festival
def test_a_child_speaks_higher_at_the_same_pace() -> None:
    from tools.train.speech.casting import Cast

    cast = Cast()

    def speak(size: float) -> tuple[float, float]:
        _, samples = cast._speak("my name is emma and i am six years old.", "awb", size, random.Random(2))
        assert samples is not None
        spectrum = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
        hz = np.fft.rfftfreq(samples.size, 1 / RATE_HZ)
        return samples.size / RATE_HZ, float((spectrum * hz).sum() / spectrum.sum())

    (grown_s, grown_hz), (child_s, child_hz) = speak(1.0), speak(1.4)
    assert child_s == pytest.approx(grown_s, rel=0.1)
    assert child_hz > 1.15 * grown_hz


@needs_festival
def test_festival_speaks_and_refuses_strangers() -> None:
    from tools.train.speech.festival import Festival

    festival = Festival()
    try:
        plain = festival.speak('a "quoted" rabbit.', "kal_diphone")
        slow = festival.speak('a "quoted" rabbit.', "kal_diphone", stretch=1.5)
        assert 0.4 * RATE_HZ < plain.size < 4 * RATE_HZ
        assert slow.size > 1.2 * plain.size
        with pytest.raises(RuntimeError, match="no voice 'nobody'"):
            festival.speak("hello", "nobody")
    finally:
        festival.close()


_PRINT_SETS = """
import hashlib
from tools.train.speech.synthesis import make_evaluation_sets
from tools.train.text.sentences import load
for name, utterances in make_evaluation_sets(load(), 3).items():
    for u in utterances:
        print(name, u.sentence, u.voice, hashlib.sha256(u.samples.tobytes()).hexdigest())
"""


@needs_flite
@needs_festival
def test_evaluation_sets_are_the_same_in_every_process() -> None:
    # Within one process they differ by a little noise: the synthesizers draw it from one stream.
    runs = [
        subprocess.run([sys.executable, "-c", _PRINT_SETS], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    names = {line.split()[0] for line in runs[0].splitlines()}
    assert names == {
        "child_voices",
        "held_out_templates",
        "held_out_voice",
        "hesitations",
        "long",
        "seen_voices",
    }


def test_surroundings_have_unit_power() -> None:
    pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears import surroundings

    rng = np.random.default_rng(1)
    pool = [rng.integers(-3000, 3000, 16_000).astype(np.int16)]
    noises = [*surroundings.coloured_noises(rng), surroundings.babble(pool, rng, 20)]
    noises += [surroundings.hum(rng), surroundings.music(rng), surroundings.knocks(rng)]
    for noise in noises:
        assert noise.shape == (surroundings.NOISE_S * RATE_HZ,)
        assert noise.std() == pytest.approx(1, abs=0.05)
    assert surroundings.room(rng)[0] == 1


def test_a_throat_moves_formants_and_leaves_harmonics() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears.strangers import change_throats, throat_matrices

    bands = np.arange(80)
    formant = np.exp(-(((bands - 30) / 5) ** 2))
    harmonics = 0.2 * np.cos(2 * np.pi * bands / 4)
    log = torch.from_numpy(np.stack([formant + harmonics] * 2)).float()[:, :, None]
    moved = change_throats(log.clone(), np.array([1.0, 1.3]), throat_matrices())[:, :, 0].numpy()
    np.testing.assert_allclose(moved[0], log[0, :, 0])
    smooth = np.convolve(moved[1], np.ones(4) / 4, "same")
    assert 32 < smooth.argmax() < 42
    inner = slice(50, 76)
    np.testing.assert_allclose(moved[1][inner], harmonics[inner], atol=0.06)


def test_lengths_change_and_what_is_missing_is_silence() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears.strangers import SILENCE, change_lengths

    log = torch.arange(40.0).expand(3, 80, 40).clone()
    longer = change_lengths(log, [40, 40, 40], np.array([1.0, 1.5, 0.5]))
    assert longer.shape == (3, 80, 60)
    assert longer[0, 0, :40].tolist() == list(range(40))
    assert longer[1, 0, 30].item() == pytest.approx(20)
    assert longer[2, 0, 10].item() == pytest.approx(20)
    assert (longer[0, 0, 41:] == SILENCE).all()


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_augmented_features_fit_the_network(strength: float) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears.augment import Augmenter

    rng = np.random.default_rng(3)
    spoken = [rng.integers(-3000, 3000, size).astype(np.int16) for size in (9_000, 40_000, 147_000)]
    augment = Augmenter(spoken, 4)
    for _ in range(4):
        features = augment(spoken, strength)
        assert features.shape[:2] == (3, 80)
        assert features.shape[2] % 4 == 0
        assert features.shape[2] <= 1000
        assert torch.isfinite(features).all()


@pytest.mark.train
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    pytest.importorskip("onnx", reason="onnx is not installed")
    rng = np.random.default_rng(5)
    speech = tmp_path / "speech"
    speech.mkdir()
    (speech / "finished").touch()
    waves = [rng.integers(-3000, 3000, 20_000).astype(np.int16) for _ in range(200)]
    shards.write(speech / "one", [Utterance("tell me a joke", "noise", wave) for wave in waves])
    tokens.train(["tell me a joke"] * 9, 60).save(str(tmp_path / "tokenizer.json"))
    command = [
        sys.executable,
        "-m",
        "tools.train.ears",
        "--out",
        str(tmp_path),
        "--model",
        str(tmp_path / "m"),
    ]
    command += ["--threads", "1", "--minutes", "0.5", "--device", "cpu", "--save-minutes", "0.05"]
    run = subprocess.Popen(command)
    checkpoint = tmp_path / "checkpoint.pt"
    while not checkpoint.exists() and run.poll() is None:
        time.sleep(0.2)
    run.kill()
    run.wait()
    assert not (tmp_path / "m").exists()
    subprocess.run(command, check=True)
    starts = [line for line in (tmp_path / "log.txt").read_text().splitlines() if "from step" in line]
    assert len(starts) == 2
    assert starts[0].endswith("from step 0")
    assert int(starts[1].rsplit(" ", 1)[1]) > 0
    assert (tmp_path / "m" / "model.yaml").exists()


def test_nothing_is_of_many_kinds_and_never_too_loud() -> None:
    pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears.nothing import nothing

    rng = np.random.default_rng(6)
    for _ in range(60):
        sound = nothing(rng)
        assert 0.4 * RATE_HZ < sound.size < 5.1 * RATE_HZ
        assert 0.004 * 32767 < np.abs(sound.astype(int)).max() < 0.32 * 32767


def test_some_utterances_become_one(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed (make train-… installs it)")
    from tools.train.ears.batches import Shelf

    rng = np.random.default_rng(7)
    waves = [rng.integers(-9, 9, 24_000).astype(np.int16) for _ in range(400)]
    spoken = [Utterance(f"joke {'a' if i % 2 else 'b'}", "ab"[i % 2], w) for i, w in enumerate(waves)]
    shards.write(tmp_path / "one", spoken)
    shelf = Shelf(tmp_path, tokens.train(["joke a b"] * 9, 60), 1)
    batches = shelf.batches(4500, 9.3)
    seen = [u for _ in range(80) for u in next(batches)]
    long = [u for u in seen if len(u.sentence.split()) > 2]
    assert long
    for utterance in long:
        count = len(utterance.sentence.split()) // 2
        assert 24_000 * count < utterance.samples.size < 24_000 * count + 6400 * (count - 1) + 1
    targets = shelf.targets(long[:1])
    assert targets.lengths.tolist() == [len(long[0].sentence)]
