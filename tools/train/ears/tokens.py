"""The recogniser's own BPE vocabulary, in the file format and byte-level style of Whisper's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

PAD, START, END = 0, 1, 2
SPECIALS = ["<|pad|>", "<|startoftranscript|>", "<|endoftext|>"]
LETTERS = " 'abcdefghijklmnopqrstuvwxyz"  # what CTC spells; 0 is its blank
_ALPHABET = list("Ġ'abcdefghijklmnopqrstuvwxyz")


def train(sentences: Iterable[str], size: int) -> Tokenizer:
    """BPE over word counts flattened to the power 0.75, so that rarer words get pieces of their own too."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=SPECIALS, initial_alphabet=_ALPHABET, show_progress=False
    )
    counts = Counter(word for sentence in sentences for word in sentence.split())
    flattened = (word for word, count in counts.items() for _ in range(max(1, round(count**0.75))))
    tokenizer.train_from_iterator(flattened, trainer)
    return tokenizer


def load(path: Path) -> Tokenizer:
    """Reads a tokenizer.json."""
    return Tokenizer.from_file(str(path))


def text(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """Words of a token sequence, without the special ones."""
    return str(tokenizer.decode([i for i in ids if i > END])).strip()


def spelling(sentence: str) -> list[int]:
    """CTC targets: a number for each letter, apostrophe and space."""
    return [1 + LETTERS.index(letter) for letter in sentence]
