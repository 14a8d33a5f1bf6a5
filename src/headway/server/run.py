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

import uvicorn

from headway.config import Config, ConfigError, load
from headway.providers import FACTS
from headway.server import workers
from headway.server.app import App
from headway.server.front import Front

log = logging.getLogger("headway")
BACKLOG = 4096
SLACK_S = 2.0
"""How much longer than the grace uvicorn waits: time to tell the last clients that it is over.
More than ``app.COUNT_S``, or a slow count of tokens would cost them those words."""

SHORTEST_TICK_S = 0.05
LONGEST_TICK_S = 1.0


class Server(uvicorn.Server):
    """uvicorn's server, which also lets streams finish within the grace and reloads on SIGHUP."""

    def __init__(self, config: Config, app: App) -> None:
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
        self._grace = config.server.shutdown_grace

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _spare_the_collector()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload)
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

    def _reload(self) -> None:
        try:
            config = load(self._app.config.source, os.environ, FACTS)
            self._app.reload(config)
        except ConfigError as error:
            log.error("the configuration stays as it was, for the new one is wrong:\n%s", error)
        else:
            log.warning("the configuration was read anew")


def _spare_the_collector() -> None:
    """What is loaded by now stays; and requests leave no cycles behind (a test sees to it), so
    looking for some can wait for more than 700 new objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


PROTOCOL = "headway.server.protocol:HeadwayProtocol"
ASGI_PROTOCOL = "headway.server.front:Front"


def serve(config: Config) -> int:
    """Serves until a signal says to stop. Returns the exit code."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        listener = _listen(config.server.host, config.server.port)
    except OSError as exc:
        where = f"{config.server.host}:{config.server.port}"
        sys.stderr.write(f"headway: cannot listen on {where}: {exc.strerror}\n")
        return 1
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is something to reload
    _announce(config.server.host, listener)
    with listener:
        if config.server.workers > 1:
            return workers.supervise(config, listener, run_worker)
        return run_worker(config, listener)


def run_worker(config: Config, listener: socket.socket) -> int:
    """One process's whole life."""
    server = Server(config, App(config))
    server.run(sockets=[listener])
    return 0 if server.started else 1


def _listen(host: str, port: int) -> socket.socket:
    """Accepts connections from now on, so whoever reads the announcement can call at once."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def _announce(host: str, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    sys.stderr.write(f"Headway listening on http://{shown}:{port}\n")
    sys.stderr.flush()
