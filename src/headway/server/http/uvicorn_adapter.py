"""The only file that knows uvicorn.

uvicorn runs the event loop, accepts connections, handles signals and the graceful shutdown, and
drives the ASGI application (``RequestResponseCycle``) for requests that no pipeline route takes.
Headway's own protocol (``protocol.py``) reads the bytes of a connection. What of uvicorn is used
beyond its documented ``Config`` and ``Server.run``: ``Server.startup``, ``shutdown``, ``on_tick``,
``capture_signals``, ``lifespan.state``, ``ServerState`` and ``RequestResponseCycle`` of 0.54.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import math
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools

from headway.policy.request_headers import OWN_REQUEST_ID, REQUEST_ID
from headway.server.asgi_types import BREAK_OFF
from headway.server.http.access_log import AccessEntry, AccessLog
from headway.server.http.response_head import header_lines, status_line


def _put_off_package(name: str) -> ModuleType:
    """Let the modules of a package be imported without its ``__init__.py``, which is run when one
    of its own names is asked for. uvicorn's imports its command line, and with that click and
    multiprocessing: a twentieth of the time of a start."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    package, execute = importlib.util.module_from_spec(spec), spec.loader.exec_module

    def find(attribute: str) -> Any:
        del package.__getattr__
        execute(package)
        return getattr(package, attribute)

    package.__getattr__ = find  # type: ignore[method-assign]
    sys.modules[name] = package
    return package


package = None if "uvicorn" in sys.modules else _put_off_package("uvicorn")

from uvicorn.config import Config  # noqa: E402
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT  # noqa: E402
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle  # noqa: E402
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl  # noqa: E402
from uvicorn.server import Server, ServerState  # noqa: E402

if package is not None:
    package.Config = Config  # type: ignore[attr-defined]  # uvicorn.lifespan imports it from there

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPScope

EXTENSIONS: dict[str, dict[object, object]] = {BREAK_OFF: {}}
ACCESS_LOG = logging.getLogger("uvicorn.access")
ERROR_LOG = logging.getLogger("uvicorn.error")


