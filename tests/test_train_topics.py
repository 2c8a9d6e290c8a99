"""The language model of the topics: probabilities that sum to one, mixed, pruned, and read back by pocketsphinx."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pocketsphinx import Config, LogMath, NGramModel

from tools.train.topics.english import English
from tools.train.topics.mixture import Mixture
from tools.train.topics.ngrams import END, START, KneserNey
from tools.train.topics.pronunciation import Dictionary, write

SAID = [
    "i like cats",
    "i like dogs",
    "do you like cats",
    "the cats like me",
    "i like the dogs",
    "do i like you",
]
WORDS = {word for line in SAID for word in line.split()}
EVERYDAY = English({"the": 0.4, "house": 0.4, END: 0.2}, {"the": {"house": 0.9}}, {"the": 0.1 / 0.6})
HISTORIES = [(), ("i",), ("like",), (START,), ("i", "like"), (START, "i"), ("the", "cats"), ("cats", "do")]


@pytest.fixture(scope="module")
def mixture() -> Mixture:
    return Mixture(KneserNey(SAID, WORDS), EVERYDAY, 0.6, WORDS | set(EVERYDAY.words), 1e-4)


@pytest.mark.parametrize("history", HISTORIES)
def test_probabilities_after_a_history_sum_to_one(mixture: Mixture, history: tuple[str, ...]) -> None:
    model = KneserNey(SAID, WORDS)
    assert math.fsum(model.probability(word, history) for word in WORDS | {END}) == pytest.approx(1)
    total = math.fsum(mixture.probability(word, history) for word in mixture.tables[0][()])
    assert total == pytest.approx(1, abs=1e-6)


def test_what_was_said_is_likelier() -> None:
    model = KneserNey(SAID, WORDS)
    assert model.probability("like", ("i",)) > model.probability("cats", ("i",)) > 0
    assert model.probability("house", ("i",)) == 0


def test_pruning_leaves_n_grams_out() -> None:
    few = Mixture(KneserNey(SAID, WORDS), EVERYDAY, 0.6, WORDS | set(EVERYDAY.words), 0.02)
    all_ = Mixture(KneserNey(SAID, WORDS), EVERYDAY, 0.6, WORDS | set(EVERYDAY.words), 0.0)
    assert sum(map(len, few.tables[1].values())) < sum(map(len, all_.tables[1].values()))


def test_pocketsphinx_reads_the_same_probabilities(mixture: Mixture, tmp_path: Path) -> None:
    mixture.write(tmp_path / "words.arpa")
    log = LogMath()
    read = NGramModel(Config(), log, str(tmp_path / "words.arpa"))
    for history in (("i",), ("the",), ("do", "you")):
        for word in ("like", "house", "cats", END):
            found = log.log_to_log10(read.prob([word, *reversed(history)]))
            assert found == pytest.approx(math.log10(mixture.probability(word, history)), abs=0.01)


def test_words_the_dictionary_lacks_get_a_pronunciation(tmp_path: Path) -> None:
    dictionary = Dictionary()
    assert dictionary.variants("hamster's") == [f"{dictionary.entries['hamster'][0]} Z"]
    write(tmp_path / "words.dict", {"a", "cat", "snoodle"}, dictionary)
    lines = (tmp_path / "words.dict").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["a", "a(2)", "cat", "snoodle"]
    assert lines[3].split()[1:3] == ["S", "N"] and not any(sign.isdigit() for sign in lines[3])
