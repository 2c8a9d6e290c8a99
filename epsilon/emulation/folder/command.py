"""`epsilon emulate FOLDER`: plays what is in it, shows a row as each is done, and says what got worse."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from epsilon.config.board import load_board
from epsilon.config.character import load_character
from epsilon.config.ears import with_ears
from epsilon.config.whole import check_pair
from epsilon.emulation.folder import tables
from epsilon.emulation.folder.against import compare
from epsilon.emulation.folder.job import Job, Row, Setting
from epsilon.emulation.folder.run import Run, jobs_of, read_rows
from epsilon.emulation.folder.workers import Result, here, on_ray
from epsilon.errors import AudioFileError

OUT = Path("out")
WORSE = 1  # the exit code when a recording could not be played or something got worse


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    folder: Path
    setting: Setting
    out: Path | None
    jobs: int | None
    against: Path | None
    ray: str | None


def run(wish: Wish, say: Callable[[str], None], show: Callable[[str], None]) -> int:
    """Plays everything that is left; the exit code. `say` is given the results, `show` how far it is."""
    board = with_ears(load_board(wish.setting.board), wish.setting.ears)
    check_pair(board, load_character(wish.setting.character))
    out = wish.out or OUT / wish.folder.resolve().name
    if out.exists() and not out.is_dir():
        raise AudioFileError("is no folder", str(out), "--out names the folder that the results go to")
    earlier = read_rows(wish.against) if wish.against else None
    jobs = jobs_of(wish.folder, out, wish.setting)
    whole = Run(jobs)
    if whole.rows:
        show(f"{len(whole.rows)} of {len(jobs)} are played already, in {out}")
    width = max(len(job.name) for job in jobs)

    def tell(row: Row, done: int, of: int) -> None:
        show(f"{done:>{len(str(of))}}/{of}  {tables.line(row, width)}")

    rows = whole.take(_results(wish, whole.left), tell)
    compared = compare(earlier, rows) if earlier else None
    tables.write(out, rows, compared)
    _say_all(say, rows, tables.comparison_lines(compared) if compared else iter(()))
    show(f"{tables.TEXT}, {tables.CSV}, {tables.JUNIT} and a folder for each recording are in {out}")
    failed = any(row.error for row in rows) or (compared is not None and compared.got_worse)
    return WORSE if failed else 0


def _results(wish: Wish, jobs: Sequence[Job]) -> Iterator[Result]:
    if not jobs:
        return iter(())
    if wish.ray is not None:
        return on_ray(jobs, wish.ray)
    return here(jobs, wish.jobs or os.cpu_count() or 1)


def _say_all(say: Callable[[str], None], rows: Sequence[Row], more: Iterator[str]) -> None:
    for text in (*tables.lines(rows), *more):
        say(text)
