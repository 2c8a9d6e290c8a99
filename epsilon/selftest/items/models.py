"""Models: is every file of every model that this board runs the one that the manifest means?"""

from __future__ import annotations

from epsilon.config.board import Board
from epsilon.config.models import read_manifest, verify
from epsilon.errors import ModelError
from epsilon.selftest.bench import Bench
from epsilon.selftest.found import Found, judged

ORDER, SPOKEN = 20, "models"


def check(bench: Bench) -> Found:
    """Compare sizes and checksums; every damaged model is named."""
    rows, faults, size = read_manifest(), [], 0
    names = model_names(bench.board)
    for name in names:
        size += sum(file.size for file in rows[name].files.values())
        try:
            verify(rows[name])
        except ModelError as mistake:
            faults.append(str(mistake))
    return judged(faults, "every file is the one meant", models=names, size_mb=round(size / 1e6, 1))


def model_names(board: Board) -> list[str]:
    """The models that a board names, each once."""
    named = [*(stage.model for stage in board.stages.values()), board.turn.model]
    return list(dict.fromkeys(name for name in named if name is not None))
