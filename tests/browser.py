"""A headless Chromium to look at pages with, driven through a pipe: no port, no network, no further package."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = "tools/system_packages browser"
OPTIONS = (
    "--headless --disable-gpu --no-first-run --no-default-browser-check --disable-extensions --disable-sync "
    "--disable-background-networking --disable-component-update --disable-dev-shm-usage --mute-audio "
    "--autoplay-policy=no-user-gesture-required --window-size=1280,1600"
)
PATIENCE_S = 60.0
OURS, THEIRS = 3, 4  # where Chromium reads commands and writes answers
HIGH = 10  # a descriptor from here on is neither


def missing() -> str:
    """What is lacking on this machine, with the remedy; empty when nothing is."""
    return "" if _program() else f"no chromium: {PACKAGES}"


def _program() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """A page in the browser. `requests`, `logged` and `thrown` are what it did so far."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self.requests: list[str] = []
        self.logged: list[str] = []
        self.thrown: list[str] = []
        self._loaded = False

    def open(self, path: Path) -> None:
        """Open a file in a new tab and wait until it is loaded."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        self._loaded = False
        self.ask("Page.navigate", url=path.resolve().as_uri())
        while not self._loaded:
            self._hear(self._receive())

    def do(self, script: str) -> Any:
        """The value of a JavaScript expression, awaited where it is a promise."""
        told = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise AssertionError(f"{script}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def press(self, key: str) -> None:
        """A key goes down and up."""
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        named = " " if key == "Space" else key
        for kind in ("keyDown", "keyUp"):
            given = {"text": text} if kind == "keyDown" and text else {}
            self.ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key=named,
                windowsVirtualKeyCode=ord(text) if text else 0,
                **given,
            )

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a hand would."""
        element = f"document.querySelector({json.dumps(selector)})"
        self.do(f"{element}.scrollIntoView({{block: 'center'}})")
        box = self.do(f"(b => [b.x + b.width / 2, b.y + b.height / 2])({element}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def dark(self, on: bool) -> None:
        """The person likes it dark, or light."""
        value = "dark" if on else "light"
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def photograph(self, path: Path) -> None:
        """A picture of what is seen."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """One command of the DevTools protocol, and its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": given}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._write, json.dumps(command).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self._hear(answer)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return dict(answer["result"])

    def _hear(self, event: dict[str, Any]) -> None:
        told = event.get("params", {})
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Log.entryAdded":
                self.logged.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled":
                self.logged.append(str(told["args"]))
            case "Runtime.exceptionThrown":
                self.thrown.append(str(told["exceptionDetails"]))

    def _receive(self) -> dict[str, Any]:
        give_up_s = time.monotonic() + PATIENCE_S
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, give_up_s - time.monotonic()))
            piece = os.read(self._read, 1 << 20) if ready else b""
            if not piece:
                raise AssertionError("the browser does not answer")
            self._rest += piece
        text, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(text))


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with a profile of its own in `folder`; it ends with the block."""
    commands_out, commands_in = os.pipe()
    answers_out, answers_in = os.pipe()
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # the sandbox refuses to run for root
    command = [
        str(_program()),
        *OPTIONS.split(),
        *sandbox,
        "--remote-debugging-pipe",
        f"--user-data-dir={folder}/profile",
    ]
    high = [fcntl.fcntl(end, fcntl.F_DUPFD, HIGH) for end in (commands_out, answers_in)]

    def place() -> None:
        """In the child: the two ends go where Chromium looks for them."""
        os.dup2(high[0], OURS)
        os.dup2(high[1], THEIRS)

    with (folder / "browser.log").open("wb") as log:
        program = subprocess.Popen(command, stdout=log, stderr=log, pass_fds=(OURS, THEIRS), preexec_fn=place)
    for end in (commands_out, answers_in, *high):
        os.close(end)
    try:
        yield Page(commands_in, answers_out)
    finally:
        os.close(commands_in)
        program.terminate()
        program.wait(PATIENCE_S)
        os.close(answers_out)
