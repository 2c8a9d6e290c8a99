"""npu_fails: the neural accelerator returns an error."""

from __future__ import annotations

from epsilon.emulation.faults.engines import SpoiltEngine
from epsilon.emulation.faults.engines import Which as Options
from epsilon.errors import InferenceError

__all__ = ["Broken", "Options"]


class Broken(SpoiltEngine):
    """What the runtime says when the driver refuses."""

    def failure(self, stage: str) -> Exception:
        return InferenceError("the NPU did not run it, on purpose", f"engine of {stage}")
