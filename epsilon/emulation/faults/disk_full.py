"""disk_full: no file can grow any more."""

from __future__ import annotations

import resource

from epsilon.emulation.faults import Fault
from epsilon.emulation.faults import When as Options
from epsilon.toy import Toy

__all__ = ["Broken", "Options"]


class Broken(Fault):
    """The process may write files of no length at all: every write is refused by the kernel, as by a full disk."""

    def follow(self, toy: Toy, now_s: float) -> None:
        if self.is_on(now_s):
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))

    def rest(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
