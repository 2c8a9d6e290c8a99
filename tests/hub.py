"""A Hugging Face hub on this machine: what huggingface_hub asks for, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REVISION = "0123456789abcdef0123456789abcdef01234567"
LOOPBACK = "127.0.0.1"
LARGE = ".safetensors"  # kept outside git, with a sha256


@dataclass
class Hub:
    """One repository. `break_after`: how many bytes of a large file are sent before the line goes dead for good."""

    repository: str
    files: dict[str, bytes]
    break_after: int | None = None
    wrong: set[str] = field(default_factory=set)  # files sent with another first byte than their checksum's
    status: int = 200  # of the answer to the first question
    ranges: list[str] = field(default_factory=list)  # that were asked for
    sent: list[str] = field(default_factory=list)  # files asked for
    address: str = ""

    def listing(self) -> bytes:
        """What the hub tells of a repository and its files."""
        siblings = []
        for name, content in self.files.items():
            row: dict[str, object] = {"rfilename": name, "size": len(content)}
            header = b"blob %d\0" % len(content)
            row["blobId"] = hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
            if name.endswith(LARGE):
                sha256 = hashlib.sha256(content).hexdigest()
                row["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
            siblings.append(row)
        about = {"id": self.repository, "sha": REVISION, "siblings": siblings, "cardData": {"license": "mit"}}
        return json.dumps(about).encode()


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub answers on a free port of the loopback device inside the block."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == f"/api/models/{hub.repository}":
                _answer(self, hub.status, hub.listing() if hub.status == 200 else b"{}")
            elif path.startswith(f"/{hub.repository}/resolve/{REVISION}/"):
                _send(self, hub, path.rpartition("/")[2])
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer((LOOPBACK, 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.address = f"http://{server.server_address[0]!s}:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def _send(request: BaseHTTPRequestHandler, hub: Hub, name: str) -> None:
    hub.sent.append(name)
    content = hub.files[name]
    if name in hub.wrong:
        content = bytes([content[0] ^ 1]) + content[1:]
    asked = request.headers.get("Range", "")
    first = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
    if asked:
        hub.ranges.append(asked)
    request.send_response(206 if asked else 200)
    request.send_header("Content-Length", str(len(content) - first))
    if asked:
        request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
    request.end_headers()
    body = content[first:]
    if hub.break_after is not None and name.endswith(LARGE):
        request.wfile.write(body[: hub.break_after])
        request.wfile.flush()
        hub.break_after = 0  # from now on nothing comes at all
        request.close_connection = True
        return
    request.wfile.write(body)
