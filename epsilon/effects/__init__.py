"""Voice effects: one a file, named in a character's `effects:`; each has `Options` and `load(options, rate)`.

`Options` is a dataclass of settings, so that a mistake in a character file is told with its place and
`epsilon check --reference` lists every option with unit, range and default.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from epsilon.config.character import EffectSettings
from epsilon.config.document import Problems
from epsilon.config.fields import read_table
from epsilon.engines.protocols import Effect


def module_of(name: str) -> ModuleType:
    """The module of an effect that exists."""
    return importlib.import_module(f"epsilon.effects.{name}")


def summary(module: ModuleType) -> str:
    """What an effect does, in one line: the first of its file, after its name."""
    line = (module.__doc__ or "").partition("\n")[0]
    return line.partition(": ")[2].rstrip(".")


def read_options(effect: EffectSettings, problems: Problems) -> Any:
    """The `Options` of an effect that exists, filled from the character file; mistakes go to `problems`."""
    return read_table(module_of(effect.name).Options, effect.options, problems)


def build(effect: EffectSettings, sample_rate_hz: int) -> Effect:
    """An effect of a character's chain. ConfigError lists what is wrong with its options."""
    problems = Problems()
    options = read_options(effect, problems)
    problems.raise_if_any()
    built: Effect = module_of(effect.name).load(options, sample_rate_hz)
    return built
