"""``headway serve``: uvicorn with our protocol on top, signals, and one process or several."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from headway.config import Config, ConfigError, Overrides, load
from headway.ledger.spool import FileSpool, spool_path
from headway.providers import FACTS
from headway.server import composition, workers
from headway.server.app import App
from headway.server.http.protocol import Front
from headway.server.workers import Place

log = logging.getLogger("headway")
BACKLOG = 4096
UNSENT = 128 * 1024
"""Bytes for a client that the kernel holds before they are on their way: without a limit it takes
megabytes for one who does not read, and we keep the text of what it took (tcp(7); connections have
it from their listener)."""
SLACK_S = 2.0
"""How much longer than the grace uvicorn waits: time to tell the last clients that it is over.
More than ``app.COUNT_S``, or a slow count of tokens would cost them those words."""

SHORTEST_TICK_S = 0.05
LONGEST_TICK_S = 1.0


class Server(uvicorn.Server):
    """uvicorn's server, which also lets streams finish within the grace and reloads on SIGHUP."""

    def __init__(self, config: Config, app: App, lifeline: int | None = None) -> None:
        protocol = ASGI_PROTOCOL if os.environ.get("HEADWAY_SKIN") == "asgi" else PROTOCOL
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                loop="auto",
                ws="none",
                lifespan="on",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=config.server.keep_alive,  # type: ignore[arg-type] # any number
                timeout_graceful_shutdown=math.ceil(config.server.shutdown_grace + SLACK_S),
                backlog=BACKLOG,
            )
        )
        self._app = app
        self._lifeline = lifeline
        self._grace = config.server.shutdown_grace

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _spare_the_collector()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))  # see workers.py
        if self._lifeline is not None:
            loop.add_reader(self._lifeline, self._leave, loop, self._lifeline)
        settings = self._app.config.server
        shortest = min(settings.keep_alive, settings.read_timeout)
        self._tick(loop, min(LONGEST_TICK_S, max(SHORTEST_TICK_S, shortest / 4)))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.close_after(self._grace)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's, but a stop that went well ends with exit code 0, not by the signal again."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    def _tick(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Lets each connection see whether its client takes too long."""
        settings = self._app.config.server
        for connection in list(self.server_state.connections):
            if isinstance(connection, Front):
                connection.tick(seconds, settings.keep_alive, settings.read_timeout)
        loop.call_later(seconds, self._tick, loop, seconds)

    def _leave(self, loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
        """The parent is gone: nobody would replace this worker, or tell it to stop."""
        loop.remove_reader(lifeline)
        log.error("the supervising process is gone, so this worker stops")
        self.should_exit = True

    def _reload(self) -> None:
        config = read_anew(self._app.config)
        if config is None:
            return
        try:
            self._app.reload(config)
        except ConfigError as error:
            log.error("the configuration stays as it was, for the new one is wrong:\n%s", error)
        else:
            log.warning("the configuration was read anew")


def _spare_the_collector() -> None:
    """What is loaded by now stays, and is not even looked through once (10 ms, for a few hundred
    objects); and requests leave no cycles behind (a test sees to it), so looking for some can wait
    for more than 700 new objects."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


PROTOCOL = "headway.server.http.request_cycle:HeadwayProtocol"
ASGI_PROTOCOL = "headway.server.http.protocol:Front"


def serve(config: Config) -> int:
    """Serves until a signal says to stop. Returns the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    if (fault := _spool_fault(config)) is not None:
        sys.stderr.write(f"headway: {fault}\n")
        return 1
    try:
        listeners = _listen(config.server.host, config.server.port, config.server.workers)
    except OSError as exc:
        where = f"{config.server.host}:{config.server.port}"
        sys.stderr.write(f"headway: cannot listen on {where}: {exc.strerror}\n")
        return 1
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    _announce(config, listeners[0])
    try:
        if len(listeners) > 1:
            return workers.supervise(config, listeners, run_worker, read_anew)
        return run_worker(config, Place(listeners[0]))
    finally:
        for listener in listeners:
            listener.close()


def run_worker(config: Config, place: Place) -> int:
    """One process's whole life."""
    app = App(config, lambda: composition.launchers(shared=place.shared))
    server = Server(config, app, place.lifeline)
    server.run(sockets=[place.listener])
    return 0 if server.started else 1


def _spool_fault(config: Config) -> str | None:
    """Why records could not be kept: better known now than with the first of them."""
    spool = FileSpool(spool_path(config.ledger.url))
    try:
        spool.open()
    except OSError as exc:
        return f"cannot keep records in {spool.path}: {exc.strerror}; set ledger.url, or mend that"
    finally:
        spool.close()
    return None


def read_anew(config: Config) -> Config | None:
    """The configuration as it is now; None, said in the log, if it is wrong. Where we listen stays,
    whoever said it, and so a file that would open that place to everyone is refused."""
    at = config.server
    stays = Overrides(
        host=at.host, port=at.port, workers=at.workers, insecure=True if at.insecure else None
    )
    try:
        return load(config.source, os.environ, FACTS, stays)
    except ConfigError as error:
        log.error("the configuration stays as it was, for the new one is wrong:\n%s", error)
        return None


def _listen(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each of ``count`` workers, all at one address. They accept connections from now
    on, so whoever reads the announcement can call at once. Raises OSError.

    On Linux each worker has a queue of its own and the kernel deals connections out to them
    (SO_REUSEPORT, socket(7)); where several wait at one queue, whoever wakes first empties it.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    if count == 1 or sys.platform != "linux":
        listener = _bind(socket.socket(family, kind, protocol), address)
        listener.listen(BACKLOG)
        return [listener, *(listener.dup() for _ in range(count - 1))]
    with _bind(socket.socket(family, kind, protocol), address) as first:
        address = first.getsockname()  # alone, so that no other server's port is shared unawares
    listeners = [_bind(socket.socket(family, kind, protocol), address, 1) for _ in range(count)]
    for listener in listeners:
        listener.listen(BACKLOG)
    return listeners


def _bind(listener: socket.socket, address: Any, reuse_port: int = 0) -> socket.socket:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        listener.bind(address)
        listener.set_inheritable(True)
    except OSError:
        listener.close()
        raise
    return listener


def _announce(config: Config, listener: socket.socket) -> None:
    """Where it is, and where keys go because a variable says so: nobody is to wonder at that."""
    host, port = config.server.host, listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    lines = [f"Headway listening on http://{shown}:{port}\n"]
    for name, provider in config.providers.items():
        if (variable := provider.sources.get("base_url")) is not None:
            lines.append(f"{name} is at {provider.base_url}, as {variable} says\n")
    sys.stderr.write("".join(lines))
    sys.stderr.flush()
