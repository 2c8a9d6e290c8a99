"""What the project promises about its own code: sizes, names, where threads are, no way to the network."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "epsilon"
LONGEST_FILE = 320
LONGEST_FUNCTION = 60
MODELS_MB = 60
EMPTY_WORDS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "handler",
    "processor",
    "orchestrator",
    "misc",
}
NETWORK = {
    "socket",
    "ssl",
    "http",
    "urllib",
    "requests",
    "httpx",
    "aiohttp",
    "asyncio",
    "ftplib",
    "smtplib",
    "xmlrpc",
}
THREADS = {"_thread", "threading", "multiprocessing", "concurrent", "queue"}
# Who may import them: the one loop, the toy, which names the exception hook of all threads, and its paced double.
MAY_THREAD = {
    "epsilon/stage.py",
    "epsilon/toy.py",
    "epsilon/emulation/strand.py",
    "epsilon/emulation/folder/workers.py",  # a process for each recording of many, and no toy in the one that waits
}
SPEAKS_TO_THE_SERVICE_MANAGER = "epsilon/notify.py"  # over a UNIX socket, which reaches nobody else
WORKPLACE = re.compile(r"(?<!\w)/(?:work|root|Users)/|https?://(?:localhost|127\.)")


def tracked(*patterns: str) -> list[Path]:
    """The files under version control that fit, or all that fit where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})


SOURCES = tracked("*.py")
RUNTIME = [path for path in SOURCES if path.is_relative_to(PACKAGE)]


def name_of(path: Path) -> str:
    """The path as people write it."""
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """The top-level names of everything a file imports."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_there_is_something_to_check() -> None:
    assert len(RUNTIME) > 20


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_opens_with_a_line_that_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, "the first line should be a docstring"
    assert len(docstring.splitlines()[0]) >= 15


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_names_say_something(path: Path) -> None:
    assert not set(re.split(r"[_.]", path.name)) & EMPTY_WORDS
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", node.name)}
            assert not words & EMPTY_WORDS, node.name


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_nothing_that_the_toy_runs_can_reach_the_network(path: Path) -> None:
    local = name_of(path) == SPEAKS_TO_THE_SERVICE_MANAGER
    assert not set(imports(path)) & (NETWORK - ({"socket"} if local else set()))
    families = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    assert {name for name in families if name.startswith(("AF_", "PF_"))} <= {"AF_UNIX"}


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_threads_are_started_by_the_stage_alone(path: Path) -> None:
    if name_of(path) not in MAY_THREAD:
        assert not set(imports(path)) & THREADS


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_no_exception_is_caught_blindly(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = (
                [name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)] if node.type else [""]
            )
            assert not {"", "Exception", "BaseException"} & set(caught), f"line {node.lineno}"


@pytest.mark.parametrize("path", RUNTIME, ids=name_of)
def test_engines_open_no_device_and_read_no_board(path: Path) -> None:
    if path.is_relative_to(PACKAGE / "engines"):
        assert not {"sounddevice", "rtmixer", "soundfile"} & set(imports(path))
        assert "epsilon.config.board" not in path.read_text(encoding="utf-8")


def test_no_path_of_somebodys_machine_is_written_down() -> None:
    texts = tracked("*.py", "*.md", "*.yaml", "*.toml", "Makefile", ".ci/*", "tools/*", "*.lock")
    for path in texts:
        if path != Path(__file__) and path.suffix not in (".wav", ".npz", ".onnx"):
            found = WORKPLACE.search(path.read_text(encoding="utf-8", errors="replace"))
            assert not found, f"{name_of(path)}: {found and found.group()}"


def test_the_shipped_models_stay_small() -> None:
    sizes = [path.stat().st_size for path in tracked("models/pocket/*")]
    assert sum(sizes) <= MODELS_MB * 1e6


def test_dependencies_are_pinned_and_the_lock_agrees() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locks = {
        group: {
            line.lower() for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if "==" in line
        }
        for group, name in (
            ("run", "requirements.lock"),
            ("dev", "requirements-dev.lock"),
            ("train", "requirements-train.lock"),
        )
    }
    extras = project["optional-dependencies"]
    wanted = {"run": project["dependencies"], "dev": extras["dev"], "train": extras["train"]}
    for group, names in wanted.items():
        missing = {name.lower() for name in names} - locks[group]
        assert not missing, f"{group}: {missing} not in the lock with this version"
    versions = dict(line.split("==") for line in locks["run"])
    assert tuple(map(int, versions["onnxruntime"].split("."))) < (1, 29), "from 1.29 on it carries telemetry"
    assert "huggingface-hub" not in versions and "openvino-telemetry" not in versions


def test_every_engine_effect_and_device_has_a_contract_that_lists_its_folder() -> None:
    from epsilon.config.folders import loadable_names, module_names
    from epsilon.toy import STAGES

    assert sorted(STAGES) == module_names("stages")
    contracts = "\n".join(path.read_text(encoding="utf-8") for path in tracked("tests/contracts/*.py"))
    for kind in ("asr", "llm", "tts", "vad", "echo", "endpoint"):
        assert loadable_names("engines", kind), kind
        assert re.search(rf"['\"/ ]{kind}['\"/. ]", contracts), f"no contract names the engines of {kind}"
    for folder in ("effects", "devices"):
        assert loadable_names(folder), folder
        assert folder in contracts, f"no contract names {folder}"


def test_the_readme_names_what_there_is() -> None:
    from epsilon.config.folders import module_names

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "<!--" not in text, "a measured figure is missing"
    for command in set(module_names("cli")) - {"version"}:
        assert f"`{command}" in text or f"epsilon {command}" in text, command
    for name in re.findall(r"`([a-z_]+/[a-z_./]*[a-z_])/?`", text):
        assert (ROOT / name).exists() or (PACKAGE / name).exists(), name
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for target in re.findall(r"`make ([a-z-]+)", text):
        assert target in targets, target
