"""How the voice learns: phases, adversary, warm start, and the watch over half precision; only where torch is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from epsilon.config.models import Model
from epsilon.engines.protocols import Delivery
from epsilon.engines.tts import styletts2
from epsilon.engines.tts.phonemes import convert
from epsilon.engines.tts.symbols import TOKENS
from epsilon.errors import ModelError
from epsilon.realtime import Seat
from epsilon.runtimes import onnx
from tools.train.voice.corpus import HOP_SAMPLES, Corpus
from tools.train.voice.plan import Phase, Plan

torch = pytest.importorskip("torch", reason="torch is not installed (pip install -e .[train])")
pytest.importorskip("onnx")

if TYPE_CHECKING:
    from tools.train.voice.model import Voice

ALLOWED = 65504 / 4
VOICES = ("slt", "rms", "awb")
torch.set_num_threads(1)  # steps are small: a second thread would mostly wait
TEXTS = ("Good morning, little bear!", "Is it far?", "We walked, and we sang.")


def small_corpus(seed: int) -> Corpus:
    """RANDOM sound and filters for real symbols: enough for a step, nothing to learn from."""
    rng = np.random.default_rng(seed)
    spelt = [[TOKENS.index(symbol) for symbol in convert(text)] for text in TEXTS]
    durations = [np.full(len(ids), 6) for ids in spelt]
    frames = sum(int(d.sum()) for d in durations)
    return Corpus(
        tokens=np.concatenate(spelt).astype(np.int16),
        durations=np.concatenate(durations).astype(np.int16),
        token_ends=np.cumsum([len(ids) for ids in spelt]),
        f0_hz=rng.uniform(100, 140, frames).astype(np.float32),
        voiced=np.ones(frames, dtype=np.bool_),
        pulse=rng.normal(0, 0.1, (frames, 40)).astype(np.float16),
        noise=rng.normal(0, 0.1, (frames, 40)).astype(np.float16),
        frame_ends=np.cumsum([int(d.sum()) for d in durations]),
        samples=rng.integers(-3000, 3000, frames * HOP_SAMPLES).astype(np.int16),
        stretch=np.ones(len(TEXTS), dtype=np.float32),
        pitch=np.ones(len(TEXTS), dtype=np.float32),
    )


def random_voice() -> Voice:
    """Full size, RANDOM weights; speaks about five frames a symbol."""
    from tools.train.voice.model import Sizes, Voice

    torch.manual_seed(0)
    voice = Voice(Sizes(len(TOKENS)), len(VOICES))
    for parameter in voice.parameters():
        parameter.data.add_(0.01 * torch.randn(parameter.shape))  # no two are alike, as after training
    torch.nn.init.constant_(voice.durations.out.bias, 1.8)
    return voice


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a RANDOM voice, exported."""
    from tools.train.voice.export import export

    folder = tmp_path_factory.mktemp("voice")
    state = {"averaged": dict(random_voice().named_parameters()), "voices": list(VOICES)}
    torch.save(state, folder / "last.pt")
    export(folder / "last.pt", folder / "model")
    return folder / "model"


def engine(folder: Path) -> styletts2.StyleTts2:
    """The toy's engine on a folder."""
    return styletts2.load(Model("x", folder, "tts", "styletts2", "", "", "", {}), onnx, Seat())


class TestPlan:
    """What is compared when."""

    def test_phases_follow_one_another(self) -> None:
        plan = Plan(minutes=10, sound_from=0.5, adversary_from=0.8)
        phases = [plan.phase(60 * minute) for minute in (0, 4.9, 5.1, 8.1, 12)]
        assert phases == [Phase.PARAMETERS] * 2 + [Phase.SOUND] + [Phase.ADVERSARY] * 2

    def test_the_rate_rises_then_falls(self) -> None:
        plan = Plan(minutes=10)
        assert plan.rate(0, 0) < plan.rate(0, 500) == pytest.approx(plan.peak_rate)
        assert plan.rate(300, 500) > plan.rate(600, 500) > 0


