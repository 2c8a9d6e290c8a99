"""The account of a turn: its parts add up, and it says when the toy began too early."""

from __future__ import annotations

from epsilon.journal import Journal
from epsilon.messages import News
from epsilon.turn import Mark

SECOND = 16_000


def journal() -> Journal:
    return Journal(lambda frame: frame / SECOND, SECOND)


def one_turn(book: Journal, turn: int = 1, start_s: float = 0.0) -> None:
    mark = Mark(turn, 0)

    def at(time_s: float) -> int:
        return round((start_s + time_s) * SECOND)

    for what, time_s, text, frame in (
        ("speech", 0.1, "", at(0.0)),
        ("end of turn", 1.6, "", at(1.0)),
        ("words", 1.65, "hello there", -1),
        ("prefilled", 1.66, "3", -1),
        ("token", 1.67, "Well, ", -1),
        ("token", 1.68, "hello.", -1),
        ("phrase", 1.7, "Well,", -1),
        ("sound", 1.75, "", -1),
        ("answer", 1.75, "", at(1.8)),
        ("heard", 2.5, "Well, hello.", at(2.5)),
    ):
        book.take(News(mark, what, start_s + time_s, text, at=frame))


def test_the_parts_of_tifu_add_up_to_it() -> None:
    book = journal()
    one_turn(book)
    parts = book.tifu_ms(book.turns[0])
    assert parts["answer_ms"] == parts["first_sound_ms"] == 800.0
    assert parts["dead_air_ms"] == 600.0
    named = ("dead_air_ms", "asr_ms", "prefill_ms", "decode_ms", "tts_ms", "card_ms")
    assert round(sum(parts[name] for name in named), 1) == parts["answer_ms"]


def test_a_turn_is_what_was_said_and_what_was_heard() -> None:
    book = journal()
    one_turn(book)
    record = book.turns[0]
    assert (record.user_text, record.reply_text, record.heard_text) == (
        "hello there",
        "Well, hello.",
        "Well, hello.",
    )
    assert (record.start_at, record.end_at) == (0, SECOND)
    assert not record.cut_in and not record.interrupted and not record.silent


def test_speech_that_goes_on_right_after_the_answer_began_was_cut_into() -> None:
    book = journal()
    one_turn(book)
    book.take(News(Mark(2, 0), "speech", 2.2, at=round(2.1 * SECOND)))
    assert book.turns[0].cut_in


def test_an_interruption_later_on_is_not_a_cut_in() -> None:
    book = journal()
    one_turn(book)
    book.take(News(Mark(2, 0), "speech", 3.0, at=round(2.9 * SECOND)))
    assert not book.turns[0].cut_in


def test_noise_without_words_is_no_turn_and_silence_is_an_answer() -> None:
    book = journal()
    book.take(News(Mark(1, 0), "speech", 0.0, at=0))
    book.take(News(Mark(1, 0), "words", 1.0, ""))
    assert book.turns == []
    book.take(News(Mark(2, 0), "words", 2.0, "hm"))
    book.take(News(Mark(2, 0), "silent", 2.1))
    assert book.turns[0].silent
    assert book.tifu_ms(book.turns[0]) == {}


def test_silences_between_phrases_are_kept_one_by_one() -> None:
    book = journal()
    one_turn(book)
    assert book.turns[0].gaps_ms == []
    for gap_ms in ("30.0", "120.5"):
        book.take(News(Mark(1, 0), "gap", 2.0, gap_ms, at=2 * SECOND))
    assert book.turns[0].gaps_ms == [30.0, 120.5]
