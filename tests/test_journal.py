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


def test_of_an_answer_that_was_prepared_for_nothing_only_the_waste_is_kept() -> None:
    book = journal()
    mark = Mark(1, 0)
    for what, text in (("speech", ""), ("token", "Well?"), ("phrase", "Well?")):
        book.take(News(mark, what, 1.0, text, at=0))
    book.take(News(Mark(1, 1), "goes on", 1.5, "400", at=SECOND))
    book.take(News(mark, "discarded", 1.5, "tokens=3"))
    book.take(News(mark, "discarded", 1.5, "samples=8000"))
    record = book.record(1)
    assert (record.reply_text, record.pauses_ms) == ("", [400.0])
    assert (record.wasted_tokens, record.wasted_ms) == (3, 500.0)


def test_what_was_ready_before_the_end_of_the_turn_cost_no_time() -> None:
    book = journal()
    for what, time_s, frame in (
        ("speech", 0.1, 0),
        ("prefilled", 1.12, -1),
        ("phrase", 1.14, -1),
        ("sound", 1.16, -1),
        ("end of turn", 1.3, SECOND),
        ("words", 1.31, -1),
        ("answer", 1.31, round(1.35 * SECOND)),
    ):
        book.take(News(Mark(1, 0), what, time_s, "3" if what == "prefilled" else "yes", at=frame))
    parts = book.tifu_ms(book.turns[0])
    assert (parts["dead_air_ms"], parts["asr_ms"], parts["card_ms"]) == (300.0, 10.0, 40.0)
    assert parts["prefill_ms"] == parts["decode_ms"] == parts["tts_ms"] == 0
