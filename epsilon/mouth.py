"""What must be known of the toy's own voice by whoever listens."""

from __future__ import annotations

from typing import Protocol

from epsilon.ring import Bell
from epsilon.turn import Mark


class Mouth(Protocol):
    """Whether the toy speaks, which makes it harder or impossible to hear the user."""

    @property
    def sounding(self) -> bool:
        """The toy speaks: what is heard may be meant to interrupt it, or not."""

    @property
    def deafening(self) -> bool:
        """The toy speaks, and its microphone hears that."""

    @property
    def spoke(self) -> Mark:
        """The mark of the last reply of which anything has sounded."""

    def watch(self, bell: Bell) -> None:
        """Ring `bell` whenever the toy begins to speak, or ends."""
