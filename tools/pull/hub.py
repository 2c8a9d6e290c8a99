"""Fetches a checkpoint's files from the Hugging Face hub: resumed where a try broke off, each checksum compared."""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epsilon.config import folders
from epsilon.errors import ModelError

INSTALL = "`make convert` installs what it needs"
# What the conversion reads; weights in other formats and training logs are left where they are.
WANTED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer*.json",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
    "special_tokens_map.json",
    "normalizer.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-?????-of-?????.safetensors",
)
AGAIN = "the same command goes on where this one stopped; a folder on disk needs no network"
SPARE_BYTES = 50_000_000  # of the disk that must stay free


@dataclass(frozen=True)
class Remote:
    """A file as the hub has it; exactly one checksum is known."""

    name: str
    size: int
    sha256: str  # "" for small files, which are kept in git
    git_sha1: str


@dataclass(frozen=True)
class Fetched:
    """What is known about a fetched checkpoint besides its files."""

    revision: str
    licence: str


def fetch(repository: str, folder: Path, tell: Callable[[str], None]) -> Fetched:
    """Every wanted file of the newest revision into `folder`, each whole and as the hub says it is.

    ModelError when there is no network, no such repository, too little disk, or a file is not what was meant.
    """
    hub = _hub()
    with _network_errors(hub, repository):
        info = hub.HfApi(token=False).model_info(repository, files_metadata=True)
        files = _wanted(info.siblings or [])
        if not any(file.name.endswith(".safetensors") for file in files):
            raise ModelError("has no weights as safetensors", where=repository)
        folder.mkdir(parents=True, exist_ok=True)
        _demand_space(folder, files)
        total = sum(file.size for file in files)
        tell(f"{repository} at {info.sha}: {len(files)} files, {total / 1e6:.0f} MB")
        for file in files:
            _fetch_file(hub, hub.hf_hub_url(repository, file.name, revision=info.sha), file, folder, tell)
    return Fetched(str(info.sha), str(getattr(info.card_data, "license", None) or "unknown"))


def _hub() -> Any:
    """huggingface_hub without its telemetry, its store of tokens, and its own protocol, which cannot resume."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise ModelError("fetching needs huggingface_hub", hint=INSTALL)
    os.environ |= {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_XET": "1",
    }
    import huggingface_hub
    import huggingface_hub.errors
    import huggingface_hub.file_download

    return huggingface_hub


def _wanted(siblings: list[Any]) -> list[Remote]:
    """Small files first, so that what cannot be converted is seen before the weights come."""
    found = []
    for sibling in siblings:
        if any(fnmatch.fnmatchcase(sibling.rfilename, pattern) for pattern in WANTED):
            large = sibling.lfs.sha256 if sibling.lfs else ""
            found.append(Remote(sibling.rfilename, int(sibling.size or 0), large, str(sibling.blob_id or "")))
    return sorted(found, key=lambda file: file.size)


def _demand_space(folder: Path, files: list[Remote]) -> None:
    """The checkpoint, and as much again at most for the converted model beside it."""
    missing = sum(file.size for file in files if not (folder / file.name).is_file())
    free = shutil.disk_usage(folder).free
    if free < 2 * missing + SPARE_BYTES:
        need = f"{(2 * missing + SPARE_BYTES) / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free"
        raise ModelError(f"too little disk: {need}", where=folders.shown(folder))


def _fetch_file(hub: Any, url: str, file: Remote, folder: Path, tell: Callable[[str], None]) -> None:
    """Goes on with NAME.part if there is one; the file gets its name when its checksum is right."""
    path, part = folder / file.name, folder / f"{file.name}.part"
    if path.is_file() and _is_right(path, file):
        return
    had = part.stat().st_size if part.is_file() else 0
    if had > file.size:
        part.unlink()
        had = 0
    if had:
        tell(f"{file.name}: goes on after {had / 1e6:.1f} of {file.size / 1e6:.1f} MB")
    with part.open("ab") as sink:
        hub.file_download.http_get(
            url, sink, resume_size=had, expected_size=file.size, displayed_filename=file.name
        )
    if not _is_right(part, file):
        part.unlink()
        raise ModelError("its checksum is not the hub's", where=file.name, hint="thrown away; try again")
    part.replace(path)


def _is_right(path: Path, file: Remote) -> bool:
    """The sha256 of large files; small ones carry git's sha1 over a header and the content."""
    if path.stat().st_size != file.size:
        return False
    digest = (
        hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    )
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == (file.sha256 or file.git_sha1)


@contextmanager
def _network_errors(hub: Any, repository: str) -> Iterator[None]:
    """What the hub and the network can answer, as one clear sentence each."""
    import httpx2

    errors = hub.errors
    try:
        yield
    except errors.GatedRepoError as error:
        raise ModelError("is only for people who were let in", where=repository) from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        raise ModelError("is not on the hub", where=repository, hint="is the name right?") from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError("fetching is switched off", where=repository, hint="unset HF_HUB_OFFLINE") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no"
        raise ModelError(f"the hub answered with status {status}", where=repository, hint=AGAIN) from error
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"the hub cannot be reached: {reason}", where=repository, hint=AGAIN) from error
