"""Which ears a toy gets where the board's own are not meant: the best there are, or the ones asked for."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, replace

from epsilon.config.board import Board
from epsilon.config.models import PULLED, Model, read_manifest
from epsilon.errors import ConfigError, nearest

KIND = "asr"
SMALL = "pocket/"  # the models that ship; a board that names another one means it
WITH_PEOPLE = "pocketsphinx"  # the engine whose acoustic model was trained on people
RANDOM = "RANDOM"  # how the source of a converted checkpoint with random weights begins


@dataclass(frozen=True)
class Choice:
    """A board with its ears, and why it has these."""

    board: Board
    reason: str

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.board.stages[KIND].model)


def best_ears(board: Board) -> Choice:
    """For people: a fetched checkpoint, the newest first, else pocketsphinx, else the board's own."""
    own = board.stages[KIND].model or ""
    if not own.startswith(SMALL):
        return Choice(board, "the board names them")
    models = _models()
    fetched = [model for name, model in models.items() if name.startswith(f"{PULLED}/")]
    for model in reversed(fetched):
        if not model.source.startswith(RANDOM):
            return Choice(_fitted(board, model), "fetched, trained on people")
    for model in models.values():
        if model.engine == WITH_PEOPLE and importlib.util.find_spec(WITH_PEOPLE):
            return Choice(
                _fitted(board, model),
                "trained on people; `epsilon models pull distil-small.en` fetches better ones",
            )
    return Choice(board, "the board's own, trained on synthetic voices: they hear few people")


def with_ears(board: Board, name: str | None) -> Board:
    """The board with the ears of that name: a model's full name or what follows its slash; None: its own."""
    if name is None:
        return board
    models = _models()
    fitting = [model for full, model in models.items() if name in (full, full.partition("/")[2])]
    if not fitting:
        raise ConfigError(f"no ears '{name}'{nearest(name, models)}")
    if len(fitting) > 1:
        raise ConfigError(f"'{name}' may be {' or '.join(model.name for model in fitting)}")
    return _fitted(board, fitting[0])


def _models() -> dict[str, Model]:
    return {name: model for name, model in read_manifest().items() if model.kind == KIND}


def _fitted(board: Board, model: Model) -> Board:
    """The seat and the runtime stay the board's."""
    settings = replace(board.stages[KIND], engine=model.engine, model=model.name)
    return replace(board, stages=board.stages | {KIND: settings})
