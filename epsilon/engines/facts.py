"""The small files beside a model's graphs, in which it says what must be known about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from tokenizers import Tokenizer

from epsilon.errors import ModelError, nearest


class Facts:
    """Names and values from a YAML or JSON file; what is not there is a ModelError that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            values = yaml.safe_load(path.read_text("utf-8"))
        except OSError as error:
            raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(f"is not YAML or JSON: {reason}", where=str(path)) from error
        if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
            raise ModelError("should hold names and values", where=str(path))
        self._values: dict[str, Any] = values

    def whole(self, name: str) -> int:
        """An integer."""
        value = self._get(name)
        if not isinstance(value, int):
            raise self._wrong(name, "a whole number")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A number; `default` when it is allowed to be missing."""
        if default is not None and name not in self._values:
            return default
        value = self._get(name)
        if not isinstance(value, int | float):
            raise self._wrong(name, "a number")
        return float(value)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; `default` when it is allowed to be missing."""
        if default is not None and name not in self._values:
            return default
        value = self._get(name)
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of integers."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(one, int) for one in value):
            raise self._wrong(name, "a list of whole numbers")
        return tuple(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._get(name)
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def numbers(self, name: str) -> dict[str, float]:
        """Numbers by name."""
        value = self._get(name)
        if not isinstance(value, dict) or not all(isinstance(one, int | float) for one in value.values()):
            raise self._wrong(name, "numbers by name")
        return {str(key): float(number) for key, number in value.items()}

    def pairs(self, name: str) -> dict[str, str]:
        """Texts by name; empty when it is missing."""
        value = self._values.get(name, {})
        if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
            raise self._wrong(name, "texts by name")
        return {str(key): text for key, text in value.items()}

    def _get(self, name: str) -> Any:
        if name not in self._values:
            raise ModelError(f"lacks '{name}'{nearest(name, self._values)}", where=str(self.path))
        return self._values[name]

    def _wrong(self, name: str, kind: str) -> ModelError:
        return ModelError(f"'{name}' should be {kind}", where=str(self.path))


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer.json of a model; ModelError when it is missing or damaged."""
    try:
        return Tokenizer.from_buffer(path.read_bytes())
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise ModelError(f"is not a tokenizer: {error}", where=str(path)) from error
