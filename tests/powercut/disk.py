"""A disk that remembers: serves an image to QEMU by NBD, logs writes and flushes, rebuilds what a power cut leaves.

The model: what was written before the last flush is there; of what came later each write is kept or lost, whole or torn
at a sector. A disk that lies about flushing, or that forgets whole erase blocks, is not modelled.
"""

from __future__ import annotations

import os
import random
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

SECTOR = 512
READ, WRITE, DISCONNECT, FLUSH = range(4)
HANDSHAKE = b"NBDMAGIC" + b"IHAVEOPT" + struct.pack(">H", 3)  # fixed newstyle, no zeroes
HAS_FLAGS, SEND_FLUSH, SEND_FUA = 1, 4, 8
OPTION_REPLY, UNSUPPORTED, ACK, INFO = 0x3E889045565A9, 0x80000001, 1, 3
EXPORT_NAME, GET_INFO, GO = 1, 6, 7
REPLY = 0x67446698
INVALID = 22


@dataclass(frozen=True)
class Write:
    """Bytes put somewhere; `forced` ones are on the disk when the guest is told so."""

    place: int
    data: bytes
    forced: bool = False


@dataclass(frozen=True)
class Flush:
    """All that was written before is on the disk."""


Event = Write | Flush


class RecordingDisk:
    """While it is entered, QEMU finds the disk at `nbd:unix:SOCKET`; one guest after the other may use it."""

    def __init__(self, image: Path, path: Path) -> None:
        self.log: list[Event] = []
        self._image, self._path = image, path
        self._listening = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve_all)

    @property
    def drive(self) -> str:
        """What QEMU's -drive is told, without the id."""
        return (
            f"driver=raw,file.driver=nbd,file.server.type=unix,file.server.path={self._path},cache.direct=on"
        )

    def __enter__(self) -> RecordingDisk:
        self._listening.bind(str(self._path))
        self._listening.listen(1)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._thread.join()
        self._listening.close()
        self._path.unlink()

    def _serve_all(self) -> None:
        with self._image.open("r+b", buffering=0) as file:
            while True:
                try:
                    guest, _ = self._listening.accept()
                except OSError:
                    return
                with guest:
                    for event in serve(guest, file.fileno()):
                        self.log.append(event)


def serve(guest: socket.socket, image: int) -> Iterator[Event]:
    """Speak NBD with one guest until it goes; every change of the image is told before it is acknowledged."""
    try:
        _shake_hands(guest, os.fstat(image).st_size)
        while True:
            flags, kind, handle, place, length = struct.unpack(">4xHHQQI", _receive(guest, 28))
            done = struct.pack(">IIQ", REPLY, 0, handle)
            if kind == READ:
                guest.sendall(done + os.pread(image, length, place))
            elif kind == WRITE:
                data = _receive(guest, length)
                os.pwrite(image, data, place)
                yield Write(place, data, bool(flags & 1))
                guest.sendall(done)
            elif kind == FLUSH:
                yield Flush()
                guest.sendall(done)
            elif kind == DISCONNECT:
                return
            else:
                guest.sendall(struct.pack(">IIQ", REPLY, INVALID, handle))
    except EOFError:
        return


def _shake_hands(guest: socket.socket, size: int) -> None:
    guest.sendall(HANDSHAKE)
    _receive(guest, 4)
    flags = HAS_FLAGS | SEND_FLUSH | SEND_FUA
    while True:
        option, length = struct.unpack(">8xII", _receive(guest, 16))
        _receive(guest, length)
        head = struct.pack(">QI", OPTION_REPLY, option)
        if option == EXPORT_NAME:
            guest.sendall(struct.pack(">QH", size, flags))
            return
        if option not in (GET_INFO, GO):
            guest.sendall(head + struct.pack(">II", UNSUPPORTED, 0))
            continue
        guest.sendall(head + struct.pack(">II", INFO, 12) + struct.pack(">HQH", 0, size, flags))
        guest.sendall(head + struct.pack(">II", ACK, 0))
        if option == GO:
            return


def _receive(guest: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = guest.recv(length - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def cut(start: bytes, log: Sequence[Event], at: int, dice: random.Random) -> bytes:
    """The disk that began as `start`, after the power went when so many of the events had happened."""
    disk, waiting = bytearray(start), list[Write]()
    for event in log[:at]:
        if isinstance(event, Flush):
            for write in waiting:
                disk[write.place : write.place + len(write.data)] = write.data
            waiting = []
        elif event.forced:
            disk[event.place : event.place + len(event.data)] = event.data
        else:
            waiting.append(event)
    for write in waiting:
        kept = _torn(write.data, dice)
        disk[write.place : write.place + len(kept)] = kept
    return bytes(disk)


def _torn(data: bytes, dice: random.Random) -> bytes:
    """All of a write, nothing of it, or its beginning."""
    luck = dice.random()
    if luck < 0.35:
        return data
    return data[: SECTOR * dice.randrange(len(data) // SECTOR + 1)] if luck < 0.65 else b""