class ConnectionHost:
    """The state that all connections of one server share. ``app`` is the ASGI application."""

    def __init__(
        self,
        app: Any,
        state: ServerState,
        lifespan_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.app = app
        self.loop = loop
        self.connections: set[Any] = state.connections
        self.access_log: AccessLog | None = None
        """None: requests are not logged."""
        self._lifespan_state = lifespan_state
        self._tasks = state.tasks
        self.set_headers(state.default_headers)

    def set_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        """``headers`` (the date) begin every response from now on."""
        self.headers = headers
        self.header_lines = header_lines(headers)
        self.ok_head = status_line(200) + self.header_lines
        """The status line and first header lines of a response with status 200."""

    def asgi_cycle(self, connection: Any, method: bytes, keep_alive: bool) -> AsgiCycle:
        """The cycle for the request whose head ``connection``, an ``HttpProtocol``, has just read.
        Raises HttpParserInvalidURLError."""
        cls = AsgiCycle if self.access_log is None else LoggedAsgiCycle
        cycle = cls(
            scope=self._scope(connection, method),
            transport=connection.transport,
            flow=connection.flow,
            logger=ERROR_LOG,
            access_logger=ACCESS_LOG,
            access_log=False,
            default_headers=self.headers,
            message_event=asyncio.Event(),
            expect_100_continue=connection.expects_continue,
            keep_alive=keep_alive,
            on_response=connection.on_response_complete,
        )
        cycle.host = self
        if isinstance(cycle, LoggedAsgiCycle):
            cycle.entry = AccessEntry(method.decode("ascii"), connection.url, perf_counter())
        return cycle

    def _scope(self, connection: Any, method: bytes) -> HTTPScope:
        """The request as ASGI describes it (HTTP connection scope, spec 2.3)."""
        parsed = httptools.parse_url(connection.url)
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": connection.version,
            "server": get_local_addr(connection.transport),
            "client": get_remote_addr(connection.transport),
            "scheme": "https" if is_ssl(connection.transport) else "http",
            "method": method.decode("ascii"),
            "root_path": "",
            "path": unquote(parsed.path.decode("ascii")),
            "raw_path": parsed.path,
            "query_string": parsed.query or b"",
            "headers": connection.headers,
            "extensions": EXTENSIONS,
            "state": self._lifespan_state.copy(),
        }

    def run(self, cycle: AsgiCycle) -> None:
        """Run the application for one request, in a task that the shutdown waits for."""
        task = self.loop.create_task(cycle.run_asgi(self.app))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class AsgiCycle(RequestResponseCycle):
    """One request and its response, handled by the ASGI application. ``RequestCycle`` has the same
    methods for requests that go straight to the pipeline."""

    host: ConnectionHost

    def start(self) -> None:
        """All earlier responses of the connection are complete."""
        self.host.run(self)

    async def send(self, message: ASGISendEvent) -> None:
        """``BREAK_OFF`` closes the connection, so that the client sees that the response is not
        complete."""
        if message["type"] == "http.response.start" and self.more_body:
            # After a response to a request that is not read the connection ends (``_linger``), and
            # a client that knows it sends its next request on another one.
            headers = [*message.get("headers", ()), (b"connection", b"close")]
            await super().send({**message, "headers": headers})
            self.keep_alive = True  # or it would end before the client has read the response
        elif message["type"] != BREAK_OFF:
            await super().send(message)
        elif not self.response_complete:
            self.disconnect()
            self.transport.close()

    def feed(self, body: bytes) -> None:
        """One part of the request's body."""
        self.body += body
        if len(self.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        self.message_event.set()

    def feed_end(self) -> None:
        """The request's body is complete."""
        self.more_body = False
        self.message_event.set()

    def disconnect(self) -> None:
        """The client left, or the request is refused: nothing more is sent."""
        self.disconnected = True
        self.message_event.set()

    def pause_writing(self) -> None:
        """``send`` awaits ``ClientFlowControl.drain``."""

    resume_writing = pause_writing


class LoggedAsgiCycle(AsgiCycle):
    """An ``AsgiCycle`` with a line in the access log, when the response is complete or the client
    has left."""

    entry: AccessEntry

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self.entry.status = message["status"]
            headers = dict(message.get("headers", ()))
            request_id = headers.get(OWN_REQUEST_ID) or headers.get(REQUEST_ID, b"")
            self.entry.request_id = request_id.decode("latin-1")
        elif message["type"] == "http.response.body" and self.scope["method"] != "HEAD":
            self.entry.size += len(message.get("body", b""))
        was_complete = self.response_complete
        await super().send(message)
        if self.response_complete and not was_complete:
            self._log()

    def disconnect(self) -> None:
        if not self.disconnected and not self.response_complete:
            self._log()
        super().disconnect()

    def _log(self) -> None:
        if self.host.access_log is not None:
            self.host.access_log(self.entry)


class UvicornServer(Server):
    """uvicorn's server with connections of our own. ``connect`` makes the protocol of one
    connection. ``on_started`` is called when it accepts connections, ``on_stopping`` before it
    stops; as many seconds later as that returns, requests that still run are cancelled.
    ``access_log`` is called with each request that is over."""

    def __init__(
        self,
        app: Any,
        connect: Callable[[ConnectionHost], asyncio.Protocol],
        *,
        backlog: int,
        on_started: Callable[[], None],
        on_stopping: Callable[[], float],
        access_log: AccessLog | None = None,
    ) -> None:
        super().__init__(
            Config(
                app,
                http=self._connect,  # type: ignore[arg-type]  # called like a class
                loop="auto",
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=backlog,
            )
        )
        self._app = app
        self._new_connection = connect
        self._on_started = on_started
        self._on_stopping = on_stopping
        self._host: ConnectionHost | None = None
        self._access_log = access_log

    def set_access_log(self, access_log: AccessLog | None) -> None:
        """For requests from now on."""
        self._access_log = access_log
        if self._host is not None:
            self._host.access_log = access_log

    def connections(self) -> list[Any]:
        """The open connections, as ``connect`` made them."""
        return list(self.server_state.connections)

    def stop(self) -> None:
        """Shut down gracefully, as for SIGTERM."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._host = ConnectionHost(self._app, self.server_state, self.lifespan.state, loop)
        self._host.access_log = self._access_log
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.timeout_graceful_shutdown = math.ceil(self._on_stopping())
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """uvicorn calls this ten times a second, and renews its headers once a second."""
        is_over = await super().on_tick(counter)
        headers = self.server_state.default_headers
        if self._host is not None and self._host.headers is not headers:
            self._host.set_headers(headers)
        return is_over

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn raises the captured signals again when it has stopped. Without them the process
        ends with exit code 0."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def _connect(self, **_: Any) -> asyncio.Protocol:
        assert self._host is not None
        return self._new_connection(self._host)