class TestWarmStart:
    """An exported voice is trained on."""

    def test_it_sounds_as_it_did(self, model: Path) -> None:
        from tools.train.voice.export import match_levels
        from tools.train.voice.warm import warm_voice

        warm = warm_voice(model, VOICES).eval()
        match_levels(warm)
        symbols, plainly = convert("The same again?"), Delivery(warm.styles.weight[1].detach().numpy())
        before = onnx.load(model / "model.onnx", Seat())(engine(model).feeds(symbols, plainly))["audio"]
        ids = torch.tensor([[TOKENS.index(symbol) for symbol in symbols]])
        with torch.no_grad():
            after, _ = warm(ids, warm.styles.weight[1:2], torch.ones(1), torch.zeros(1))
        # apart from the level, which was matched with weights that were not halved yet
        one, other = (sound / np.sqrt(np.mean(sound**2)) for sound in (before.reshape(-1), after.numpy()))
        assert other == pytest.approx(one, abs=2e-2)

    def test_another_teacher_is_refused_by_name(self, model: Path) -> None:
        from tools.train.voice.warm import warm_voice

        with pytest.raises(ModelError, match=r"no style was taught by 'slr'.*slt"):
            warm_voice(model, ["slr"])


class TestPitch:
    """`pitch` moves F0 by semitones, in what the pulses follow and in what the decoder reads."""

    def test_an_octave_doubles_f0(self) -> None:
        from tools.train.voice.model import Stretch

        voice = random_voice().eval()
        ids = torch.tensor([[TOKENS.index(symbol) for symbol in convert("Hello there.")]])
        with torch.no_grad():
            style = voice.styles.weight[:1]
            durations, text = voice.read(ids, style, torch.ones(1))
            whole = Stretch(torch.tensor(0), durations.sum(), durations.sum())
            (own, own_hz, _), (higher, higher_hz, _) = (
                voice.sing(durations, text, style, torch.full((1,), pitch), whole) for pitch in (0.0, 12.0)
            )
        assert torch.allclose(2 * own_hz, higher_hz, rtol=1e-4)
        f0 = -3  # the row of the frames that holds F0, before energy and voicing
        moved = higher[:, f0] - own[:, f0]
        assert torch.allclose(moved, torch.full_like(moved, np.log(2) / 0.35), atol=1e-4)

    def test_the_toy_feeds_it(self, model: Path) -> None:
        toy, symbols = engine(model), convert("Hello there.")
        plain, higher = (
            np.concatenate([c.samples for c in toy.speak(symbols, Delivery(toy.styles["low"], pitch=pitch))])
            for pitch in (0.0, 4.0)
        )
        assert len(plain) == len(higher) and np.abs(plain - higher).max() > 0.01


class TestLargest:
    """Values near the end of what fp16 holds end a run."""

    def test_a_sound_voice_passes(self) -> None:
        from tools.train.voice.largest import check

        voice = random_voice().eval()
        assert 0 < check(voice, list(voice.styles.weight), VOICES, TEXTS[1:2]).value < ALLOWED

    def test_a_large_weight_is_found_and_named(self) -> None:
        from tools.train.voice.largest import TooLarge, check

        voice = random_voice().eval()
        with torch.no_grad():
            voice.get_parameter("durations.blocks.0.mix.bias").fill_(40_000.0)
            voice.durations.out.weight.fill_(0.0)
        with pytest.raises(TooLarge, match=r"of durations\.blocks\.\d.* reaches \d{5,} in the voice '\w{3}'"):
            check(voice, list(voice.styles.weight), VOICES, TEXTS[1:2])

    def test_the_command_fails_and_writes_nothing(self, tmp_path: Path) -> None:
        voice = random_voice()
        with torch.no_grad():
            voice.get_parameter("melody.blocks.0.mix.bias").fill_(40_000.0)
        torch.save({"averaged": dict(voice.named_parameters()), "voices": list(VOICES)}, tmp_path / "last.pt")
        command = [sys.executable, "-m", "tools.train.voice.export", str(tmp_path / "model")]
        ended = subprocess.run(
            [*command, "--checkpoint", str(tmp_path / "last.pt")], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1].startswith("error: ") and "fp16" in ended.stderr
        assert not (tmp_path / "model").exists()


