"""The text to train on: its size, what people say badly, and the lines of the characters."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from tools.train.ears.tokens import LETTERS
from tools.train.text.hesitation import FILLERS, hesitate
from tools.train.text.lines import lines_to_characters
from tools.train.text.sentences import load

SENTENCES = load()


def test_the_vocabulary_is_broad() -> None:
    assert len(SENTENCES.words) >= 2500
    assert len(SENTENCES.slots["name"]) >= 200
    assert all(set(word) <= set(LETTERS) for word in SENTENCES.words)


def test_every_slot_is_used() -> None:
    text = " ".join(SENTENCES.templates)
    used = {slot for slot in SENTENCES.slots if f"{{{slot}}}" in text or f"{{a_{slot}}}" in text}
    assert used == set(SENTENCES.slots)


def test_an_unknown_slot_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("slots: {animal: [dog]}\ntemplates: ['the {cat}']\n")
    with pytest.raises(ValueError, match="no slot 'cat'"):
        load(tmp_path)


def test_files_of_a_folder_are_one(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("slots: {animal: [dog]}\ntemplates: ['the {animal}']\n")
    (tmp_path / "b.yaml").write_text("slots: {animal: [dog, cat]}\nheld_out: ['a {animal}']\n")
    sentences = load(tmp_path)
    assert sentences.slots == {"animal": ["dog", "cat"]}
    assert (sentences.templates, sentences.held_out) == (["the {animal}"], ["a {animal}"])


def test_fillers_are_spoken_and_restarts_are_written() -> None:
    rng = random.Random(1)
    for _ in range(300):
        spoken, written = hesitate("where did you put the red hat", rng)
        words = spoken.replace(",", "").split()
        assert [word for word in words if word not in FILLERS] == written.split()
        assert words != "where did you put the red hat".split()
        assert set(written.split()) == set("where did you put the red hat".split())


def test_hesitations_are_of_every_kind() -> None:
    rng = random.Random(2)
    pairs = [hesitate("i want a dog", rng) for _ in range(200)]
    assert any(written == "i i want a dog" for _, written in pairs)
    assert any(written == "i want a dog" for _, written in pairs)
    assert any("um" in spoken for spoken, _ in pairs)


def test_lines_to_the_characters_are_plain_words() -> None:
    lines = lines_to_characters()
    assert len(lines) > 1000
    assert len(set(lines)) == len(lines)
    assert all(line and set(line) <= set(LETTERS) for line in lines)
    assert "who is the mole" in lines


def test_sentences_repeat_little() -> None:
    rng = random.Random(3)
    drawn = list(islice(iter(lambda: SENTENCES.draw(rng), ""), 4000))
    assert len(set(drawn)) > 3000
