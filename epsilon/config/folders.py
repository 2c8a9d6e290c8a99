"""Where boards, characters and models lie, and which modules there are to name in them."""

import os
import pkgutil
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def root() -> Path:
    """The folder that holds boards/, characters/ and models/: $EPSILON_HOME, else the checkout."""
    named = os.environ.get("EPSILON_HOME")
    return Path(named) if named else PACKAGE.parent


def shown(path: Path) -> str:
    """The path as people know it: from the root on when it lies inside, else in full."""
    home = root()
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def input_path(board: str, file: str) -> Path:
    """Where a file of somebody else that a board's image needs is looked for."""
    return root() / "build" / "inputs" / board / file


def board_names() -> list[str]:
    """Every board file there is."""
    return sorted(path.stem for path in (root() / "boards").glob("*.yaml"))


def character_names() -> list[str]:
    """Every character folder there is."""
    return sorted(path.parent.name for path in (root() / "characters").glob("*/character.yaml"))


def module_names(*below: str) -> list[str]:
    """The modules of a folder of the package: module_names('stages')."""
    return sorted(found.name for found in pkgutil.iter_modules([str(PACKAGE.joinpath(*below))]))


def loadable_names(*below: str, function: str = "load") -> list[str]:
    """The modules of a folder that have a `load`, as everything named in a YAML file has: ('engines', 'asr').

    They are read and not imported: naming a card must not need the card's library.
    """
    folder = PACKAGE.joinpath(*below)
    return [name for name in module_names(*below) if f"\ndef {function}(" in _source(folder, name)]


def engine_names() -> list[str]:
    """Every engine of every kind."""
    kinds = [kind for kind in module_names("engines") if (PACKAGE / "engines" / kind).is_dir()]
    return [name for kind in kinds for name in loadable_names("engines", kind)]


def needs_runtime(kind: str, engine: str) -> bool:
    """Whether an engine runs graphs and so needs a runtime; `NEEDS_RUNTIME = False` in its module says no."""
    return "\nNEEDS_RUNTIME = False" not in _source(PACKAGE / "engines" / kind, engine)


def takes_pitch(engine: str) -> bool:
    """Whether a voice can be told to speak higher or lower; `TAKES_PITCH = False` in its module says no."""
    return "\nTAKES_PITCH = False" not in _source(PACKAGE / "engines" / "tts", engine)


def writes_code(runtime: str) -> bool:
    """Whether a runtime makes machine code while it runs; `WRITES_CODE = True` in its module says so."""
    return "\nWRITES_CODE = True" in _source(PACKAGE / "runtimes", runtime)


def _source(folder: Path, name: str) -> str:
    """The text of a module, which may be a file or a folder of its own."""
    file = folder / f"{name}.py"
    return (file if file.is_file() else folder / name / "__init__.py").read_text("utf-8")
