"""The voice's training: its arithmetic, the network and its export where torch is, and the model that ships."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from epsilon.config.models import Model
from epsilon.engines.facts import Facts
from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import styletts2
from epsilon.engines.tts.phonemes import convert
from epsilon.engines.tts.symbols import PAD, TOKENS
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.train.text.sentences import load as load_sentences
from tools.train.voice.corpus import spell
from tools.train.voice.flite import Phone
from tools.train.voice.prompts import Sources, is_reserved_reply, openers, prompts, replies
from tools.train.voice.spectrum import basis, sharpen, student_filters

SHIPPED = Path("models/pocket/voice")
HELD_OUT = Path("tools/evaluate/voice_sentences.txt")
STREAMED = 2e-4  # of full scale: the steepest pulses differ by this where F0 differs by its last bit


def phones(*rows: tuple[str, float, bool, str]) -> list[Phone]:
    """Phones from (name, end in s, starts a word, punctuation)."""
    return [Phone(name, True, end_s, starts, mark) for name, end_s, starts, mark in rows]


def test_phones_become_symbols_with_frames() -> None:
    said = phones(
        ("pau", 0.2, False, ""),
        ("hh", 0.3, True, ","),
        ("ay", 0.4, False, ","),
        ("pau", 0.5, False, ""),
        ("y", 0.6, True, "."),
        ("uw", 0.7, False, "."),
        ("pau", 0.9, False, ""),
    )
    tokens, durations, first = spell(said, 100)
    assert tokens == [PAD, "HH", "AY1", ",", "Y", "UW1", ".", PAD]
    assert first + sum(durations) == 91  # the teacher's last frame
    assert durations[0] == 3 and durations[-1] == 2
    assert durations[3] == pytest.approx(10, abs=1)  # the pause belongs to the comma


def test_sharpening_keeps_the_power() -> None:
    rng = np.random.default_rng(0)
    cepstrum = rng.standard_normal((20, 25)) * np.exp(-np.arange(25) / 4)
    sharp = sharpen(cepstrum, 0.42, 0.4)
    power = [np.exp(2 * c @ basis(c.shape[1])[0])[:, 1:-1].mean(axis=1) for c in (cepstrum, sharp)]
    assert power[0] == pytest.approx(power[1], rel=1e-6)


def test_student_filters_hold_the_envelope() -> None:
    filters = np.zeros((1, 48))
    filters[0, 24] = 1.0  # one band that passes everything
    cepstrum = np.random.default_rng(1).standard_normal((5, 25)) * 0.3
    pulse, noise = student_filters(cepstrum, np.full((5, 1), 0.5), filters, 1.0)
    expected = cepstrum @ basis(25)[0] + np.log(0.5)
    assert pulse @ basis()[0] == pytest.approx(expected, abs=1e-6)
    assert noise == pytest.approx(pulse)


def test_held_out_sentences_are_not_read_to_the_student() -> None:
    held_out = HELD_OUT.read_text(encoding="utf-8").splitlines()
    assert len(held_out) == 100
    from_ = Sources(load_sentences(), held_out, [*held_out, "A plain reply."], ["Oh,"], ["word", "another"])
    texts = prompts(from_, held_out, seed=0)
    lowered = {text.lower().strip() for text in held_out}
    for _ in range(300):
        assert next(texts).lower().strip() not in lowered


def test_one_reply_in_forty_is_kept_for_evaluation() -> None:
    share = np.mean([is_reserved_reply(f"I have {count} spoons.") for count in range(4000)])
    assert share == pytest.approx(1 / 40, rel=0.3)


def test_openers_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "character.yaml").write_text('name: X\nopeners: ["Oh,", "Hm."]\n')
    assert openers(tmp_path) == ["Hm.", "Oh,"]


def test_replies_are_found_in_the_dialogues(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "dialogues.yaml").write_text("intents: {a: 'Hello there! | I am $name.', b: [Fine.]}\n")
    assert replies(tmp_path) == ["Fine.", "Hello there!"]


def load(folder: Path) -> styletts2.StyleTts2:
    """The toy's engine on a folder."""
    return styletts2.load(Model("x", folder, "tts", "styletts2", "", "", "", {}), onnx, Seat())


def spoken(folder: Path, text: str, style: str) -> tuple[np.ndarray, np.ndarray]:
    """Samples as streamed and as said at once."""
    voice, symbols = load(folder), convert(text)
    streamed = np.concatenate([c.samples for c in voice.speak(symbols, Delivery(voice.styles[style]))])
    whole = onnx.load(folder / "model.onnx", Seat())(voice.feeds(symbols, Delivery(voice.styles[style])))
    assert whole["durations"].shape == (len(symbols),)
    return streamed, whole["audio"].reshape(-1)


