"""A run over a folder: what is left to do, what came of it, and the files that say so."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from epsilon.audio_files import finished
from epsilon.emulation.conversation import Outcome
from epsilon.emulation.folder.job import Job, Row, Setting, read_row, row_of, to_json
from epsilon.emulation.folder.workers import Result
from epsilon.errors import AudioFileError

SOUNDS = (".wav", ".flac")
ROW, MARK = "row.json", "mark"
Show = Callable[[Row, int, int], None]  # the row, how many are done, how many there are


def jobs_of(folder: Path, out: Path, setting: Setting) -> list[Job]:
    """Every recording in a folder and in those inside it, by name; none of `out`. AudioFileError when there is none."""
    apart = out.resolve()
    if apart == folder.resolve():
        raise AudioFileError(
            "the answers would lie among the recordings", str(out), "--out names another folder"
        )
    sounds = (path for path in folder.rglob("*") if path.suffix.lower() in SOUNDS)
    paths = sorted(path for path in sounds if not path.resolve().is_relative_to(apart))
    if not paths:
        raise AudioFileError("holds no recording", str(folder), "WAV and FLAC are known")
    named: dict[str, Path] = {}
    for path in paths:
        name = str(path.relative_to(folder).with_suffix(""))
        if name in named:
            raise AudioFileError(f"'{path.name}' and '{named[name].name}' have one name", str(path.parent))
        named[name] = path
    return [Job(name, path, out / name, setting) for name, path in named.items()]


class Run:
    """Plays what an interrupted or an earlier run into the same folder has not played alike already."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._setting_mark = jobs[0].setting.mark()
        self._marks = {job.name: self._mark(job) for job in jobs}
        self.rows = {job.name: row for job in jobs if (row := self._done(job)) is not None}

    @property
    def left(self) -> list[Job]:
        """What is still to be played."""
        return [job for job in self._jobs if job.name not in self.rows]

    def take(self, results: Iterable[Result], show: Show) -> list[Row]:
        """Store each result as it comes; all rows in the order of the recordings."""
        for job, result in results:
            row = self._keep(job, result)
            self.rows[job.name] = row
            show(row, len(self.rows), len(self._jobs))
        return [self.rows[job.name] for job in self._jobs if job.name in self.rows]

    def _keep(self, job: Job, result: Outcome | str) -> Row:
        """A recording that failed is tried again next time: it leaves a row and no mark."""
        if isinstance(result, str):
            (job.out / MARK).unlink(missing_ok=True)
            row = Row(job.name, error=result)
        else:
            result.write(job.out)
            row = row_of(job, result.conversation)
        with finished(job.out / ROW) as unfinished:
            unfinished.write_text(to_json(row) + "\n", encoding="utf-8")
        if not row.error:
            with finished(job.out / MARK) as unfinished:
                unfinished.write_text(self._marks[job.name], encoding="utf-8")
        return row

    def _done(self, job: Job) -> Row | None:
        mark, row = job.out / MARK, job.out / ROW
        if not (mark.is_file() and row.is_file()) or mark.read_text() != self._marks[job.name]:
            return None
        try:
            return read_row(row)
        except AudioFileError:
            return None

    def _mark(self, job: Job) -> str:
        """A checksum of the recording, its transcript and what it is played to."""
        digest = hashlib.sha256(self._setting_mark.encode())
        digest.update(job.path.read_bytes())
        digest.update((job.transcript or "").encode())
        return digest.hexdigest()


def read_rows(out: Path) -> list[Row]:
    """The rows of an earlier run, by name. AudioFileError when it left none."""
    rows = [read_row(path) for path in sorted(out.rglob(ROW))]
    if not rows:
        raise AudioFileError("is not the result of a run over a folder", str(out), f"it holds no {ROW}")
    return sorted(rows, key=lambda row: row.name)
