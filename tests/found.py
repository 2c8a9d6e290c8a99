"""What the contracts are held against: the modules in a folder of the package, and the models that ship."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import pytest

from epsilon.config import folders
from epsilon.config.models import Model, find_model, read_shipped
from epsilon.realtime import Seat
from epsilon.runtimes import onnx


def modules(*below: str) -> list[ModuleType]:
    """The modules of a folder that can be named in a YAML file."""
    package = ".".join(("epsilon", *below))
    return [importlib.import_module(f"{package}.{name}") for name in folders.loadable_names(*below)]


def engines(kind: str) -> list[str]:
    """The engines of a kind by name."""
    return folders.loadable_names("engines", kind)


def shipped(kind: str) -> list[str]:
    """The names of the models of a kind in the manifest."""
    return [name for name, model in read_shipped().items() if model.kind == kind]


def load(model: Model, runtime: ModuleType = onnx) -> Any:
    """The engine of a model on a runtime."""
    module = importlib.import_module(f"epsilon.engines.{model.kind}.{model.engine}")
    return module.load(model, runtime, Seat())


def load_shipped(name: str) -> Any:
    """The engine of a model that ships; missing files are an error of the checkout."""
    model = find_model(name)
    if not model.files:
        pytest.fail(f"models/manifest.yaml lists no files for {name}")
    return load(model)
