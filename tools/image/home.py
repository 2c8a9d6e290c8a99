"""Puts one toy into a root: the package, one board, one character, the models it needs, its persona prefilled."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import yaml

from epsilon.config import folders
from epsilon.config.board import Board
from epsilon.config.character import Character
from epsilon.config.models import Model, find_model, render, verify
from tools.image.steps import Steps

HOME = Path("opt/epsilon")  # in the root: the package, boards/, characters/ and models/
SITE = HOME / "site"  # in the root: other people's packages
HOST_RUNTIMES = ("onnx", "openvino")  # they run any machine's graphs here, so that a persona can be prefilled
FOR_PEOPLE = ("*.md", "dialogues*.yaml", "__pycache__")  # a toy reads none of these


def install(root: Path, board: Board, character: Character) -> list[Model]:
    """Everything but the persona; returns the models."""
    home = root / HOME
    shutil.copytree(folders.PACKAGE, home / "epsilon", ignore=shutil.ignore_patterns(*FOR_PEOPLE))
    for licence in ("LICENSE", "THIRD_PARTY.md"):
        shutil.copy(folders.PACKAGE.parent / licence, home / licence)
    _install_board(home / "boards", board, character)
    shutil.copytree(
        character.path.parent,
        home / "characters" / character.name,
        ignore=shutil.ignore_patterns(*FOR_PEOPLE),
    )
    models = models_of(board)
    for model in models:
        _install_model(home / "models" / model.name, model)
    rows = {model.name: model for model in models}
    (home / "models" / "manifest.yaml").write_text(render(rows), encoding="utf-8")
    _put_on_path(root)
    return models


def models_of(board: Board) -> list[Model]:
    """Every model the board names, as its manifest row says it must be. ModelError when one is not."""
    names = [settings.model for settings in board.stages.values()] + [board.turn.model, *_when_hot(board)]
    models = [find_model(name) for name in dict.fromkeys(filter(None, names))]
    for model in models:
        verify(model)
    return models


def _when_hot(board: Board) -> list[str]:
    """The models that the board moves to when the chip is hot."""
    smaller = board.ladder.smaller
    if not smaller.items:
        return []
    return [settings.model for settings in board.with_stages(smaller).stages.values() if settings.model]


def _install_board(into: Path, board: Board, character: Character) -> None:
    """The board's file, with who lives in it, and the files that it extends."""
    into.mkdir(parents=True)
    for path in chain(board.path):
        text = path.read_text(encoding="utf-8")
        text = with_character(text, character.name) if path == board.path else text
        (into / path.name).write_text(text, encoding="utf-8")


def chain(path: Path) -> list[Path]:
    """A board's file, the one it extends, and so on."""
    base = yaml.safe_load(path.read_text(encoding="utf-8")).get("extends")
    return [path, *(chain(folders.root() / "boards" / f"{base}.yaml") if base else [])]


def with_character(text: str, name: str) -> str:
    """A board file's text with this character in it."""
    line = f"character: {name}"
    changed, count = re.subn(r"^character:[^\n]*$", line, text, flags=re.MULTILINE)
    return changed if count else f"{text.rstrip()}\n{line}\n"


def _install_model(folder: Path, model: Model) -> None:
    for name in model.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(model.folder / name, folder / name)


def _put_on_path(root: Path) -> None:
    """So that `python3 -m epsilon` works with no variable set."""
    path = root / "usr/lib/python3/dist-packages/epsilon.pth"
    path.write_text(f"/{HOME}\n/{SITE}\n", encoding="utf-8")
    program = root / "usr/bin/epsilon"
    program.write_text(
        "#!/usr/bin/python3\nimport sys\n\nfrom epsilon.__main__ import main\n\nsys.exit(main())\n"
    )
    program.chmod(0o755)


def prefill(root: Path, board: Board, steps: Steps) -> str:
    """Bake the persona into the mind, on this machine; says why not where that cannot be."""
    runtime = board.stages["llm"].runtime
    if runtime not in HOST_RUNTIMES:
        return f"at each start: the runtime {runtime} does not run the board's mind on this machine"
    checkout = Path(__file__).parent.parent.parent
    home = {"EPSILON_HOME": str(root / HOME), "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    steps.run(
        [sys.executable, "-m", "tools.personas", "--board", board.name], **home, PYTHONDONTWRITEBYTECODE="1"
    )
    stored = sum(path.stat().st_size for path in (root / HOME / "models").rglob("personas/*.npy"))
    return f"{stored / 1000:.0f} kB"


def compile_all(root: Path, steps: Steps) -> None:
    """Python's byte code for everything: the root is read-only, and a toy must not compile at each start."""
    for cached in list(root.rglob("__pycache__")):
        shutil.rmtree(cached)
    libraries = [root / "usr/lib/python3.11", root / "usr/lib/python3/dist-packages", root / HOME]
    command = [sys.executable, "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
    # lib2to3's tests and templates are not Python, and that is no failure
    skipped = ["-x", r"lib2to3/tests|/bad_|badsyntax"]
    steps.run([*command, *skipped, "-s", root, "-p", os.sep, *libraries], PYTHONHASHSEED="0")
