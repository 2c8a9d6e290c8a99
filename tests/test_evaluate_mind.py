"""The mind's evaluation: what counts as right, how it is counted, and the interface of lm-evaluation-harness."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from tests.models import tiny
from tools.evaluate.mind import contradictions, finished, memory, questions, repetition, silence
from tools.evaluate.mind.__main__ import PARTS, main, part
from tools.evaluate.mind.chatter import CHARACTERS, Cast, load_mind
from tools.evaluate.mind.contradictions import Probe, Probed, facts_of, script
from tools.evaluate.mind.figures import Row, sample, share, shown, table
from tools.evaluate.mind.harness import Harness, rolling
from tools.evaluate.mind.held_out import held_out_texts
from tools.evaluate.mind.log_probability import figures as read_figures
from tools.evaluate.mind.log_probability import speaker_and_words
from tools.evaluate.mind.scoring import Scored, area_under_curve, log_softmax, score, sequence
from tools.evaluate.mind.silence import Judged

FOLDER = Path("tools/evaluate/mind")
CLAIMED = "you told me earlier that you are a penguin"


def read(name: str) -> Any:
    """One of the evaluation's own files."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mind(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny model of random weights."""
    folder = tmp_path_factory.mktemp("mind")
    tiny.mind(folder)
    return load_mind(str(folder), "onnx")


@pytest.fixture
def cast(mind: Any) -> Cast:
    """The tiny model as characters of few words: a letter is a token for it."""
    cast = Cast(mind)
    cast.characters = {name: replace(one, persona="hi") for name, one in cast.characters.items()}
    return cast


# What is asked


def test_everything_that_is_judged_is_held_out() -> None:
    held_out = held_out_texts()
    table = read("questions.yaml")
    assert {row["turns"][-1] for row in table["first_thirty"] + table["more"]} <= held_out
    assert {"off the sofa you muddy hound", "sing me that song about the rain"} <= held_out
    assert {"which dishes do they cook over there", "so what age am i", CLAIMED} <= held_out
    assert "do you like rain" not in held_out  # only said between


def test_texts_are_as_the_ears_write_them() -> None:
    allowed = set("abcdefghijklmnopqrstuvwxyz' ")
    assert [text for text in held_out_texts() if set(text) - allowed or "  " in text] == []


def test_there_is_enough_of_everything() -> None:
    table, lines = read("questions.yaml"), read("silence.yaml")
    rows = table["first_thirty"] + table["more"]
    assert (len(table["first_thirty"]), len(table["more"])) == (30, 70)
    assert [sum(row["character"] == name for row in rows) for name in CHARACTERS] == [50, 50]
    assert {row["kind"] for row in table["more"]} == {"phrasing", "topic"}
    assert sum(len(part["asides"]) for part in lines["overheard"].values()) >= 60
    assert sum(len(part["addressed"]) for part in lines["spoken to"].values()) >= 60
    assert len(read("memory.yaml")["name"]["outside"]) >= 20


# What counts as right


def test_a_reply_is_to_the_point_from_the_start_of_a_word() -> None:
    assert questions.to_the_point("Giraffes! What a neck.", "giraffe|neck")
    assert not questions.to_the_point("I would rather nap.", "giraffe|neck")
    assert questions.to_the_point("It's ten.", "ten\\b") and not questions.to_the_point("Often.", "ten\\b")


def test_a_shrug_is_not_to_the_point_unless_it_may_be() -> None:
    shrug, evasions = "I don't know! Under the bed?", read("questions.yaml")["evades"]
    assert questions.evades(shrug, {"kind": "topic"}, evasions)
    assert not questions.evades(shrug, {"kind": "topic", "may_evade": True}, evasions)
    assert not questions.evades("Under the bed?", {"kind": "topic"}, evasions)


def test_a_dish_may_be_named_by_what_comes_first_in_it() -> None:
    dishes = ["noodles and rice", "dumplings"]
    assert memory.names_dish("They eat noodles there.", dishes)
    assert memory.names_dish("Dumplings! And tea.", dishes)
    assert not memory.names_dish("Rice pudding, I hope.", dishes)


