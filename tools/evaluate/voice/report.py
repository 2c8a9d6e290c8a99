"""The one table: a row for each measure, a column for each speaker, and what is wanted of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figures = Mapping[str, Any]

# What it is called, where it lies, how it is written, and what it should be.
ROWS: Sequence[tuple[str, str, str, str]] = (
    ("words understood, %", "understood_percent", ".1f", ""),
    ("its teacher's, %", "teacher_understood_percent", ".1f", ""),
    ("points behind the teacher", "points_behind_teacher", ".1f", "≤ 5"),
    ("F0 error, cents RMS", "f0_rmse_cents", ".0f", ""),
    ("  offset, cents (median)", "f0_offset_cents", "+.0f", "0"),
    ("  frames over 20 % away, %", "f0_gross_percent", ".1f", ""),
    ("  of the tracker itself, cents", "f0_tracker_rmse_cents", ".0f", ""),
    ("F0 correlation", "f0_correlation", ".2f", ""),
    ("voicing differs, % of frames", "voicing_differs_percent", ".1f", ""),
    ("mel-cepstral distortion, dB", "mel_cepstral_distortion_db", ".2f", ""),
    ("phoneme durations: error, ms", "phoneme_error_ms", ".1f", ""),
    ("  in % of the teacher's", "phoneme_error_percent", ".0f", ""),
    ("  phonemes that both say, %", "phonemes_matched_percent", ".0f", ""),
    ("time, % of the teacher's", "time_percent", ".0f", "100"),
    ("question over statement, semitones", "prosody.questions.difference", "+.1f", "≥ +2"),
    ("  of the teacher", "teacher_prosody.questions.difference", "+.1f", ""),
    ("  questions that rise", "prosody.questions.differ", "of", "all"),
    ("statement: ending, semitones", "prosody.questions.plain", "+.1f", "below 0"),
    ("  of the teacher", "teacher_prosody.questions.plain", "+.1f", ""),
    ("question with who, why …: ending", "prosody.wh_questions_end", "+.1f", ""),
    ("before a comma: ending", "prosody.commas", "+.1f", "over the list's"),
    ("list: ending", "prosody.lists_end", "+.1f", "below 0"),
    ("exclamation: range over statement's", "prosody.exclamations.difference", "+.1f", "above 0"),
    ("phrase that goes on: ending", "prosody.going_on.goes_on", "+.1f", "over alone"),
    ("  the same said alone", "prosody.going_on.alone", "+.1f", ""),
    ("clicks where chunks join", "clicks.chunk joins", "of", "0"),
    ("phrases broken off or clicking", "clicks.phrases", "of", "0"),
    ("clipped samples", "clipped_samples", "d", "0"),
    ("loudness, dBFS", "level_db", ".1f", "equal"),
    ("  spread over sentences, dB", "level_spread_db", ".1f", ""),
    ("streamed against whole", "streamed_against_whole", ".0e", "≤ 2e-04"),
    ("real-time factor, one thread", "real_time_factor", ".3f", "≤ 0.10"),
    ("first chunk, ms of CPU (median)", "first_chunk_cpu_ms", ".1f", "≤ 60"),
)


def table(speakers: Mapping[str, Figures]) -> str:
    """All speakers in columns; rows about which none says anything are left out."""
    head = ["", *speakers, "wanted"]
    lines = [head]
    for what, where, form, wanted in ROWS:
        cells = [written(looked_up(figures, where), form) for figures in speakers.values()]
        if any(cell != "-" for cell in cells):
            lines.append([what, *cells, wanted])
    wide = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(_line(line, wide) for line in lines)


def looked_up(figures: Any, where: str) -> Any:
    """What lies at `a.b.c`, None if nothing does."""
    for name in where.split("."):
        if not isinstance(figures, Mapping) or name not in figures:
            return None
        figures = figures[name]
    return figures


def written(value: Any, form: str) -> str:
    """A number by its format; `of` writes two as `3 of 8`; what is unknown is a dash."""
    if value is None or value != value:  # not a number: nothing was there to be measured
        return "-"
    return "{} of {}".format(*value) if form == "of" else format(value, form)


def details(speakers: Mapping[str, Figures]) -> str:
    """What was said and what was heard, where that differs for the speaker."""
    lines = list[str]()
    for name, figures in speakers.items():
        lines.append(f"{name}:")
        for row in figures["sentences"]:
            lines.append(f"  {row['text']}\n    heard: {row['heard']}")
            if "teacher" in row:
                lines.append(f"    its teacher: {row['teacher']}")
    return "\n".join(lines)


def _line(cells: Sequence[str], wide: Sequence[int]) -> str:
    first, *middle, last = cells
    numbers = "  ".join(cell.rjust(width) for cell, width in zip(middle, wide[1:-1], strict=True))
    return f"{first.ljust(wide[0])}  {numbers}  {last}".rstrip()