class TestShippedVoice:
    """What lies in models/pocket/voice."""

    def test_its_symbols_are_those_of_the_text_side(self) -> None:
        assert Facts(SHIPPED / "model.yaml").texts("symbols") == TOKENS

    def test_what_streams_equals_the_whole_and_itself(self) -> None:
        streamed, whole = spoken(SHIPPED, "Hello there, would you like some soup?", "odette")
        assert streamed == pytest.approx(whole, abs=STREAMED)
        again, _ = spoken(SHIPPED, "Hello there, would you like some soup?", "odette")
        assert (streamed == again).all()
        assert 1.0 < len(streamed) / 16000 < 5.0
        assert 0.1 < np.abs(streamed).max() < 1.0

    def test_characters_differ_in_pitch(self) -> None:
        voice, symbols = load(SHIPPED), convert("A long and quiet afternoon by the river.")
        pitches = {}
        for style in ("odette", "bram"):
            sound = np.concatenate([c.samples for c in voice.speak(symbols, Delivery(voice.styles[style]))])
            middle = sound[len(sound) // 4 : 3 * len(sound) // 4].astype(np.float64)
            likeness = np.fft.irfft(np.abs(np.fft.rfft(middle, 2**17)) ** 2)
            pitches[style] = 16000 / (np.argmax(likeness[16000 // 300 : 16000 // 60]) + 16000 // 300)
        assert pitches["odette"] > 1.3 * pitches["bram"]

    def test_speed(self) -> None:
        voice, symbols = load(SHIPPED), convert("One two three four five six seven.")
        lengths = [
            sum(len(c.samples) for c in voice.speak(symbols, Delivery(voice.styles["bram"], speed)))
            for speed in (0.8, 1.25)
        ]
        assert lengths[0] > 1.3 * lengths[1]


class TestNetwork:
    """A small voice of random weights; only where torch is installed (the training extras)."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="torch is not installed (pip install -e .[train])")

    def test_pulses_have_unit_power_and_the_right_period(self) -> None:
        import torch

        from tools.train.voice.source import frame_source, pulse_train

        f0_hz, voiced = torch.full((1, 50), 125.0), torch.ones(1, 50)
        pulses = pulse_train(frame_source(f0_hz, voiced)).reshape(-1)
        assert float(pulses.square().mean()) == pytest.approx(1.0, rel=0.03)
        peaks = torch.nonzero(pulses > 0.8 * pulses.max()).flatten().diff()
        assert set(peaks[peaks > 10].tolist()) == {128}

    def test_every_symbol_knows_the_marks_around_it(self) -> None:
        import torch

        from tools.train.voice.marks import Marks

        torch.manual_seed(0)
        marks, spelt = Marks(len(TOKENS), 4), [PAD, "AY1", ",", "Y", "UW1", "?", "OW1", "!", PAD]
        with torch.no_grad():
            found = marks(torch.tensor([[TOKENS.index(symbol) for symbol in spelt]]))[0]
            clause, sentence = (
                {mark: table.weight[TOKENS.index(mark)] for mark in ",?!"}
                for table in (marks.clause, marks.sentence)
            )
        both = sentence[","] + sentence["?"]
        assert torch.allclose(found[1], clause[","] + both, atol=1e-6)
        assert torch.allclose(found[3], clause["?"] + both, atol=1e-6)
        assert torch.allclose(found[6], clause["!"] + sentence["!"], atol=1e-6)

    def test_a_window_sounds_as_in_the_whole(self) -> None:
        import torch

        from tools.train.voice.model import Sizes, Voice

        torch.manual_seed(0)
        voice = Voice(Sizes(len(TOKENS), text=16, style=8, melody=16, decoder=16), 2).eval()
        ids = torch.tensor(
            [[TOKENS.index(symbol) for symbol in convert("The same sound in pieces, please.")]]
        )
        style, speed = voice.styles.weight[:1], torch.full((1,), 0.05)  # slow: an untrained voice is brief
        pitch, phase = torch.zeros(1), torch.zeros(1)
        with torch.no_grad():
            durations, text = voice.read(ids, style, speed)
            whole, _ = voice(ids, style, speed, pitch)
            for first, end in pairwise((0, 3, 40, 41, len(whole) // 160)):
                span = torch.tensor([first, end])
                piece, phase = voice.sound(durations, text, style, pitch, span, phase)
                assert torch.allclose(piece, whole[first * 160 : end * 160], atol=1e-5)

    def test_phase_is_the_same_however_often_it_is_handed_on(self) -> None:
        import torch

        from tools.train.voice.source import frame_source

        f0_hz = torch.linspace(80, 400, 2000).unsqueeze(0)
        whole = frame_source(f0_hz, torch.ones_like(f0_hz))[0, 4]
        phase, found = torch.zeros(1), []
        for first in range(0, 2000, 20):
            around = slice(max(0, first - 5), first + 25)
            rows = frame_source(f0_hz[:, around], torch.ones_like(f0_hz[:, around]), min(first, 5), phase)
            found.append(rows[0, 4, min(first, 5) :][:20])
            phase = rows[0, 4, min(first, 5) + 20 :][:1]
        assert torch.equal(torch.cat(found), whole)

    def test_export_runs_in_the_toys_engine(self, tmp_path: Path) -> None:
        import torch

        from tools.train.voice.export import export
        from tools.train.voice.model import Sizes, Voice

        pytest.importorskip("onnx")
        torch.manual_seed(0)
        voice = Voice(Sizes(len(TOKENS)), 3)
        torch.nn.init.constant_(voice.durations.out.bias, 1.8)  # about five frames a symbol
        state = {"averaged": dict(voice.named_parameters()), "voices": ["slt", "rms", "awb"]}
        torch.save(state, tmp_path / "last.pt")
        export(tmp_path / "last.pt", tmp_path / "model")
        streamed, whole = spoken(tmp_path / "model", "Well, is that so?", "low")
        assert len(whole) > 16000 // 4
        assert streamed == pytest.approx(whole, abs=STREAMED)
        assert sum(path.stat().st_size for path in (tmp_path / "model").iterdir()) < 20e6
