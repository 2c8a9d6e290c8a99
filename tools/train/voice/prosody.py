"""The melody that is taught where the teacher is flat: rules that bend its F0 and loudness for the student.

flite reads questions and exclamations like statements. What is bent follows the description of English tunes by
Pierrehumbert ("The phonology and phonetics of English intonation", 1980) and Pierrehumbert and Hirschberg ("The
meaning of intonational contours in the interpretation of discourse", 1990): the tune of a clause is decided at its
last stressed syllable, the nucleus, and after it.

- a question that is answered by yes or no is low at its nucleus and rises to the end (L* H- H%);
- a statement falls, and a question with a question word falls like one (H* L- L%);
- what a comma closes ends in a small rise, because more follows (L- H%), in lists a larger one; the last item falls;
- an exclamation falls from higher up, swings wider and is louder (Ladd, "Intonational Phonology", 2008, on range);
- a phrase that is cut off in mid-sentence stays level. Its sentence goes on in the next phrase.

How far, in semitones, is in the range that 't Hart, Collier and Cohen found for standard movements ("A perceptual
study of intonation", 1990): 3 to 8.

Rules look at symbols only, as the student does, so that it can learn them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from epsilon.engines.tts.symbols import PAD, PUNCTUATION, SPACE

Floats = NDArray[np.float32]

SEMITONE = float(np.log(2) / 12)  # in log Hz
QUESTION_FROM, QUESTION_TO = -2.0 * SEMITONE, 7.0 * SEMITONE  # about the middle of the phrase
FALL_TO = -4.5 * SEMITONE
ITEM_TO, COMMA_TO, BRIEF_TO = 3.0 * SEMITONE, 1.5 * SEMITONE, 0.5 * SEMITONE
CUT_TO = 0.5 * SEMITONE
CRY_SWING, CRY_HIGHER, CRY_PEAK, CRY_TO = 0.8, 2.0 * SEMITONE, 5.0 * SEMITONE, -5.5 * SEMITONE
LIVELY = 0.15  # the standard deviation of log F0 that a teacher should have
WIDEST_SWING = 2.0
CRY_LOUDER = 0.3  # log amplitude: 2.6 dB
_ENDS = (".", "?", "!")
_NUCLEUS_FRAMES = range(22, 70)  # the movement takes at least and at most so long, of 10 ms
_CUT_FRAMES = 30
_BLEND_FRAMES = 6
_QUESTION_WORDS = frozenset(
    tuple((word + end).split())
    for word in ("W AH T", "HH UW", "W EH R", "W EH N", "W AY", "HH AW", "W IH CH", "HH UW M")
    for end in ("", " S", " Z")  # what's, where's
)


@dataclass(frozen=True)
class Clause:
    """Symbols from one mark to the next; `mark` is "" where a phrase is cut off before its closing pad."""

    first: int  # symbol
    last: int  # the symbol after its last sound, where the mark stands
    mark: str
    place: int  # in its sentence
    of: int  # clauses of its sentence


def clauses(symbols: Sequence[str]) -> list[Clause]:
    """The clauses of a phrase, sentence after sentence."""
    found: list[Clause] = []
    for sentence in _sentences(symbols):
        for place, (first, last) in enumerate(sentence):
            mark = symbols[last] if symbols[last] in PUNCTUATION else ""
            found.append(Clause(first, last, mark, place, len(sentence)))
    return found


def falling(symbols: Sequence[str]) -> list[str]:
    """The symbols with a full stop in place of the mark of each question that a question word opens.

    Such a question falls like a statement; the toy's text side spells it so too, so that the mark alone says what the
    tune is.
    """
    spelt = list(symbols)
    for sentence in _sentences(symbols):
        last = sentence[-1][1]
        if symbols[last] == "?" and any(_has_question_word(symbols[a:b]) for a, b in sentence):
            spelt[last] = "."
    return spelt


def _sentences(symbols: Sequence[str]) -> Iterator[list[tuple[int, int]]]:
    sentence: list[tuple[int, int]] = []
    first = 1
    for place, symbol in enumerate(symbols):
        if place and (symbol in PUNCTUATION or symbol == PAD):
            if place > first:
                sentence.append((first, place))
            first = place + 1
        if sentence and (symbol in _ENDS or (place and symbol == PAD)):
            yield sentence
            sentence = []


def _has_question_word(symbols: Sequence[str]) -> bool:
    """Among the first two words: "what …", "and where …"."""
    words: list[list[str]] = [[]]
    for symbol in symbols:
        if symbol == SPACE:
            words.append([])
        else:
            words[-1].append(symbol.rstrip("01"))
    return any(tuple(word) in _QUESTION_WORDS for word in words[:2])


def swing_of(log_f0: Floats) -> float:
    """By how much the movements of a teacher are to be widened, from its log F0 where it is voiced."""
    return float(np.clip(LIVELY / max(float(np.std(log_f0)), 1e-3), 1.0, WIDEST_SWING))


def bend(
    symbols: Sequence[str],
    durations: NDArray[np.int64],
    log_f0: Floats,
    voiced: NDArray[np.bool_],
    swing: float = 1.0,
) -> tuple[Floats, Floats]:
    """Log F0 [frames] as it should be, and what is to be added to the log amplitude [frames].

    `durations` are the frames of each symbol, `log_f0` the teacher's, bridged over unvoiced frames; all its movements
    are made `swing` times as large.
    """
    ends = np.cumsum(durations)
    bent, louder = log_f0.copy(), np.zeros_like(log_f0)
    if not voiced.any():
        return bent, louder
    middle = float(np.median(log_f0[voiced]))
    bent += (swing - 1) * (bent - middle)
    for clause in clauses(symbols):
        span = slice(int(ends[clause.first - 1]), int(ends[clause.last - 1]))
        sounding = np.flatnonzero(voiced[span])
        if not len(sounding):
            continue
        end, after = span.start + int(sounding[-1]) + 1, int(ends[clause.last])
        if clause.mark == "!":
            bent[span.start : after] += CRY_SWING * (bent[span.start : after] - middle) + CRY_HIGHER
            louder[span.start : after] = CRY_LOUDER
        _move(bent, clause, _nucleus(symbols, ends, clause, end, span.start), end, middle)
        bent[end:after] = bent[end - 1]  # the pause after it keeps the height
    return bent, louder


def _nucleus(symbols: Sequence[str], ends: NDArray[np.int64], clause: Clause, end: int, start: int) -> int:
    """The frame at which the last stressed vowel begins, kept within what a movement takes."""
    stressed = [i for i in range(clause.first, clause.last) if symbols[i].endswith("1")]
    at = int(ends[stressed[-1] - 1]) if stressed else start
    return max(start, min(max(at, end - _NUCLEUS_FRAMES.stop), end - _NUCLEUS_FRAMES.start))


def _move(f0: Floats, clause: Clause, nucleus: int, end: int, middle: float) -> None:
    """Bend one clause from its nucleus on."""
    own = float(f0[nucleus])
    if clause.mark == "?":
        _line(f0, nucleus, end, middle + QUESTION_FROM, middle + QUESTION_TO, power=1.3)
    elif clause.mark == "!":
        _line(f0, nucleus, end, own + CRY_PEAK, middle + CRY_TO, power=1.3)
    elif clause.mark == ".":
        _line(f0, nucleus, end, own, min(own, middle + FALL_TO), power=0.8)
    elif clause.mark == ",":
        goal = ITEM_TO if clause.of > 2 else COMMA_TO
        brief = end - nucleus <= _NUCLEUS_FRAMES.start and clause.of < 3
        _line(f0, nucleus, end, min(own, middle), middle + (BRIEF_TO if brief else goal), power=1.5)
    elif not clause.mark:
        start = max(nucleus, end - _CUT_FRAMES)
        _line(f0, start, end, float(f0[start]), max(float(f0[end - 1]), middle + CUT_TO), power=1.0)


def _line(f0: Floats, start: int, end: int, first: float, last: float, power: float) -> None:
    """A movement in place of the teacher's own, blended in where it begins."""
    along = np.linspace(0.0, 1.0, end - start, dtype=np.float32)
    line = first + (last - first) * along**power
    weight = np.minimum(1.0, np.arange(1, end - start + 1, dtype=np.float32) / _BLEND_FRAMES)
    f0[start:end] += weight * (line - f0[start:end])
