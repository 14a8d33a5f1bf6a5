"""A server for tests that plays scripts: bytes, pauses, closes and resets, on a real socket.

Each request that arrives, on whatever connection, takes the next reply; the last one repeats.
A reply is one step, a list of steps, or a callable that gets the request and returns a reply:

    bytes         written as they are: nothing is added, so any fault can be written down
    float         a pause, in seconds
    "close"       an orderly close
    "reset"       a TCP reset
    "half-close"  no more bytes from here (FIN), still reading
    "hang"        nothing more, until the client leaves or the server ends

Asynchronous use; everything is closed at the end, whatever state it was left in:

    async with ScriptedServer([answer(b'{"ok":true}'), [b"HTTP/1.1 2", 0.1, "reset"]]) as server:
        ...                                     # send requests to server.url
        assert server.requests[0].body == b"..."
        assert server.connections == 2          # accepted so far
        await server.left(2)                    # until two connections have ended

From synchronous code, in a thread with a loop of its own:

    with ThreadedServer([sse(b'{"n":1}', b"[DONE]")]) as server:
        ...                                     # server.url, server.requests

``answer``, ``chunked`` and ``sse`` write well-formed answers. A connection stays open for the
next request unless a step ended it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from support.waiting import PATIENCE_S

Step = bytes | float | int | str | Callable[["Received"], Any]
Reply = Step | Sequence[Step]

WORDS = ("close", "reset", "half-close", "hang")


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names are lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    """The number of the connection it came on, from 0, in order of accepting."""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


def answer(
    body: bytes = b"",
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (("content-type", "application/json"),),
) -> bytes:
    """A whole answer with a content-length."""
    return _head(status, [*headers, ("content-length", str(len(body)))]) + body


def chunked(
    *pieces: bytes,
    status: int = 200,
    headers: Iterable[tuple[str, str]] = (("content-type", "application/json"),),
) -> bytes:
    """A whole chunked answer, one chunk a piece."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return _head(status, [*headers, ("transfer-encoding", "chunked")]) + body + b"0\r\n\r\n"


def sse(*data: bytes, status: int = 200) -> bytes:
    """A chunked event stream, one event a chunk."""
    events = [b"data: " + piece + b"\n\n" for piece in data]
    return chunked(*events, status=status, headers=[("content-type", "text/event-stream")])


def _head(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass
class ScriptedServer:
    """See the module's text. ``greeting`` is played when a connection is accepted, before any
    request is read; with ``reads_body=False`` the reply is played once the head has arrived."""

    replies: Sequence[Reply]
    greeting: Reply = ()
    reads_body: bool = True
    host: str = "127.0.0.1"
    path: str | None = None
    """Listen on this Unix socket instead."""
    tls: ssl.SSLContext | None = None
    backlog: int = 100
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    departures: int = 0
    """Connections that have ended, whoever ended them."""
    port: int = 0

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    @property
    def named_url(self) -> str:
        """The same by a name, which has to be resolved first."""
        return self.url.replace(self.host, "localhost")

    async def left(self, count: int = 1, within: float = PATIENCE_S) -> None:
        """Returns when ``count`` connections in all have ended."""
        await self.until(lambda: self.departures >= count, within)

    async def until(self, condition: Callable[[], bool], within: float = PATIENCE_S) -> None:
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.002)

    async def __aenter__(self) -> ScriptedServer:
        self._players: set[asyncio.Task[None]] = set()
        if self.path is not None:
            self._server: asyncio.AbstractServer = await asyncio.start_unix_server(
                self._accept, self.path, ssl=self.tls
            )
            return self
        server = await asyncio.start_server(
            self._accept, self.host, self.port, ssl=self.tls, backlog=self.backlog
        )
        self.port = server.sockets[0].getsockname()[1]
        self._server = server
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for player in self._players:
            player.cancel()
        await asyncio.gather(*self._players, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.wait_closed(), 1)
        await asyncio.sleep(0)  # the transports' own closing callbacks

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        player = asyncio.current_task()
        assert player is not None
        self._players.add(player)
        number = self.connections
        self.connections += 1
        try:
            await self._converse(reader, writer, number)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            writer.transport.abort()  # the client left: that is part of many scripts
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self.departures += 1
            self._players.discard(player)
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        if not await _play(self.greeting, None, reader, writer):
            return
        while True:
            request = await _read_request(reader, number, self.reads_body)
            if request is None:
                return
            reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
            self.requests.append(request)
            if not await _play(reply, request, reader, writer):
                return


async def _read_request(
    reader: asyncio.StreamReader, number: int, reads_body: bool
) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    pairs = [line.partition(":") for line in lines]
    headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
    length = int(dict(headers).get("content-length", 0)) if reads_body else 0
    return Received(method, target, headers, await reader.readexactly(length), number)


async def _play(
    reply: Reply,
    request: Received | None,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> bool:
    """Whether the connection stays open."""
    steps = [reply] if isinstance(reply, (bytes, float, int, str)) or callable(reply) else reply
    for step in steps:
        if callable(step):
            assert request is not None, "a greeting has no request to give to a callable"
            if not await _play(step(request), request, reader, writer):
                return False
        elif isinstance(step, bytes):
            writer.write(step)
            await writer.drain()
        elif isinstance(step, str):
            if not await _obey(step, reader, writer):
                return False
        else:
            await asyncio.sleep(step)
    return True


async def _obey(word: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    if word not in WORDS:
        raise ValueError(f"no such step: {word!r}; the words are {', '.join(WORDS)}")
    if word == "half-close":
        writer.write_eof()
        return True
    if word == "hang":
        while await reader.read(65536):
            pass  # pushed away until the client leaves
    if word == "reset":
        _reset_on_close(writer)
        writer.transport.abort()
    return False


def _reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Linger of zero: the kernel sends RST in place of FIN (socket(7), SO_LINGER)."""
    held = writer.get_extra_info("socket")
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class ThreadedServer:
    """A ``ScriptedServer`` in a thread, for synchronous tests; takes the same arguments."""

    def __init__(self, replies: Sequence[Reply], **options: object) -> None:
        self._server = ScriptedServer(replies, **options)  # type: ignore[arg-type]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def requests(self) -> list[Received]:
        return self._server.requests

    @property
    def connections(self) -> int:
        return self._server.connections

    @property
    def departures(self) -> int:
        return self._server.departures

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        try:
            async with self._server:
                self._ready.set()
                await self._stop.wait()
        finally:
            self._ready.set()

    def __enter__(self) -> ThreadedServer:
        self._thread.start()
        self._ready.wait(PATIENCE_S)
        assert self._server.port or self._server.path, "the scripted server did not start"
        return self

    def __exit__(self, *details: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
