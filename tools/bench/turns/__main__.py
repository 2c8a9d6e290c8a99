"""How soon the toy answers and how often it cuts in: python -m tools.bench.turns [--count 300] [--folder RECORDINGS]

Turns are synthetic voices that nothing was trained on, unless --folder names recordings with a turns.yaml.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from epsilon.audio_files import read_audio, write_wav
from epsilon.config.board import load_board
from epsilon.journal import PARTS
from epsilon.parts import load_end_of_turn
from epsilon.ring import Samples
from tools.bench import print_table
from tools.bench.turns import policies, serial
from tools.bench.turns.picture import draw
from tools.bench.turns.playing import Glance, Played, play_all, watch_all
from tools.turns import labels
from tools.turns.labels import Label
from tools.turns.worlds import World

Turns = Sequence[tuple[Samples, Label]]
AIMS = (0.05, 0.10)
WATCHED_MS = 2_200.0  # what is left of a turn's recording after its last sound
USUAL_MS = 600.0


def main() -> None:
    """Everything, one table after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=300, help="turns (default: 300)")
    parser.add_argument("--seed", type=int, default=6, help="of the turns")
    parser.add_argument(
        "--voices", choices=[world.value for world in World], default=World.HELD_OUT.value, help="who speaks"
    )
    parser.add_argument("--folder", type=Path, help="recordings of turns with a turns.yaml instead")
    parser.add_argument("--realtime", type=int, default=24, help="turns that are also played in real time")
    parser.add_argument("--board", default="host")
    parser.add_argument("--character", default="odette")
    parser.add_argument("--pipecat", type=Path, metavar="PYTHON", help="of an environment with pipecat-ai")
    parser.add_argument("--out", type=Path, default=Path("out/turns"), help="where the picture goes")
    parser.add_argument("--quick", action="store_true", help="40 turns, 8 of them in real time")
    options = parser.parse_args()
    if options.quick:
        options.count, options.realtime = 40, 8
    turns = (
        recorded(options.folder)
        if options.folder
        else spoken(options.count, options.seed, World(options.voices))
    )
    print(f"{len(turns)} turns, {sum(bool(label.pauses) for _, label in turns)} with pauses inside")
    where = (options.board, options.character)
    print("\nlock-step")
    report(list(play_all(turns, *where)))
    some = turns[: options.realtime]
    print(f"\nin real time, the first {len(some)}")
    ours = list(play_all(some, *where, realtime=True))
    report(ours)
    curves = ways(turns, options.board, options.character)
    draw(options.out / "curves.svg", "How long to wait for the end of a turn", curves)
    print(f"\nthe curves are in {options.out / 'curves.svg'}")
    careful = policies.at_cut_ins(curves["silence timer"], AIMS[0])
    others = one_after_the_other(some, where, careful.setting if careful else policies.LONGEST_MS)
    if options.pipecat:
        others["pipecat, its own turn detection"] = under_pipecat(options.pipecat, some, where)
    compare(ours, others)


def spoken(count: int, seed: int, world: World) -> Turns:
    """Turns by the voices of one world, from a seed."""
    from tools.turns.making import turns  # needs the synthesisers; recordings do not

    return [(np.asarray(t.samples, np.float32), t.label) for t in islice(turns(seed, world), count)]


def recorded(folder: Path) -> Turns:
    """The recordings of a folder."""
    return [(read_audio(folder / label.file), label) for label in labels.read(folder)]


def report(played: Sequence[Played]) -> None:
    """TIFU with its parts, cut-ins, misses, waste."""
    tifus = [one.tifu_ms for one in played if one.tifu_ms is not None]
    waits = [one.dead_air_ms for one in played if one.dead_air_ms is not None]
    answered = [one for one in played if one.tifu_ms is not None and one.parts_ms]
    rows: list[list[object]] = [["answer (TIFU)", *spread(tifus)], ["dead air", *spread(waits)]]
    for name, _ in PARTS[1:]:
        rows.append([name.removesuffix("_ms"), *spread([one.parts_ms[name] for one in answered])])
    print_table(("ms", "median", "mean", "p95"), rows)
    silent = sum(one.silent and not one.sounds_ms for one in played)
    deaf = sum(not one.words for one in played)
    print(
        f"{sum(one.cut_in for one in played)} of {len(played)} turns cut into, {sum(one.missed for one in played)} "
        f"missed, {silent} passed over in silence, {deaf} without a word understood"
    )
    tokens, sound_ms = sum(one.wasted_tokens for one in played), sum(one.wasted_ms for one in played)
    print(
        f"wasted: {tokens / len(played):.1f} tokens and {sound_ms / len(played):.0f} ms of sound a turn, "
        f"{statistics.mean(one.tries for one in played):.2f} tries"
    )
    gaps = [gap for one in played for gap in one.gaps_ms]
    print(f"gaps between phrases: {len(gaps)}" + (f", longest {max(gaps):.0f} ms" if gaps else ""))
    kinds = sorted({one.label.kind for one in played})
    cells = [(kind, [one for one in played if one.label.kind == kind]) for kind in kinds]
    print(
        "cut into by kind: "
        + ", ".join(f"{kind} {sum(o.cut_in for o in ones)}/{len(ones)}" for kind, ones in cells)
    )


