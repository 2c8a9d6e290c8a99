"""Makes shards of training speech and the evaluation sets, each from a seed."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.train.speech import shards
from tools.train.speech.casting import Cast
from tools.train.speech.shards import Utterance
from tools.train.speech.voices import RATE_HZ
from tools.train.text.hesitation import hesitate
from tools.train.text.lines import plain
from tools.train.text.sentences import MAX_CHARACTERS, MAX_WORDS, Sentences

SHARD_UTTERANCES = 2000
_LONG_SAMPLES = (5 * RATE_HZ, 9 * RATE_HZ)
Speak = Callable[[str, random.Random], tuple[str, shards.Samples | None]]
HESITANT = 0.12  # of all training utterances
TO_CHARACTERS = 0.12  # are lines that the characters expect
EVALUATION_SEED = 20_000
DEVELOPMENT_SEED = 30_000  # of the sets that are looked at while training, so that the others stay untouched


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
    lines = dict.fromkeys(plain(line) for line in text.splitlines())
    return [line for line in lines if line and not is_reserved(line, sentences)]


def spoken_texts(sentences: Sentences, lines: list[str], rng: random.Random) -> Iterator[str]:
    """Endless: sentences of the templates, and now and then one of `lines`."""
    drawn = training_sentences(sentences, rng)
    while True:
        yield rng.choice(lines) if lines and rng.random() < TO_CHARACTERS else next(drawn)


def evaluation_sentences(sentences: Sentences, rng: random.Random) -> Iterator[str]:
    """Endless: filled-in templates whose filling is never trained on; no strings of random words."""
    while True:
        sentence = sentences.draw(rng, random_words=False)
        short = len(sentence) <= MAX_CHARACTERS and len(sentence.split()) <= MAX_WORDS
        if short and is_reserved(sentence, sentences):
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
        spoken = sentence
        if rng.random() < HESITANT:
            spoken, sentence = hesitate(sentence, rng)
        voice, samples = cast.say(spoken, rng)
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


def make_evaluation_sets(
    sentences: Sentences, count: int, seed: int = EVALUATION_SEED
) -> dict[str, list[Utterance]]:
    """Sets by name, the same for the same count, seed, text and cast; no sentence of them is trained on.

    `seen_voices`: voices trained on; `held_out_voice`: others; `held_out_templates`: sentence shapes not trained on;
    `child_voices`: voices of both kinds shifted up; `hesitations`: fillers and restarts, by voices trained on;
    `long`: several sentences in a row, by voices trained on.
    """
    cast = Cast()
    rng = random.Random(seed)

    def fill(texts: Iterator[str], say: Speak, hesitant: bool = False) -> list[Utterance]:
        found: dict[str, Utterance] = {}
        while len(found) < count:
            text = next(texts)
            spoken, sentence = hesitate(text, rng) if hesitant else (text, text)
            voice, samples = say(spoken, rng)
            if samples is not None and text not in found:
                found[text] = Utterance(sentence, voice, samples)
        return list(found.values())

    def say_much() -> list[Utterance]:
        """Two to four sentences in a row of one voice, 5 … 9 s."""
        found, waiting = list[Utterance](), dict[str, list[Utterance]]()
        texts = evaluation_sentences(sentences, rng)
        while len(found) < count:
            sentence = next(texts)
            voice, samples = cast.say(sentence, rng)
            if samples is None:
                continue
            parts = waiting.setdefault(voice, [])
            parts.append(Utterance(sentence, voice, samples))
            long = shards.joined(parts, [rng.uniform(0.05, 0.4) for _ in parts[1:]])
            if long.samples.size > _LONG_SAMPLES[0] or len(parts) == 4:
                waiting[voice] = []
                if _LONG_SAMPLES[0] < long.samples.size < _LONG_SAMPLES[1]:
                    found.append(long)
        return found

    return {
        "seen_voices": fill(evaluation_sentences(sentences, rng), cast.say),
        "held_out_voice": fill(evaluation_sentences(sentences, rng), cast.say_held_out),
        "held_out_templates": fill(held_out_sentences(sentences, rng), cast.say),
        "child_voices": fill(evaluation_sentences(sentences, rng), cast.say_as_child),
        "hesitations": fill(evaluation_sentences(sentences, rng), cast.say, hesitant=True),
        "long": say_much(),
    }
