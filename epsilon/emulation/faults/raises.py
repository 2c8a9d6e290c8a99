"""raises: an engine raises what nobody has thought of."""

from __future__ import annotations

from epsilon.emulation.faults import OnPurpose
from epsilon.emulation.faults.engines import SpoiltEngine
from epsilon.emulation.faults.engines import Which as Options

__all__ = ["Broken", "Options"]


class Broken(SpoiltEngine):
    """A mistake in its code."""

    def failure(self, stage: str) -> Exception:
        return OnPurpose(f"the engine of {stage} raised on purpose")