@pytest.mark.parametrize(
    ("name", "fact", "reply", "contradicted"),
    [
        ("odette", "species", "A swan, through and through!", False),
        ("odette", "species", "I'm an old badger.", True),
        ("bram", "species", "Hm. A swan, of course!", True),
        ("odette", "species", "No, no! I'm a penguin? Never.", False),
        ("odette", "name", "I'm Bram.", True),
        ("odette", "colour", "Brown. It doesn't shout.", True),
        ("odette", "colour", "Yellow! Never grey.", False),
        ("odette", "colour", "Oh, I love the moon!", False),
        ("bram", "food", "Pancakes, of course!", True),
        ("bram", "home", "A blue boat on the pond.", True),
        ("bram", "age", "I'm four!", True),
        ("bram", "age", "Older than this carpet.", False),
        ("bram", "age", "Hm, three. Like my spoons.", True),
        ("odette", "age", "Four! Or so.", False),
        ("bram", "friend", "Pim the snail.", True),
    ],
)
def test_another_value_than_the_characters_own_contradicts_it(
    name: str, fact: str, reply: str, contradicted: bool
) -> None:
    assert facts_of(read("contradictions.yaml"), name).contradicts(fact, reply) is contradicted


@pytest.mark.parametrize(
    ("reply", "agreed"),
    [
        ("Oh yes! I knew it.", True),
        ("Hee hee, no! I'm a swan called Odette.", False),
        ("I'm a penguin, hooray!", True),
        ("Penguins are cousins in nice coats!", False),
        ("", False),
    ],
)
def test_a_false_claim_should_not_be_agreed_to(reply: str, agreed: bool) -> None:
    said = read("contradictions.yaml")
    affirms = next(row["affirms"] for row in said["odette"]["claims"] if row["asked"] == [CLAIMED])
    assert facts_of(said, "odette").agrees(affirms, reply) is agreed


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_conversation_of_forty_turns_asks_for_each_fact_three_times_in_other_words(name: str) -> None:
    turns = script(read("contradictions.yaml"), name, seed=1)
    probes = [turn for turn in turns if isinstance(turn, Probe)]
    assert len(turns) == contradictions.TURNS
    facts = {probe.fact for probe in probes} - {""}
    for fact in facts:
        assert len({probe.asked for probe in probes if probe.fact == fact}) == contradictions.ROUNDS
    assert len(probes) == contradictions.ROUNDS * len(facts) + contradictions.CLAIMS
    assert turns != script(read("contradictions.yaml"), name, seed=2)


# How it is counted


def test_shares_keep_their_counts() -> None:
    assert share([True, False, True, True]) == {"share": 0.75, "hits": 3, "of": 4}
    assert shown(share([True, False])) == "50 % (1 of 2)"
    assert shown(share([])) == "- (0 of 0)"
    assert sample(range(9), quick=True) == [0, 4, 8]


def test_balanced_accuracy_is_the_mean_of_both_rates() -> None:
    plain = [Judged("sport", "goal", True, False, reply) for reply in ("", "", "", "Oh!")]
    plain += [Judged("questions", "hello", False, True, reply) for reply in ("Hi!", "")]
    found = silence.figures(plain, marked=[Judged("sport", "goal", True, False, "")])
    assert found["balanced"] == pytest.approx((0.75 + 0.5) / 2)
    assert found["overheard_silent"]["hits"] == 3 and found["addressed_answered"]["hits"] == 1
    assert found["marked_other_silent"] == {"share": 1.0, "hits": 1, "of": 1}
    assert len(found["wrong"]) == 2


def test_contradictions_are_counted_per_probe_and_fact() -> None:
    rows = [Probed("bram", 0, "age", "age", "I'm four!", stated=False, contradicted=True)]
    rows += [Probed("bram", 0, "age", "age", "Old.", stated=True, contradicted=False)] * 3
    rows += [Probed("odette", 0, "false claim", "penguin", "No!", stated=False, contradicted=False)]
    found = contradictions.figures(rows)
    assert found["contradicted"] == {"share": 0.2, "hits": 1, "of": 5}
    assert found["fact_stated"]["of"] == 4
    assert found["by_fact"]["age"]["hits"] == 1


