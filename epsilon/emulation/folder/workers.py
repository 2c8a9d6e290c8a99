"""Who plays the recordings: processes of this machine, one a recording, or a Ray cluster."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from epsilon.emulation.conversation import Outcome
from epsilon.emulation.folder.job import Job, play
from epsilon.errors import DeviceError, EpsilonError

Result = tuple[Job, Outcome | str]  # what was played, or why it was not
Play = Callable[[Job], Outcome]
LOCAL = "local"  # an address that starts a cluster on this machine
ONE_TRY = "RAY_gcs_server_port_wait_time_s"  # of twenty for an address where nobody is, each of some 15 s
RAY_HINT = "pip install 'epsilon-toy[ray]'"


def here(jobs: Sequence[Job], at_once: int, player: Play = play) -> Iterator[Result]:
    """Play `at_once` at a time, each in a process of its own: one that dies takes no other with it."""
    waiting, playing = list(reversed(jobs)), dict[Connection, tuple[Job, SpawnProcess]]()
    try:
        while waiting or playing:
            while waiting and len(playing) < at_once:
                pipe, process = _start(waiting[-1], player)
                playing[pipe] = waiting.pop(), process
            ready = wait(list(playing))
            for pipe in [one for one in playing if one in ready]:
                job, process = playing.pop(pipe)
                yield job, _end(pipe, process)
    finally:
        for _, process in playing.values():
            process.kill()


def on_ray(jobs: Sequence[Job], address: str) -> Iterator[Result]:
    """Play on every core of a Ray cluster; `address` as Ray knows it, LOCAL starts one.

    The recordings must lie under the same paths on every node.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # else it tells its makers
    if address != LOCAL:
        os.environ[ONE_TRY] = "1"
    try:
        ray: Any = importlib.import_module("ray")
    except ModuleNotFoundError as error:
        raise DeviceError("--ray needs the package ray", hint=RAY_HINT) from error
    try:
        ray.init(address, include_dashboard=False, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError) as error:
        raise DeviceError(f"no Ray cluster answers at '{address}'", hint="ray start --head") from error
    try:
        remote = ray.remote(num_cpus=1)(_answer)
        waiting = {remote.remote(job, play): job for job in jobs}
        while waiting:
            (done, *_), _ = ray.wait(list(waiting), num_returns=1)
            job = waiting.pop(done)
            try:
                yield job, ray.get(done)
            except ray.exceptions.RayError as error:
                yield job, f"its worker died: {getattr(error, 'cause', error)}"
    finally:
        ray.shutdown()


def _start(job: Job, player: Play) -> tuple[Connection, SpawnProcess]:
    fresh = multiprocessing.get_context("spawn")
    ours, theirs = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_tell, args=(theirs, job, player), daemon=True)
    process.start()
    theirs.close()
    return ours, process


def _end(pipe: Connection, process: SpawnProcess) -> Outcome | str:
    """What a process said before it ended; how it died, where it said nothing."""
    with pipe:
        try:
            found: Outcome | str = pipe.recv()
        except EOFError:
            process.join()
            return f"its process died ({_death(process.exitcode)})"
    process.join()
    return found


def _tell(pipe: Connection, job: Job, player: Play) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who waits for all
    pipe.send(_answer(job, player))


def _answer(job: Job, player: Play) -> Outcome | str:
    """What was played; what is wrong with a recording is an answer, too."""
    try:
        return player(job)
    except EpsilonError as mistake:
        return str(mistake)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
