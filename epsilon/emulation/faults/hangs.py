"""hangs: an engine does not come back from a call."""

from __future__ import annotations

from epsilon.emulation.faults import Hanging
from epsilon.emulation.faults.engines import SpoiltEngine
from epsilon.emulation.faults.engines import Which as Options

__all__ = ["Broken", "Options"]


class Broken(SpoiltEngine):
    """It works for ever."""

    def failure(self, stage: str) -> Exception:
        return Hanging(f"the engine of {stage} hangs on purpose")
