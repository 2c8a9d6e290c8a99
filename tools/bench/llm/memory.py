"""How fast this machine reads memory, as a worker: a dot product over 256 MB, which no cache holds."""

from __future__ import annotations

import numpy as np

from tools.bench.peers.serving import Task, serve

READ_BYTES = 256_000_000


def main() -> None:
    """Serves; how many threads read is said by what is set around the process."""
    numbers = np.ones(READ_BYTES // 4, np.float32)
    serve({"read": Task(lambda _: lambda: numbers @ numbers, lambda _: "")})


if __name__ == "__main__":
    main()
