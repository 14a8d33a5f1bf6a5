"""A plain HTTP/1.1 client on blocking sockets that shows every chunk with its arrival time.

Ordinary clients hide chunk borders and whether a body's end was proper; both are promises here.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from support.waiting import PATIENCE_S

Headers = Mapping[str, str]


class Chunk(NamedTuple):
    at: float
    """Monotonic seconds at which its last byte was read."""
    data: bytes


@dataclass(frozen=True)
class Reply:
    """One whole answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    elapsed: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stream:
    """One answer being read. ``complete`` says that its body ended as HTTP wants it to."""

    sock: socket.socket
    seen: list[bytes]
    """All received bytes, for the search for leaked keys."""
    buffer: bytearray = field(default_factory=bytearray)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    complete: bool = False
    started: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """A server may answer, and close, before it read everything."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def read_head(self) -> Stream:
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}
        return self

    def chunks(self) -> Iterator[Chunk]:
        """The body, a chunk at a time, as the server framed it."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            yield Chunk(time.monotonic(), self._counted())
            return
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            data = self._exactly(size + 2)[:-2]
            yield Chunk(time.monotonic(), data)
        self._until(b"\r\n")
        self.complete = True

    def read(self) -> bytes:
        return b"".join(c.data for c in self.chunks())

    def reply(self) -> Reply:
        body = self.read()
        return Reply(self.status, self.headers, body, time.monotonic() - self.started)

    def is_closed_by_server(self) -> bool:
        """True once the server has closed the connection; waits at most the socket's timeout."""
        with contextlib.suppress(ConnectionResetError):
            return self.sock.recv(1) == b""
        return True

    def _counted(self) -> bytes:
        body = self._exactly(int(self.headers.get("content-length", 0)))
        self.complete = True
        return body

    def _until(self, mark: bytes) -> bytes:
        while (end := self.buffer.find(mark)) < 0:
            self._more()
        found = self._exactly(end)
        self._exactly(len(mark))
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more()
        found = bytes(self.buffer[:size])
        del self.buffer[:size]
        return found

    def _more(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError(f"connection closed with {bytes(self.buffer)!r} unread")
        self.seen.append(data)
        self.buffer += data


@dataclass
class Client:
    host: str
    port: int
    seen: list[bytes] = field(default_factory=list)
    timeout: float = PATIENCE_S

    def connect(self) -> Stream:
        sock = socket.create_connection((self.host, self.port), self.timeout)
        return Stream(sock, self.seen)

    def open(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Headers | None = None,
        on: Stream | None = None,
    ) -> Stream:
        """Sends a request and returns before the answer; ``on`` uses a connection again."""
        stream = self.connect() if on is None else Stream(on.sock, self.seen)
        stream.send(self.encode(method, path, body, headers))
        return stream

    def call(
        self, method: str, path: str, body: Any = None, headers: Headers | None = None
    ) -> Reply:
        with self.open(method, path, body, headers) as stream:
            return stream.read_head().reply()

    def get(self, path: str, headers: Headers | None = None) -> Reply:
        return self.call("GET", path, None, headers)

    def encode(self, method: str, path: str, body: Any, headers: Headers | None) -> bytes:
        """``body``: bytes are sent as they are, None is no body, all else is sent as JSON."""
        data = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )
        fields = {"host": f"{self.host}:{self.port}", **(headers or {})}
        if body is not None:
            fields = {
                "content-type": "application/json",
                "content-length": str(len(data)),
                **fields,
            }
        lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + data
