"""The application: an ASGI callable that makes a gateway of a configuration when it is started."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from headway import __version__
from headway.config import Config
from headway.errors import ShuttingDown
from headway.pipeline.gateway import Gateway
from headway.ports import Launcher
from headway.server import asgi, composition
from headway.server.http import cors
from headway.server.transports import Transports
from headway.token_counter.counter import TokenCounter

log = logging.getLogger("headway")
SWEEP_S = 1.0
COUNT_S = 1.0
"""How long the tokens of requests that were ended by force may take to be counted."""


class App:
    """``app = App(load(...))`` is what an ASGI server serves. One event loop, one gateway."""

    def __init__(
        self,
        config: Config,
        launchers: Callable[[], dict[str, Launcher]] = composition.launchers,
    ) -> None:
        self.config = config
        self.gateway: Gateway = None  # type: ignore[assignment] # made by ``start``
        self._new_launchers = launchers
        self._launchers: dict[str, Launcher] = {}
        self._transports: Transports | None = None
        self._counter: TokenCounter | None = None
        self._cold: asgi.Asgi | None = None
        self._sweep: asyncio.TimerHandle | None = None

    async def __call__(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def start(self) -> None:
        """Inside the event loop that will serve."""
        if self.gateway is not None:
            return
        self._launchers = self._new_launchers()
        self._transports = Transports(self.config)
        self._counter = TokenCounter()
        self.gateway = composition.gateway(
            self.config, self._transports, self._launchers, self._counter
        )
        self._sweep_later()

    def reload(self, config: Config) -> None:
        """Swap the configuration at once. Requests under way keep the one they began with; where
        the server listens, and where records go, stays as it was."""
        transports = Transports(config)
        snapshot = composition.snapshot(config, transports, self._launchers)
        old, self._transports = self._transports, transports
        self.config = config
        self.gateway.snapshot = snapshot
        if old is not None:
            old.retire(self.gateway)

    def close_after(self, grace: float) -> None:
        """No new requests; those that are still running after ``grace`` seconds are ended, and
        tell their clients so within ``COUNT_S``."""
        self.gateway.is_closing = True
        loop = asyncio.get_running_loop()
        loop.call_later(grace, self.abort_all)
        if self._counter is not None:
            loop.call_later(grace + COUNT_S, self._counter.give_up)

    def abort_all(self) -> None:
        for exchange in list(self.gateway.active):
            exchange.abort(ShuttingDown("The gateway is shutting down and could not wait longer."))

    async def close(self) -> None:
        await self._end_all()
        if self._sweep is not None:
            self._sweep.cancel()
        if self._transports is not None:
            await self._transports.close()
        if self._counter is not None:
            await self._counter.close()
        for launcher in self._launchers.values():
            await launcher.close()

    async def _end_all(self) -> None:
        """End what is still running, and let it write its last words."""
        self.gateway.is_closing = True
        self.abort_all()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + COUNT_S
        while self.gateway.active and loop.time() < deadline:  # noqa: ASYNC110 - as in Transports
            await asyncio.sleep(0.02)
        if self._counter is not None:
            self._counter.give_up()
        await asyncio.sleep(0)

    async def _live(self, receive: asgi.Receive, send: asgi.Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _respond(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        await self.start()  # a server need not have the lifespan part of ASGI
        origins = self.config.server.cors_origins
        if origins:
            allowed = cors.allow(origins, scope["headers"])
            if cors.is_preflight(scope["method"], scope["headers"]):
                await _preflight(allowed, send)
                return
            send = _with_headers(send, allowed)
        await asgi.respond(self.gateway, scope, receive, send, self._documentation)

    async def _documentation(
        self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send
    ) -> None:
        """FastAPI takes a while to import: in a thread, and only if someone asks."""
        if not scope["path"].startswith(("/docs", "/openapi.json")):
            await asgi.not_found(scope, receive, send)
        if self._cold is None:
            self._cold = await asyncio.get_running_loop().run_in_executor(None, _build_docs)
        await self._cold(scope, receive, send)

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        interval = min(SWEEP_S, self.config.server.stream_comment / 4)
        self._sweep = loop.call_later(interval, self._keep_alive)

    def _keep_alive(self) -> None:
        self._sweep_later()  # before the work: an error in it must not leave all others silent
        now = self.gateway.clock()
        for exchange in list(self.gateway.active):
            exchange.keep_alive(now, self.config.server.stream_comment)


def _build_docs() -> asgi.Asgi:
    from headway.server.openapi.docs import build

    return build(__version__)


async def _preflight(allowed: list[tuple[bytes, bytes]], send: asgi.Send) -> None:
    headers = [*allowed, *(cors.PREFLIGHT if allowed else ()), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _with_headers(send: asgi.Send, more: list[tuple[bytes, bytes]]) -> asgi.Send:
    async def send_with(message: asgi.Scope) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_with
