"""The mind's training: dialogues from a seed, nothing held out shown, words never merge, graph equals network."""

from __future__ import annotations

import json
import random
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from tools.evaluate.mind.held_out import held_out_texts
from tools.train.mind.generate import Dialogue, make_writer
from tools.train.mind.talk import SILENT
from tools.train.mind.tokens import CUT, END, SPECIAL, TOY, TURN_WEIGHT, Encoder, Meanings, learn, pack

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "models/pocket/mind/tokenizer.json"
WORDS = "what do they eat there clara isn't it zimbabwe crêpes"


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    return list(islice(make_writer(seed=5).dialogues(), 800))


@pytest.fixture(scope="module")
def tokenizer(dialogues: list[Dialogue]) -> Tokenizer:
    if SHIPPED.exists():
        return Tokenizer.from_file(str(SHIPPED))
    return learn([text for d in dialogues for turn in d.turns for text in (turn.user, turn.reply)], 800)


def test_the_same_seed_writes_the_same_dialogues(dialogues: list[Dialogue]) -> None:
    assert list(islice(make_writer(seed=5).dialogues(), 50)) == dialogues[:50]
    assert list(islice(make_writer(seed=6).dialogues(), 50)) != dialogues[:50]


def test_users_say_what_ears_can_write(dialogues: list[Dialogue]) -> None:
    said = {turn.words for dialogue in dialogues for turn in dialogue.turns}
    assert all(
        text == text.lower() and text.split() and not set(text) & set(".,!?;:$<>{}0123456789")
        for text in said
    )


def test_replies_are_short_and_whole_sentences(dialogues: list[Dialogue]) -> None:
    replies = {turn.reply for dialogue in dialogues for turn in dialogue.turns} - {SILENT}
    assert all(reply[0].isupper() and reply[-1] in ".!?" and "$" not in reply for reply in replies)
    assert np.percentile([len(reply.split()) for reply in replies], 99) <= 24


def test_held_out_questions_are_never_shown(dialogues: list[Dialogue]) -> None:
    assert held_out_texts()
    assert not held_out_texts() & {turn.words for dialogue in dialogues for turn in dialogue.turns}


def test_a_held_out_question_is_kept_out_even_when_the_scripts_would_ask_it(
    dialogues: list[Dialogue],
) -> None:
    asked = dialogues[0].turns[0].user
    without = make_writer(seed=5, held_out=frozenset({asked}))
    assert asked not in {turn.user for d in islice(without.dialogues(), 800) for turn in d.turns}


def test_words_one_by_one_are_the_sentence(tokenizer: Tokenizer) -> None:
    one_by_one = [id for word in WORDS.split() for id in tokenizer.encode(" " + word).ids]
    assert tokenizer.encode(WORDS).ids == one_by_one


def test_a_reply_comes_back_as_it_was_and_grows_only_at_its_end(tokenizer: Tokenizer) -> None:
    text = "Oh, hello Clara! In New Zealand they eat lamb. I'm glad."
    ids = tokenizer.encode(text).ids
    parts = [tokenizer.decode(ids[:count]).strip() for count in range(1, len(ids) + 1)]
    assert parts[-1] == text
    assert all(text.startswith(part) for part in parts)


def test_loss_is_on_the_reply(tokenizer: Tokenizer) -> None:
    encoder = Encoder(tokenizer)
    ids, weights = encoder.dialogue(
        "A toy.", [["who are you", "I'm a toy."], ["um", SILENT]], limit=256, rng=random.Random(0)
    )
    spoken = [id for id, weight in zip(ids, weights, strict=True) if weight >= 1]
    assert spoken == [*encoder.text("I'm a toy."), encoder.end, encoder.silent]
    assert len(ids) == len(weights)
    assert tokenizer.token_to_id(END) == SPECIAL.index(END)


def test_it_learns_where_the_users_thought_ends_and_from_replies_that_were_broken_off_nothing(
    tokenizer: Tokenizer,
) -> None:
    encoder = Encoder(tokenizer)
    turns = [["who are you", "I'm a toy with a tail."]] * 400
    ids, weights = encoder.dialogue("A toy.", turns, limit=10_000, rng=random.Random(0))
    assert {weight for id, weight in zip(ids, weights, strict=True) if id == encoder.toy} == {TURN_WEIGHT}
    cut = encoder.text(CUT)[-1]
    places = [at for at, id in enumerate(ids) if id == cut]
    assert 0 < len(places) < 30
    assert all(weights[at] == 0 and ids[at + 1] == encoder.end for at in places)


