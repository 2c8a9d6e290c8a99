"""What the mind's training text teaches: silence, names, facts asked for again, right sums, no lies about oneself."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from tools.train.mind import games, memory, wording
from tools.train.mind.generate import Dialogue, make_writer
from tools.train.mind.names import made_up
from tools.train.mind.script import heard, load_script
from tools.train.mind.talk import OTHER, PEER, SILENT, Talk, Turn
from tools.train.mind.thesaurus import reworded
from tools.train.mind.tokens import SILENT_WEIGHT, SPECIAL, TURN_WEIGHT, Encoder, learn
from tools.train.mind.world import World, load_world, spell

ROOT = Path(__file__).parent.parent
NUMBERS = {spell(value): value for value in range(100)}
_NUMBER = "|".join(sorted(NUMBERS, key=len, reverse=True))  # "twenty eight" before "twenty"
SUM = re.compile(
    rf"\b({_NUMBER}) (plus|minus|times|from) ({_NUMBER})\b(?! to\b)"
)  # not "one from one to ten"


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    return list(islice(make_writer(seed=12).dialogues(), 3000))


@pytest.fixture(scope="module")
def turns(dialogues: list[Dialogue]) -> list[Turn]:
    return [turn for dialogue in dialogues for turn in dialogue.turns]


@pytest.fixture(scope="module")
def world() -> World:
    return load_world()


@pytest.fixture
def talk(world: World) -> Talk:
    return Talk(random.Random(4), world, load_script(ROOT / "characters/odette"), frozenset())


@pytest.fixture(scope="module")
def encoder(turns: list[Turn]) -> Encoder:
    return Encoder(learn([text for turn in turns[:2000] for text in (turn.words, turn.reply)], 800))


def test_about_one_turn_in_eleven_is_silent(turns: list[Turn]) -> None:
    silent = [turn for turn in turns if turn.reply == SILENT]
    assert 0.07 < len(silent) / len(turns) < 0.11
    marked = [turn for turn in silent if turn.user.startswith(OTHER)]
    assert 0.2 < len(marked) / len(silent) < 0.45


def test_what_is_overheard_never_calls_the_toy(dialogues: list[Dialogue]) -> None:
    overheard = [(d.character, turn.words) for d in dialogues for turn in d.turns if turn.reply == SILENT]
    assert not [said for name, said in overheard if said.startswith((name, f"hey {name}"))]


def test_hardly_anything_is_both_answered_and_passed_over(turns: list[Turn]) -> None:
    answered = {turn.user for turn in turns if turn.reply != SILENT}
    both = [turn for turn in turns if turn.reply == SILENT and turn.user in answered]
    assert len(both) < 0.001 * len(turns)


def test_dialogues_have_one_to_twenty_turns_and_many_are_long(dialogues: list[Dialogue]) -> None:
    lengths = [len(dialogue.turns) for dialogue in dialogues]
    assert min(lengths) == 1
    assert sum(length >= 8 for length in lengths) > 0.4 * len(lengths)


def test_every_intent_has_enough_wordings_and_replies(world: World) -> None:
    assert all(len(world.phrasings[intent]) >= 10 for intent in world.plain)
    assert sum(map(len, world.phrasings.values())) > 6000
    assert sum(map(len, world.overheard.values())) >= 250
    for name in ("odette", "bram"):
        replies = load_script(ROOT / "characters" / name).replies
        assert set(world.plain) <= set(replies)


def results(words: str) -> Iterator[int]:
    """What the sums in these words come to."""
    for first, sign, second in SUM.findall(words):
        a, b = NUMBERS[first], NUMBERS[second]
        yield {"plus": a + b, "minus": a - b, "times": a * b, "from": b - a}[sign]


def test_every_sum_is_right(dialogues: list[Dialogue]) -> None:
    scripts = {name: load_script(ROOT / "characters" / name) for name in ("odette", "bram")}
    checked = 0
    for dialogue in dialogues:
        written = {
            reply for scene in scripts[dialogue.character].scenes for _, said in scene for reply in said
        }
        for turn in dialogue.turns:
            apart = turn.reply in written or turn.label.startswith("next=")  # "forward by one from nineteen"
            for result in () if apart else results(turn.words):
                checked += turn.reply != SILENT
                assert turn.reply == SILENT or spell(result) in turn.reply.lower(), turn
    assert checked > 300


def test_a_name_that_was_told_is_the_name_that_is_said(talk: Talk) -> None:
    for _ in range(50):
        memory.tell_name(talk)
        memory.recall_name(talk)
        assert talk.memory["name"] in talk.turns[-1].reply.lower()


def test_a_corrected_name_counts(talk: Talk) -> None:
    memory.tell_name(talk)
    memory.correct_name(talk)
    assert talk.memory["name"] in talk.turns[-1].words


def test_what_was_never_told_is_not_known(talk: Talk) -> None:
    memory.recall_name(talk)
    asked = talk.script.replies["name_unknown"]
    assert talk.turns[-1].reply in asked


def test_what_is_held_out_is_not_taken_for_told(world: World) -> None:
    told = world.phrasings | {"tell_name": ["i am $name"]}
    everything = World(world.facts, world.words, world.opposites, told, [], {})
    talk = Talk(random.Random(1), everything, load_script(ROOT / "characters/bram"), frozenset())
    talk.held_out = frozenset(f"i am {name}" for name in [talk.someone() for _ in range(2000)])
    for _ in range(200):
        talk.turns.clear()
        talk.memory.clear()
        drawn = {"name": talk.someone()}
        assert talk.say("tell_name", drawn, "name_given") == bool(talk.turns)


def test_made_up_names_are_many_and_can_be_spoken() -> None:
    rng = random.Random(2)
    drawn = [made_up(rng) for _ in range(5000)]
    assert len(set(drawn)) > 4000
    assert all(name.isascii() and name.islower() and 2 <= len(name) <= 16 for name in drawn)


def test_a_false_claim_never_says_what_is_true(dialogues: list[Dialogue]) -> None:
    claims = ("i bet you are", "admit it you're", "you must be a")
    truths = {"odette": "swan", "bram": "badger"}
    said = [(d.character, t.words) for d in dialogues for t in d.turns if t.words.startswith(claims)]
    assert said
    assert not [words for character, words in said if words.endswith(truths[character])]


@pytest.mark.parametrize(
    ("asked", "indirectly"),
    [
        ("where do you live", "where you live"),
        ("what's your name", "what your name is"),
        ("how old are you", "how old you are"),
        ("can you swim", "if you can swim"),
    ],
)
def test_a_question_in_other_words(asked: str, indirectly: str) -> None:
    assert wording.indirect(asked, random.Random(0)).endswith(indirectly)


def test_other_words_keep_slots_and_articles_and_the_longest_key_wins() -> None:
    others = {"big": ["enormous"], "do you like": ["are you fond of"], "like": ["love"]}
    assert reworded("do you like a big $animal", others, random.Random(1)) in {
        "are you fond of a big $animal",
        "do you like an enormous $animal",
        "are you fond of an enormous $animal",
    }
    assert reworded("what does big mean", others, random.Random(0)) == "what does big mean"
    assert reworded("hello there", others, random.Random(0)) == "hello there"


def test_who_begins_again_says_nothing_twice_that_counts() -> None:
    said = {wording.restarted("i want to have two plums", {"two"}, random.Random(seed)) for seed in range(60)}
    assert len(said) > 20
    assert all(line.endswith("i want to have two plums") and line.split().count("two") == 1 for line in said)
    assert wording.restarted("two plums", {"two"}, random.Random(0)) == "two plums"


def test_single_lines_say_what_they_mean_and_have_no_reply() -> None:
    writer = make_writer(seed=3)
    lines = [line for _ in range(50) for line in writer.lines()]
    assert all(line.label and not line.reply for line in lines)


def test_what_happens_in_a_told_sum_comes_to_its_answer(talk: Talk) -> None:
    for _ in range(300):
        games.told_sum(talk)
    for turn in talk.turns:
        numbers = [NUMBERS[word] for word in turn.words.split() if word in NUMBERS and word != "one"]
        result = int(turn.label.removeprefix("sum="))
        assert spell(result) in turn.reply.lower()
        if len(numbers) == 2:
            assert result in (sum(numbers), abs(numbers[0] - numbers[1])), turn


def test_words_that_are_no_question_stay() -> None:
    assert wording.indirect("i like soup", random.Random(0)) == "i like soup"


def test_a_mark_holds_for_every_way_to_say_a_line() -> None:
    assert heard("<other> where are my keys / have you seen my keys") == [
        "<other> where are my keys",
        "<other> have you seen my keys",
    ]
    assert heard("hello / hi") == ["hello", "hi"]


def test_a_written_line_of_another_keeps_its_mark_and_its_silence(talk: Talk) -> None:
    talk.world = replace(talk.world, others={})
    talk.ask("<other> have you seen my keys $name", ["<silent>"], {"name": "tom"})
    assert talk.turns[-1].user.startswith("<other> ")
    assert talk.turns[-1].words.endswith("have you seen my keys tom")
    assert talk.turns[-1].reply == SILENT


def test_marks_take_the_place_of_the_users(encoder: Encoder) -> None:
    tokenizer: Tokenizer = encoder.tokenizer
    assert [tokenizer.token_to_id(mark) for mark in SPECIAL] == list(range(8))
    words = encoder.text("hello bram")
    assert encoder.said(f"{OTHER} hello bram") == [SPECIAL.index(OTHER), *words]
    assert encoder.said(f"{PEER} hello bram") == [SPECIAL.index(PEER), *words]
    assert encoder.said("hello bram") == [encoder.user, *words]


def test_silence_weighs_more_than_one_word(encoder: Encoder) -> None:
    ids, weights = encoder.dialogue(
        "A toy.", [[f"{OTHER} mum where are you", SILENT]], limit=384, rng=random.Random(0)
    )
    assert ids[-2:] == [encoder.toy, encoder.silent]
    assert weights[-2:] == [TURN_WEIGHT, SILENT_WEIGHT]


def test_nearly_every_dialogue_fits_into_a_row(dialogues: list[Dialogue], encoder: Encoder) -> None:
    lengths = []
    for dialogue in dialogues[:600]:
        turns = [[turn.user, turn.reply] for turn in dialogue.turns]
        lengths.append(len(encoder.dialogue(dialogue.persona, turns, 10_000, random.Random(0))[0]))
    assert sum(length > 480 for length in lengths) < 0.05 * len(
        lengths
    )  # 800 pieces: longer than the mind's 2,048