class TestTraining:
    """One short run through all phases, on RANDOM sound."""

    def test_a_run_logs_its_phases_and_can_be_resumed(self, tmp_path: Path) -> None:
        from tools.train.voice.batches import Batches
        from tools.train.voice.train import Trainer

        corpora = [[small_corpus(seed)] for seed in range(len(VOICES))]
        batches = Batches(corpora, frames=320, seed=1, held_out=1)
        plan = Plan(minutes=0.02, sound_from=0.0, adversary_from=0.0, crops_judged=2, frames_judged=20)
        trainer = Trainer(plan, batches, VOICES, tmp_path)
        trainer.run()
        assert trainer.step > 0
        rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
        assert {row["check"] for row in rows if "check" in row} == set(VOICES)
        assert all(row["largest"] > 0 for row in rows if "largest" in row)
        again = Trainer(plan, batches, VOICES, tmp_path)
        again.resume()
        assert again.step == trainer.step and again.plan.share(again.clock.elapsed_s) == 1.0
        for name, weight in trainer.voice.state_dict().items():
            assert torch.equal(weight, again.voice.state_dict()[name])

    def test_a_checkpoint_of_other_voices_is_refused(self, tmp_path: Path) -> None:
        from tools.train.voice.batches import Batches
        from tools.train.voice.train import Trainer

        batches = Batches([[small_corpus(0)]], frames=320, seed=1, held_out=1)
        Trainer(Plan(minutes=0), batches, ["slt"], tmp_path).save()
        with pytest.raises(ModelError, match="is of the voices"):
            Trainer(Plan(minutes=0), batches, ["rms"], tmp_path).resume()


class TestBatches:
    """What a step sees."""

    def test_steps_on_tunes_see_questions_and_lists_whole(self) -> None:
        from tools.train.voice.batches import Batches

        batches = Batches([[small_corpus(0)]], frames=320, seed=1, held_out=1)
        tunes = batches.of_tunes()
        for _ in range(4):
            tokens = next(tunes).tokens
            assert [TOKENS[i] for i in tokens[0] if i] == convert("Is it far?")[1:-1]

    def test_a_louder_piece_is_heard_and_read_as_louder(self) -> None:
        from tools.train.voice.batches import collate
        from tools.train.voice.pieces import read, whole

        piece = whole(read(small_corpus(0), 0), 0)
        plain, louder = collate([piece], [0.0]), collate([piece], [0.5])
        assert torch.allclose(louder.samples, plain.samples * np.exp(0.5))
        assert torch.allclose(louder.pulse[..., 0], plain.pulse[..., 0] + 0.5 * plain.mask)
        assert torch.equal(louder.energy_target, plain.energy_target)
        assert not torch.equal(louder.energy, plain.energy)


class TestAdversary:
    """The discriminators."""

    def test_they_learn_to_tell_noise_from_a_tone(self) -> None:
        from tools.train.voice.adversary import Adversary

        torch.manual_seed(0)
        noise = 0.1 * torch.randn(2, 3200)
        tone = torch.sin(torch.arange(3200) * 0.2).expand(2, -1) * 0.1
        adversary = Adversary()
        losses = [float(adversary.learn(noise, tone)) for _ in range(15)]
        assert losses[-1] < 0.7 * losses[0]
        told, apart = adversary.criticise(noise, tone)
        told_tone, apart_tone = adversary.criticise(tone, tone)
        assert told > told_tone and apart > apart_tone == 0

    def test_the_voice_gets_a_direction_and_the_judges_do_not(self) -> None:
        from tools.train.voice.adversary import Adversary

        torch.manual_seed(0)
        ours, theirs = torch.randn(2, 3200, requires_grad=True), torch.randn(2, 3200)
        adversary = Adversary()
        sum(adversary.criticise(ours, theirs), torch.zeros(())).backward()
        assert ours.grad is not None and ours.grad.abs().max() > 0
        assert all(p.grad is None for p in adversary.judges.parameters())