def test_what_a_turn_means_stands_at_the_toys_mark(tokenizer: Tokenizer, tmp_path: Path) -> None:
    turns = [["who are you", "I'm a toy.", "who_are_you"], ["um", SILENT, SILENT], ["so", "So.", ""]]
    lines = [["what is your name", "", "who_are_you"], ["hello", "", "greet"]]
    text = "\n".join(json.dumps(row) for row in (["odette", "A toy.", turns], ["", "", lines]))
    (tmp_path / "dialogues.jsonl").write_text(text, encoding="utf-8")
    encoder, meanings = Encoder(tokenizer), Meanings(tmp_path / "meanings.json")
    ids, weights, dialogues, meant = pack(tmp_path / "dialogues.jsonl", encoder, 128, meanings)
    marked = ids == encoder.toy
    assert meant[marked].tolist() == [1, 2, 0, 1, 3]
    assert not meant[~marked].any()
    assert dialogues[marked].tolist() == [1, 1, 1, 2, 3]  # each line is for itself
    assert not weights[dialogues >= 2].max() > TURN_WEIGHT  # of which no reply is learnt
    assert Meanings(tmp_path / "meanings.json").numbers == {"who_are_you": 1, SILENT: 2, "greet": 3}


def test_what_was_meant_is_asked_for_again_at_the_first_words_of_a_reply_alone() -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.meaning import echoes

    toy, end, silent = SPECIAL.index(TOY), SPECIAL.index(END), SPECIAL.index(SILENT)
    tokens = torch.tensor([[9, toy, 20, 21, 22, 23, end, 2, toy, silent, 2, toy, 30, end, 2, toy, 40, 41]])
    meanings = torch.tensor([[0, 5, 0, 0, 0, 0, 0, 0, 6, 0, 0, 7, 0, 0, 0, 8, 0, 0]])
    dialogues = torch.tensor([[1] * 16 + [2] * 2])  # the last line has no reply: another dialogue follows
    assert echoes(tokens, dialogues, meanings)[0, :14].tolist() == [0, 0, 5, 5, 5, 5, 0, 0, 0, 0, 0, 0, 7, 0]
    assert not echoes(tokens, dialogues, meanings)[0, 14:].any()


def test_a_block_of_queries_sees_what_the_whole_would() -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.model import attend

    torch.manual_seed(0)
    q, k, v = (torch.randn(2, heads, 12, 8) for heads in (4, 2, 2))
    mask = torch.full((12, 12), -1e9).triu(1)
    whole = attend(q, k, v, mask, 0)
    ends = [attend(q[:, :, a:b], k[:, :, :b], v[:, :, :b], mask, a) for a, b in ((0, 5), (5, 12))]
    assert torch.allclose(torch.cat(ends, 2), whole, atol=1e-6)


def test_the_loss_and_its_gradient_are_those_of_torch() -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.loss import weighted_cross_entropy

    torch.manual_seed(0)
    hidden, table = torch.randn(20, 16, requires_grad=True), torch.randn(50, 16, requires_grad=True)
    targets, weights = torch.randint(50, (20,)), torch.rand(20)
    ours = weighted_cross_entropy(hidden, table, targets, weights)
    found = torch.autograd.grad(ours, (hidden, table))
    each = torch.nn.functional.cross_entropy(hidden @ table.t(), targets, reduction="none")
    wanted = torch.autograd.grad((each * weights).sum() / weights.sum(), (hidden, table))
    assert (
        abs(ours.item() - ((each * weights).sum() / weights.sum()).item()) < 0.02
    )  # bfloat16 where it is fast
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() < 0.02 * other.abs().max()


def test_a_warm_start_is_the_shipped_mind() -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from epsilon.config.models import find_model
    from epsilon.realtime import Seat
    from epsilon.runtimes.onnx import load_decoder
    from tools.train.mind.warm import warm_mind

    mind = warm_mind(SHIPPED.parent).eval()
    decoder = load_decoder(find_model("pocket/mind"), Seat())
    ids = list(range(100, 130))
    with torch.no_grad():
        expected = mind.logits(mind(torch.tensor([ids])))[0, -1].numpy()
    assert np.abs(decoder.run(decoder.new(), ids) - expected).max() < 1e-3