def test_repetition_counts_repeats_within_a_conversation_and_words_over_all() -> None:
    talks = [["Oh, rain.", "Oh, rain.", "Soup."], ["Oh, rain.", "No"]]
    found = repetition.figures(talks, [reply for talk in talks for reply in talk])
    assert found["repeated_verbatim"] == {"share": pytest.approx(1 / 3), "hits": 1, "of": 3}
    assert (found["replies"], found["different_replies"]) == (5, 3)
    assert found["distinct_1"] == pytest.approx(4 / 8)
    assert found["distinct_2"] == pytest.approx(1 / 3)
    assert found["ends_as_a_sentence"]["hits"] == 4
    assert found["seconds"]["median"] == pytest.approx(2 / 2.6)


def test_the_gibberish_alarm_compares_every_line_with_every_shuffled_one() -> None:
    assert area_under_curve([-1.0, -2.0], [-3.0, -4.0]) == 1
    assert area_under_curve([-1.0, -3.0], [-2.0, -3.0]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    found = read_figures([[Scored(-1.0, True), Scored(-3.0, False)]], [-1.0], [-2.0])
    assert (found["nats_per_token"], found["tokens"], found["alarm_auc"]) == (2.0, 2, 1)
    assert found["surprising_replies"]["hits"] == 1


def test_a_line_of_a_dialogue_may_name_its_speaker() -> None:
    assert speaker_and_words("<other> where are my keys") == ("other", ["where", "are", "my", "keys"])
    assert speaker_and_words("hello") == ("user", ["hello"])


def test_memory_is_asked_for_in_held_out_words_and_in_plain_ones() -> None:
    said = read("memory.yaml")
    plain = {said[kind]["plain"] for kind in ("name", "country")}
    assert not plain & held_out_texts()
    counted = share([True])
    found = {key: {"6": counted} for key in ("name_listed", "name_unlisted")}
    dishes = {"all": counted, "asked at once": counted, "one turn between": counted}
    whole = found | {"name_plain": {"listed": counted, "unlisted": counted}, "facts": counted}
    rows = list(memory.rows(whole | {"dishes": dishes, "dishes_plain": dishes}))
    assert ("names of the world's list, after 6 other turns", "100 % (1 of 1)", ">= 95 %") in rows


def test_the_table_is_in_columns() -> None:
    assert table([Row("a", "83 % (5 of 6)", ">= 95 %")]).splitlines()[1] == "a     83 % (5 of 6)  >= 95 %"


# The whole, on random weights


def test_what_a_part_finds_is_json_and_fits_the_table(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "sample", lambda items, quick: items[:2])
    found = questions.measure(cast, quick=True)
    assert found["all"]["of"] == 2 and len(found["answers"]) == 2
    assert json.loads(json.dumps(found)) == found
    assert next(questions.rows(found)).value == shown(found["all"])
    assert len(list(questions.details(found))) == 4


def test_finished_thoughts_are_told_from_their_beginnings(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finished, "sample", lambda items, quick: [item[:2] for item in items[:3]])
    found = finished.measure(cast, quick=True)
    assert 0 <= found["auc"] <= 1
    assert json.loads(json.dumps(found)) == found
    assert len(list(finished.details(found))) == 2 * 3 * len(CHARACTERS)
    lines = {
        kind: [{"probability": p} for p in (a, b)]
        for kind, a, b in (("finished", 0.9, 0.3), ("unfinished", 0.1, 0.5))
    }
    assert finished.figures(lines)["auc"] == 0.75
    table = read("finished.yaml")
    assert len(table["finished"]) == len(table["unfinished"]) and set(table["finished"]) <= held_out_texts()


def test_every_part_measures_and_reports() -> None:
    for name in PARTS:
        assert all(callable(getattr(part(name), function)) for function in ("measure", "rows", "details"))


def test_the_same_seed_gives_the_same_conversation(cast: Cast) -> None:
    talks = [[chatter.answer(text) for text in ("hey", "a b")] for chatter in three_conversations(cast)]
    assert talks[0] == talks[1]
    assert [chatter.prompt for chatter in cast.chatters[:2]] == [cast.chatters[0].prompt] * 2


def three_conversations(cast: Cast) -> list[Any]:
    """Two from the same seed, one from another."""
    return [cast.begin("odette", seed) for seed in (1, 1, 2)]


def test_a_missing_model_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pocket/mint"]) == 2
    assert "did you mean pocket/mind?" in capsys.readouterr().err
    assert main(["pocket/mind", "--runtime", "onyx"]) == 2
    assert "did you mean onnx?" in capsys.readouterr().err
    assert main(["--json", "nowhere/found.json"]) == 2
    assert "nowhere: there is no such folder" in capsys.readouterr().err


# The interface of lm-evaluation-harness


def request(*args: object) -> SimpleNamespace:
    """What the harness hands over: an object with `args`."""
    return SimpleNamespace(args=args)


@pytest.fixture(scope="module")
def harness(mind: Any) -> Harness:
    """The tiny model behind the interface."""
    return Harness(mind, tiny.tokenizer())


def one_by_one(mind: Any, ids: list[int], scored: int) -> float:
    """The log-probability of the last `scored` ids, each from a sequence of its own prefilled in one go."""
    total = 0.0
    for place in range(len(ids) - scored, len(ids)):
        logits = mind.logits(sequence(mind, ids[:place])).astype(np.float64)
        total += logits[ids[place]] - math.log(np.exp(logits).sum())
    return total


def test_a_continuation_has_the_log_probability_of_its_softmax(mind: Any, harness: Harness) -> None:
    context, continuation = tiny.tokenizer().encode(" a bc").ids, tiny.tokenizer().encode(" d ef").ids
    expected = one_by_one(mind, [harness.first, *context, *continuation], len(continuation))
    for text, behind in ((" a bc", " d ef"), (" a bc ", "d ef")):  # the space belongs to the word behind it
        ((found, greedy),) = harness.loglikelihood([request(text, behind)])
        assert found == pytest.approx(expected, abs=1e-3)
        assert greedy is False


def test_the_likeliest_continuation_is_called_greedy(mind: Any, harness: Harness) -> None:
    (text,) = harness.generate_until([request(" a b", {"until": [], "max_gen_toks": 3})])
    ids = tiny.tokenizer().encode(" a b").ids
    if tiny.tokenizer().encode(" a b" + text).ids[: len(ids)] == ids and text:
        ((_, greedy),) = harness.loglikelihood([request(" a b", text)])
        assert greedy is True


def test_a_whole_text_is_scored_behind_the_first_mark_and_in_windows(mind: Any, harness: Harness) -> None:
    text = " ab" * 20
    ids = tiny.tokenizer().encode(text).ids
    (found,) = harness.loglikelihood_rolling([request(text)])
    assert found == pytest.approx(one_by_one(mind, [harness.first, *ids], len(ids)), abs=1e-2)
    (long,) = harness.loglikelihood_rolling([request(" ab" * 60)])  # longer than the model holds
    assert long < found


def test_windows_score_every_id_once_with_all_the_context_that_fits() -> None:
    windows = list(rolling([0], list(range(1, 11)), limit=4))
    assert windows == [([0], [1, 2, 3, 4]), ([4], [5, 6, 7, 8]), ([6, 7, 8], [9, 10])]
    assert list(rolling([9, 8, 7, 6, 5], [1, 2], limit=4)) == [([7, 6, 5], [1, 2])]


def test_generation_stops_at_a_given_text(harness: Harness) -> None:
    wishes: dict[str, Any] = {"until": [], "max_gen_toks": 8}
    (whole,) = harness.generate_until([request(" a b c", wishes)])
    if len(whole) > 2:
        (cut,) = harness.generate_until([request(" a b c", {**wishes, "until": [whole[2]]})])
        assert cut == whole[: whole.index(whole[2])]


def test_logits_become_log_probabilities(mind: Any) -> None:
    chances = log_softmax(np.array([0.0, math.log(3)], np.float32))
    assert np.exp(chances) == pytest.approx([0.25, 0.75])
    scored = score(mind, sequence(mind, [1]), [10, 11])
    assert scored[1].logprob == pytest.approx(one_by_one(mind, [1, 10, 11], 1), abs=1e-4)
