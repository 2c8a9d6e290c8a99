"""The mind's vocabulary: byte-level pieces learned on the dialogues, in which no piece crosses a space.

Each word is encoded with the space before it, punctuation on its own. So the tokens of a sentence are the
tokens of its words one after the other, and the runtime may prefill a word the moment it has been heard.
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from tools.train.mind.talk import OTHER, PEER, SILENT

PAD, START, USER, TOY, END = "<pad>", "<s>", "<user>", "<toy>", "<end>"
SPECIAL = (PAD, START, USER, TOY, END, SILENT, OTHER, PEER)
USER_WEIGHT = 0.1
# That the toy's mark follows: the user's thought is finished. The end of a turn is found by it.
TURN_WEIGHT = 0.3
CUT = "-"  # stands at the end of a reply that was interrupted: chat.yaml has it as `cut`
CUT_SHARE = 0.02
# Silence is one token where an answer is ten, so that it would weigh a tenth of an answer's decision to be said.
SILENT_WEIGHT = 2.0
CAPITAL = "^"
MEANINGS = 8192  # how many labels there may be, 0 being none


def blank() -> Tokenizer:
    """The rules without the pieces: one space before every word, words and punctuation apart.

    A capital at a word's start is a mark and the small letter (`Clara` is `^` and ` clara`), so that a name heard
    in small letters is repeated with the same pieces.
    """
    tokenizer = Tokenizer(models.BPE())
    tidy = [
        normalizers.NFC(),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
        normalizers.Prepend(" "),
    ]
    lower = [normalizers.Replace(f" {letter.upper()}", f"{CAPITAL} {letter}") for letter in ascii_lowercase]
    tokenizer.normalizer = normalizers.Sequence(tidy + lower)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"[.,!?;:^]"), "isolated"),
            pre_tokenizers.Split(" ", "merged_with_next"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    upper = [decoders.Replace(f"{CAPITAL} {letter}", f" {letter.upper()}") for letter in ascii_lowercase]
    # A mark without its word yet is dropped: what is decoded so far is always the beginning of the whole.
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), *upper, decoders.Replace(CAPITAL, "")])
    return tokenizer


def learn(texts: Iterable[str], size: int) -> Tokenizer:
    """A vocabulary of `size` pieces from the texts of the dialogues."""
    tokenizer = blank()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


class Encoder:
    """Dialogues to token ids and loss weights; each text is encoded once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        marks: list[int] = [tokenizer.token_to_id(token) or 0 for token in SPECIAL[1:]]
        self.start, self.user, self.toy, self.end, self.silent, self.other, self.peer = marks
        self._speakers = {OTHER: self.other, PEER: self.peer}
        self._seen: dict[str, list[int]] = {}

    def text(self, text: str) -> list[int]:
        if text not in self._seen:
            self._seen[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self._seen[text]

    def said(self, user: str) -> list[int]:
        """What was said to the toy, after the mark of whoever said it."""
        mark, _, words = user.partition(" ")
        if mark in self._speakers:
            return [self._speakers[mark], *self.text(words)]
        return [self.user, *self.text(user)]

    def dialogue(
        self, persona: str, turns: list[list[str]], limit: int, rng: random.Random
    ) -> tuple[list[int], list[float]]:
        """Ids and the weight of predicting each; whole turns only, at most `limit` ids.

        Now and then a reply is broken off, as by a user who interrupts: what comes after it is learnt, it is not.
        Nothing stands behind the toy's mark where there is no reply to learn.
        """
        ids = [self.start, *self.text(persona)]
        weights = [0.0] * len(ids)
        for user, reply, *_ in turns:
            asked = self.said(user)
            silent = reply == SILENT
            broken = not silent and rng.random() < CUT_SHARE
            said = [self.silent] if silent else [*self._spoken(reply, broken, rng), self.end] if reply else []
            if len(ids) + len(asked) + 1 + len(said) > limit:
                break
            ids += [*asked, self.toy, *said]
            weights += [0.0] + [USER_WEIGHT] * (len(asked) - 1) + [TURN_WEIGHT]
            weights += [SILENT_WEIGHT] if silent else [0.0 if broken else 1.0] * len(said)
        return ids, weights

    def _spoken(self, reply: str, broken: bool, rng: random.Random) -> list[int]:
        if not broken:
            return self.text(reply)
        words = reply.split()
        heard = " ".join(words[: rng.randint(1, min(6, len(words)))])
        return [*self.text(heard), *self.text(CUT)[-1:]]


class Meanings:
    """The labels of the turns (`talk.Turn.label`) as numbers from 1 on, in a file to which later text adds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        names = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        self.numbers: dict[str, int] = {name: at for at, name in enumerate(names, 1)}

    def number(self, label: str) -> int:
        """0 for no label, and for one too many."""
        if not label or (label not in self.numbers and len(self.numbers) + 1 == MEANINGS):
            return 0
        return self.numbers.setdefault(label, len(self.numbers) + 1)

    def store(self) -> None:
        self.path.write_text(json.dumps(list(self.numbers), ensure_ascii=False) + "\n", encoding="utf-8")


class Row:
    """Dialogues end to end, with the number of the dialogue and of the meaning at each place."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.weights: list[float] = []
        self.dialogues: list[int] = []
        self.meanings: list[int] = []

    def add(self, ids: list[int], weights: list[float], meanings: list[int]) -> None:
        number = self.dialogues[-1] + 1 if self.dialogues else 1
        self.dialogues += [number] * len(ids)
        self.ids += ids
        self.weights += weights
        self.meanings += meanings


def pack(path: Path, encoder: Encoder, length: int, meanings: Meanings) -> tuple[np.ndarray, ...]:
    """Dialogues in rows of `length`: ids (uint16), weights (float16), numbers of dialogues (uint8), meanings (int16).

    A dialogue never straddles two rows; the last row's rest is padding of weight 0. What a turn means stands at the
    toy's mark behind the user's words, 0 everywhere else.
    """
    rng = random.Random(1)
    rows: list[Row] = []
    open_rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        _, persona, turns = json.loads(line)
        for part in [turns] if persona else [[turn] for turn in turns]:
            ids, weights = encoder.dialogue(persona, part, length, rng)
            row = next((row for row in open_rows if len(row.ids) + len(ids) <= length), None)
            if row is None:
                row = Row()
                open_rows.append(row)
            row.add(ids, weights, _meant(ids, part, encoder.toy, meanings))
            if len(open_rows) > 32:
                rows.append(open_rows.pop(0))
    meanings.store()
    return _arrays(rows + open_rows, length)


def _meant(ids: list[int], turns: list[list[str]], mark: int, meanings: Meanings) -> list[int]:
    """The number of what each turn means at its mark; of the turns that fit."""
    labels = (turn[2] if len(turn) > 2 else "" for turn in turns)
    return [meanings.number(next(labels)) if id == mark else 0 for id in ids]


def _arrays(rows: list[Row], length: int) -> tuple[np.ndarray, ...]:
    shape = (len(rows), length)
    kinds = (np.uint16, np.float16, np.uint8, np.int16)
    filled = tuple(np.zeros(shape, kind) for kind in kinds)
    for at, row in enumerate(rows):
        parts: tuple[list[Any], ...] = (row.ids, row.weights, row.dialogues, row.meanings)
        for array, values in zip(filled, parts, strict=True):
            array[at, : len(values)] = values
    return filled