def test_what_was_trained_rounded_is_exported_as_it_was(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.graph import dequantise, quantise
    from tools.train.mind.warm import Rounded, settle, warm_mind

    mind = warm_mind(SHIPPED.parent)
    products = [part for part in mind.modules() if isinstance(part, Rounded)]
    assert products
    with torch.no_grad():
        for part in products:
            part.weight += 0.3 * part.scales.repeat_interleave(32, -1) * torch.randn_like(part.weight)
    for part in products[:2]:
        part.on = False
        part.rescale()
    assert all(part.on for part in products)
    settle(mind)
    for part in products:
        weight = part.weight.detach().numpy()
        np.testing.assert_allclose(dequantise(*quantise(weight, 4), 4), weight, atol=1e-6)


def test_a_dialogue_is_cut_at_a_turn(tokenizer: Tokenizer) -> None:
    encoder = Encoder(tokenizer)
    ids, _ = encoder.dialogue("A toy.", [["hello", "Hello."]] * 40, limit=64, rng=random.Random(0))
    assert len(ids) <= 64
    assert ids[-1] == encoder.end


def test_the_graph_computes_what_the_network_does(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    pytest.importorskip("onnx", reason="onnx comes with the training extras")
    import onnx

    from epsilon.config.models import Model
    from epsilon.realtime import Seat
    from epsilon.runtimes.onnx import load_decoder
    from tools.train.mind.export import weights_of
    from tools.train.mind.graph import Build, build
    from tools.train.mind.model import Mind, Shape

    torch.manual_seed(0)
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    shape = Shape(vocab_size=64, hidden_size=64, intermediate_size=96, num_hidden_layers=2, **heads)
    network = Mind(shape).eval()
    onnx.save(build(shape, weights_of(network), Build(bits=8)), tmp_path / "model.onnx")
    model = Model("mind", tmp_path, "llm", "mistral", "Apache-2.0", "tests", "tests/test_train_mind.py", {})
    decoder = load_decoder(model, Seat())
    ids = list(range(20))
    with torch.no_grad():
        expected = network.logits(network(torch.tensor([ids])))[0, -1].numpy()
    whole = decoder.run(decoder.new(), ids)
    assert np.abs(whole - expected).max() < 0.02  # 8-bit weights
    cache = decoder.new()
    for start, end in ((0, 1), (1, 13), (13, 20)):
        pieces = decoder.run(cache, ids[start:end])
    assert np.abs(pieces - whole).max() < 1e-5


def test_training_learns_and_goes_on_where_it_stopped(tmp_path: Path, dialogues: list[Dialogue]) -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.model import Mind, Shape
    from tools.train.mind.training import Plan, Trainer

    shape = Shape(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    rng = np.random.default_rng(0)
    rows = (
        np.tile(rng.integers(1, 64, 32), (8, 1)).astype(np.uint16),
        np.ones((8, 32), np.float16),
        np.ones((8, 32), np.uint8),
        rng.integers(0, 5, (8, 32)).astype(np.int16),
    )
    trainer = Trainer(Mind(shape), Plan(rows_per_step=4, warm_up_steps=1), rows, rows)
    losses = [trainer.one_step(trainer.chosen()) for _ in range(12)]
    assert losses[-1] < losses[0]
    trainer.save(tmp_path / "checkpoint.pt")
    other = Trainer(Mind(shape), Plan(rows_per_step=4, warm_up_steps=1), rows, rows)
    other.load(tmp_path / "checkpoint.pt")
    assert other.one_step(other.chosen()) == trainer.one_step(trainer.chosen())
    assert torch.equal(other.model.norm.weight, trainer.model.norm.weight)


def test_what_a_turn_means_is_learnt_beside_its_words() -> None:
    torch = pytest.importorskip("torch", reason="torch comes with the training extras")
    from tools.train.mind.model import Mind, Shape
    from tools.train.mind.training import Plan, Trainer, development

    shape = Shape(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
    )
    tokens = np.random.default_rng(0).integers(len(SPECIAL), 64, (8, 32)).astype(np.uint16)
    marks = np.arange(32) % 8 == 0
    ones = np.ones((8, 32))
    rows = (
        tokens,
        ones.astype(np.float16),
        ones.astype(np.uint8),
        (marks * (1 + tokens % 3)).astype(np.int16),
    )
    torch.manual_seed(0)
    trainer = Trainer(Mind(shape), Plan(rows_per_step=8, warm_up_steps=1), rows, rows)
    before = development(trainer.model, trainer.head, rows, 8)
    for _ in range(120):
        trainer.one_step(trainer.chosen())
    after = development(trainer.model, trainer.head, rows, 8)
    assert before["marks"] < 0.5 < 0.85 < after["marks"]
    assert before["words"] < 0.5 < 0.85 < after["words"], "and is still known at the first words of the reply"
