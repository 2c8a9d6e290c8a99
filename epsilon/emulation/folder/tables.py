"""What a run over a folder leaves for people (a table), for spreadsheets (CSV) and for build servers (JUnit XML)."""

from __future__ import annotations

import csv
import io
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from epsilon.audio_files import finished
from epsilon.emulation.folder.against import Comparison
from epsilon.emulation.folder.job import COLUMNS, Row, pooled_wer

NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot say
CSV, JUNIT, TEXT = "table.csv", "junit.xml", "table.txt"


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The table, a row a recording and one for all."""
    width = max(len(row.name) for row in rows)
    yield f"{'recording':<{width}}  turns   WER %  TIFU ms  cut-ins  lost"
    for row in rows:
        yield line(row, width)
    good = [row for row in rows if not row.error]
    times = [row.tifu_ms for row in good if row.tifu_ms is not None]
    yield (
        f"{f'{len(good)} of {len(rows)}':<{width}}  {sum(row.turns for row in good):5}  {_shown(pooled_wer(rows))}"
        f"  {_shown(statistics.median(times) if times else None, 7)}  {sum(row.cut_ins for row in good):7}"
        f"  {sum(row.lost for row in good):4}"
    )


def line(row: Row, width: int) -> str:
    """One recording's row."""
    if row.error:
        return f"{row.name:<{width}}  {row.error}"
    return (
        f"{row.name:<{width}}  {row.turns:5}  {_shown(row.wer)}  {_shown(row.tifu_ms, 7)}"
        f"  {row.cut_ins:7}  {row.lost:4}"
    )


def comparison_lines(found: Comparison) -> Iterator[str]:
    """What changed, means first."""
    yield "against the earlier run, means over the recordings of both:"
    for change in found.changes:
        verdict = "WORSE" if change.worse else "better" if change.better else "within noise"
        yield (
            f"  {change.measure.name:<8} {change.before:8.4g} → {change.now:8.4g} {change.measure.unit:<2}  {verdict}"
        )
    for name, texts in found.worse.items():
        yield f"  {name}: {', '.join(texts)}"
    for names, which in ((found.only_before, "the earlier"), (found.only_now, "this")):
        if names:
            yield f"  only in {which} run: {', '.join(names)}"


def write(out: Path, rows: Sequence[Row], compared: Comparison | None) -> None:
    """The three files, each whole or not at all."""
    text = "\n".join([*lines(rows), *(comparison_lines(compared) if compared else ())]) + "\n"
    for name, content in ((TEXT, text), (CSV, _csv(rows)), (JUNIT, _junit(rows, compared))):
        with finished(out / name) as unfinished:
            unfinished.write_text(content, encoding="utf-8")


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        cells = [getattr(row, name) for name in COLUMNS]
        writer.writerow([" | ".join(cell) if isinstance(cell, tuple) else cell for cell in cells])
    return text.getvalue()


def _junit(rows: Sequence[Row], compared: Comparison | None) -> str:
    """A test case a recording: an error where it could not be played, a failure where it got worse."""
    worse = compared.worse if compared else {}
    errors = sum(bool(row.error) for row in rows)
    failures = sum(row.name in worse and not row.error for row in rows)
    counts = {"tests": str(len(rows)), "errors": str(errors), "failures": str(failures)}
    suite = ElementTree.Element("testsuite", {"name": "epsilon emulate", **counts})
    for row in rows:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "recordings", "name": row.name})
        if row.error:
            ElementTree.SubElement(case, "error", {"message": row.error})
        elif row.name in worse:
            ElementTree.SubElement(case, "failure", {"message": "; ".join(worse[row.name])})
        ElementTree.SubElement(case, "system-out").text = "\n".join([row.heard, *row.replies])
    for element in suite.iter():
        element.text = element.text and NO_XML.sub("�", element.text)
        element.attrib = {name: NO_XML.sub("�", value) for name, value in element.attrib.items()}
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _shown(number: float | None, width: int = 6) -> str:
    return f"{'-':>{width}}" if number is None else f"{number:{width}.1f}"