def spread(values: Sequence[float]) -> tuple[object, object, object]:
    """Median, mean and 95th percentile."""
    if not values:
        return ("-", "-", "-")
    return (
        round(statistics.median(values)),
        round(statistics.mean(values)),
        round(float(np.percentile(values, 95))),
    )


def whole(wait_ms: float) -> object:
    """Whole milliseconds; for ever where a turn was never decided."""
    return round(wait_ms) if math.isfinite(wait_ms) else "for ever"


def ways(turns: Turns, board: str, character: str) -> dict[str, list[policies.Point]]:
    """The curve of every way to find the end, and a table of them."""
    seen: list[list[Glance]] = list(watch_all(turns, board, character, WATCHED_MS))
    known: dict[str, policies.Policy] = {"silence timer": policies.timer, "words alone": policies.words}
    if hasattr(load_end_of_turn(load_board(board)), "sound"):
        known |= {"sound alone": policies.sound, "all together": policies.together}
    tried = policies.settings()
    curves = {name: policies.curve(seen, known[name], tried[name]) for name in tried if name in known}
    rows: list[list[object]] = []
    for name, points in curves.items():
        cells: list[object] = [name]
        for aim in AIMS:
            best = policies.at_cut_ins(points, aim)
            cells += [whole(best.median_ms), whole(best.mean_ms)] if best else ["-", "-"]
        rows.append(cells)
    print("\nwait at the end of a turn, ms, by the share of turns that are decided inside of them")
    print_table(("", "5 %: median", "mean", "10 %: median", "mean"), rows)
    return curves


def one_after_the_other(
    turns: Turns, where: tuple[str, str], careful_ms: float
) -> dict[str, list[float | None]]:
    """When the first sound of each answer would leave, at two silences; before the end it is negative."""
    found: dict[str, list[float | None]] = {}
    for silence_ms in (USUAL_MS, careful_ms):
        answers = list(serial.answer_all(turns, *where, silence_ms))
        name = f"one after the other, {silence_ms:.0f} ms of silence"
        found[name] = [None if a.worked_ms is None else a.waited_ms + a.worked_ms for a in answers]
    return found


def under_pipecat(python: Path, turns: Turns, where: tuple[str, str]) -> list[float | None]:
    """The same of our engines as services of pipecat, in real time, in its own environment."""
    with tempfile.TemporaryDirectory() as folder:
        named = [replace(label, file=f"{place:04}.wav") for place, (_, label) in enumerate(turns)]
        for (samples, _), label in zip(turns, named, strict=True):
            write_wav(Path(folder) / label.file, samples)
        labels.write(Path(folder), named, "for pipecat")
        module = ["-W", "ignore", "-m", "tools.bench.turns.pipecat_peer", folder, "--count", str(len(turns))]
        command = [str(python), *module, "--board", where[0], "--character", where[1]]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line)["first_ms"] for line in done.stdout.splitlines() if line.startswith("{")]


def compare(ours: Sequence[Played], others: Mapping[str, Sequence[float | None]]) -> None:
    """TIFU and cut-ins beside each other; the ratio is of medians."""
    first = [-1.0 if one.cut_in else min(one.answers_ms, default=None) for one in ours]
    rows: list[list[object]] = []
    median = 0.0
    for name, firsts in ({"Epsilon": first} | dict(others)).items():
        answered = [ms for ms in firsts if ms is not None]
        waits = [ms for ms in answered if ms >= 0]
        median = median or (statistics.median(waits) if waits else float("nan"))
        ratio = f"{statistics.median(waits) / median:.1f}" if waits else "-"
        cut = f"{len(answered) - len(waits)} of {len(firsts)}"
        rows.append([name, *spread(waits), cut, len(firsts) - len(answered), ratio])
    print("\nTIFU in real time, ms, of turns that were not cut into")
    print_table(("", "median", "mean", "p95", "cut into", "no answer", "times ours"), rows)


if __name__ == "__main__":
    main()
