"""Makes shards of training speech and the evaluation sets, each from a seed."""

from __future__ import annotations

import random
import re
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.train.speech import shards
from tools.train.speech.casting import Cast
from tools.train.speech.shards import Utterance
from tools.train.text.sentences import MAX_CHARACTERS, MAX_WORDS, Sentences

SHARD_UTTERANCES = 2000
EVALUATION_SEED = 20_000


def is_reserved(sentence: str, sentences: Sentences) -> bool:
    """One in fifty sentences of four words and more is for evaluation, unless it is itself a template."""
    if len(sentence.split()) < 4 or sentence in sentences.templates:
        return False
    return zlib.crc32(sentence.encode()) % 50 == 0


def training_sentences(sentences: Sentences, rng: random.Random) -> Iterator[str]:
    """Endless; common short sentences come again, each time for another voice."""
    while True:
        sentence = sentences.draw(rng)
        short = len(sentence) <= MAX_CHARACTERS and len(sentence.split()) <= MAX_WORDS
        if short and not is_reserved(sentence, sentences):
            yield sentence


def plain_lines(text: str, sentences: Sentences) -> list[str]:
    """The lines of a text in lower case, letters and apostrophes only, without those kept for evaluation."""
    lines = [" ".join(re.sub(r"[^a-z' ]", " ", line.lower()).split()) for line in text.splitlines()]
    return [line for line in dict.fromkeys(lines) if line and not is_reserved(line, sentences)]


def evaluation_sentences(sentences: Sentences, rng: random.Random) -> Iterator[str]:
    """Endless: filled-in templates whose filling is never trained on; no strings of random words."""
    while True:
        sentence = sentences.draw(rng, random_words=False)
        if len(sentence.split()) <= MAX_WORDS and is_reserved(sentence, sentences):
            yield sentence


def held_out_sentences(sentences: Sentences, rng: random.Random) -> Iterator[str]:
    """Endless, from templates that are never trained on."""
    while True:
        yield sentences.draw_held_out(rng)


def make_training_shards(
    texts: Iterator[str], folder: Path, name: str, seconds: float, seed: int, limit: int = 10**9
) -> int:
    """Speaks until the time, the texts or `limit` run out; returns the number of utterances."""
    cast, rng, end = Cast(), random.Random(seed), time.monotonic() + seconds
    done, batch = 0, list[Utterance]()
    for sentence in texts:
        voice, samples = cast.say(sentence, rng)
        if samples is not None:
            batch.append(Utterance(sentence, voice, samples))
        over = time.monotonic() > end or done + len(batch) >= limit
        if len(batch) >= SHARD_UTTERANCES or over:
            shards.write(folder / f"{name}-{done:06}", batch)
            done, batch = done + len(batch), []
        if over:
            return done
    shards.write(folder / f"{name}-{done:06}", batch)
    return done + len(batch)


def make_evaluation_sets(sentences: Sentences, count: int) -> dict[str, list[Utterance]]:
    """`seen_voices`, `held_out_voice` and `held_out_templates`, the same for the same count and text."""
    cast = Cast()
    rng = random.Random(EVALUATION_SEED)

    def fill(texts: Iterator[str], say: Callable[..., tuple[str, shards.Samples | None]]) -> list[Utterance]:
        found: dict[str, Utterance] = {}
        while len(found) < count:
            sentence = next(texts)
            voice, samples = say(sentence, rng)
            if samples is not None and sentence not in found:
                found[sentence] = Utterance(sentence, voice, samples)
        return list(found.values())

    return {
        "seen_voices": fill(evaluation_sentences(sentences, rng), cast.say),
        "held_out_voice": fill(evaluation_sentences(sentences, rng), cast.say_held_out),
        "held_out_templates": fill(held_out_sentences(sentences, rng), cast.say),
    }
