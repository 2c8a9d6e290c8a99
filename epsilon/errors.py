"""Errors a person can act on: what is wrong, where, and what to do next."""

import difflib
from collections.abc import Iterable


class EpsilonError(Exception):
    """Something people can put right themselves; shown as `where: message (hint)` without a traceback."""

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class ConfigError(EpsilonError):
    """A board, character or manifest file is wrong. `others` are further mistakes of the same reading."""

    def __init__(
        self, message: str, where: str = "", hint: str = "", others: tuple["ConfigError", ...] = ()
    ) -> None:
        super().__init__(message, where, hint)
        self.others = others

    def alone(self) -> "ConfigError":
        """This mistake without the others."""
        return ConfigError(self.message, self.where, self.hint)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(str(other) for other in self.others)])


class ModelError(EpsilonError):
    """A model is missing, damaged, or not what its manifest row says."""


class InferenceError(EpsilonError):
    """A loaded model could not be run on what it was given: the accelerator failed, or the input does not fit."""


class AudioFileError(EpsilonError):
    """An audio file cannot be read or written."""


class DeviceError(EpsilonError):
    """A sound card cannot be opened or stopped working."""


class StageDied(Exception):
    """A stage's thread ended with an exception, which is this one's cause; the toy cannot go on."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The list of names there are, and the one probably meant: '; there are: a, b (did you mean a?)'.

    Likeness is difflib's ratio without regard to case; below 0.5 no guess is offered.
    """
    known = sorted(names)
    if not known:
        return "; there are none"
    folded = {one.casefold(): one for one in known}
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    guess = f" (did you mean {folded[close[0]]}?)" if close else ""
    return f"; there are: {', '.join(known)}{guess}"
