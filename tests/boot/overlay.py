"""What a test's image has beyond the real one: engines that an emulated machine can bear, and ways to break it.

The mind and the finder of speech are those that ship; ears and voice are the two beside this file, because emulation
does float work some hundred times slower than the machine that it runs on.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from epsilon.config.models import File, Model, measure, render

HERE = Path(__file__).parent
HOME = "opt/epsilon"
ENGINES = {"told": "asr", "beeps": "tts"}
CHARACTER = "bram"
BOARD = """\
extends: {board}
stages:
  asr: {{engine: told, model: test/told}}
  tts: {{engine: beeps, model: test/beeps}}
"""
SERVICE = f"""\
# The tests' board instead of the image's own; in slot a it does not start where the kernel's command line says so.
[Service]
ExecStart=
ExecStart=/usr/bin/python3 -m epsilon run --board test --character {CHARACTER}
ExecStartPre=/usr/lib/epsilon-test/start
"""


def lay(folder: Path, board: str) -> Path:
    """Fill a folder with what is laid over the root of a board's image."""
    shutil.copytree(HERE / "overlay", folder, symlinks=True)
    home = folder / HOME
    for name, kind in ENGINES.items():
        engine = home / "epsilon/engines" / kind / f"{name}.py"
        engine.parent.mkdir(parents=True)
        shutil.copy(HERE / f"{name}.py", engine)
    _write(home / "boards/test.yaml", BOARD.format(board=board))
    _write(folder / "usr/lib/systemd/system/epsilon.service.d/test.conf", SERVICE)
    _write(
        home / "models/pulled/manifest.yaml", render({f"test/{name}": _model(home, name) for name in ENGINES})
    )
    return folder


def _model(home: Path, name: str) -> Model:
    """A model without weights: the engine is all there is."""
    path = home / "models/test" / name / "model.yaml"
    _write(path, "# This engine has no weights.\n")
    files: dict[str, File] = {path.name: measure(path)}
    kind = ENGINES[name]
    return Model(f"test/{name}", path.parent, kind, name, "Apache-2.0", "tests/boot", "tests/boot", files)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
