"""The application: an ASGI callable that builds a gateway from a configuration when it starts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from headway import __version__
from headway.config import Config
from headway.errors import ShuttingDown
from headway.pipeline.gateway import Gateway
from headway.policy.request_headers import find_request_id
from headway.ports import Launcher
from headway.server import asgi, composition, routes, routing_states
from headway.server.asgi_types import AsgiApplication, Receive, Scope, Send
from headway.server.example_model import find_example_model
from headway.server.http import cors
from headway.server.ledger_history import LedgerHistory
from headway.server.ledger_reader import LedgerReader
from headway.server.recording import Recording
from headway.server.transports import Transports
from headway.token_counter.counter import TokenCounter
from headway.types import Headers

log = logging.getLogger("headway")
KEEP_ALIVE_INTERVAL_S = 1.0
COUNT_S = 1.0
"""Time limit for counting the tokens of aborted requests."""


class App:
    """``app = App(load(...))`` is what an ASGI server serves. One event loop, one gateway.

    ``gateway_id`` is the id that all processes of one gateway share (``policy.gateway_loop``)."""

    def __init__(
        self,
        config: Config,
        launchers: Callable[[], dict[str, Launcher]] = composition.new_launchers,
        gateway_id: str | None = None,
        *,
        runs_shipper: bool = True,
        shared: Path | None = None,
    ) -> None:
        """``runs_shipper``: start the process that stores records, unless another one does so for
        the same spool. ``shared``: a directory for what the workers of a server share."""
        self.config = config
        self._runs_shipper = runs_shipper
        self._shared = shared
        self._recording: Recording | None = None
        self._gateway_id = gateway_id or composition.new_gateway_id()
        self.gateway: Gateway = None  # type: ignore[assignment] # set by ``start``
        self._routes: asgi.AsgiRoutes = None  # type: ignore[assignment] # likewise
        self._reader: LedgerReader | None = None
        self._new_launchers = launchers
        self._launchers: dict[str, Launcher] = {}
        self._transports: Transports | None = None
        self._token_counter: TokenCounter | None = None
        self._documentation: AsgiApplication | None = None
        self._keep_alive_timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            await self.start()
            await asgi.refuse_websocket(self.gateway.new_id(), scope, receive, send)

    async def start(self) -> None:
        """Build the gateway, inside the event loop that will serve. Does nothing a second time."""
        if self.gateway is not None:
            return
        self._launchers = self._new_launchers()
        self._transports = Transports(self.config, self._gateway_id)
        self._token_counter = TokenCounter()
        recording = self._recording = composition.new_recording(
            self.config, runs_shipper=self._runs_shipper
        )
        self.gateway = composition.new_gateway(
            self.config,
            self._transports,
            self._launchers,
            self._token_counter,
            self._gateway_id,
            recording.spool,
            self._shared,
        )
        recording.start(self.gateway)
        ledger, clock = self.config.ledger, self.gateway.clock
        self._reader = LedgerReader(
            partial(composition.new_store, self.config),
            clock,
            directory=ledger.spool,
            is_shared=not ledger.url.startswith("sqlite:"),
        )
        self.gateway.history = LedgerHistory(self._reader)
        self._routes = asgi.AsgiRoutes(
            self.gateway,
            self._respond_with_documentation,
            self._reader,
            has_page=self.config.server.page,
        )
        self._schedule_keep_alive()

    def reload(self, config: Config) -> None:
        """Replace the configuration at once. Requests in progress keep the configuration that they
        began with; the server's address and the ledger do not change."""
        transports = Transports(config, self._gateway_id)
        snapshot = composition.new_snapshot(config, transports, self._launchers)
        old, self._transports = self._transports, transports
        if composition.needs_new_cache(self.config.cache, config.cache):
            self.gateway.start(self.gateway.response_cache.close())
            composition.set_cache(self.gateway, config.cache)
        self.config = config
        self.gateway.snapshot = snapshot
        self._routes.has_page = config.server.page
        routing_states.configure(self.gateway.routing_state, config)
        if old is not None:
            old.retire(self.gateway)

    def close_after(self, grace_s: float) -> None:
        """Accept no new requests. Those that still run after ``grace_s`` seconds are aborted, and
        send their clients an error within ``COUNT_S``."""
        self.gateway.is_closing = True
        loop = asyncio.get_running_loop()
        loop.call_later(grace_s, self.abort_all)
        if self._token_counter is not None:
            loop.call_later(grace_s + COUNT_S, self._token_counter.give_up)

    def abort_all(self) -> None:
        for call in list(self.gateway.active):
            call.abort(ShuttingDown("The gateway is shutting down and could not wait longer."))

    async def close(self) -> None:
        await self._end_requests()
        if self._keep_alive_timer is not None:
            self._keep_alive_timer.cancel()
        if self._transports is not None:
            await self._transports.close()
        if self._token_counter is not None:
            await self._token_counter.close()
        await self.gateway.response_cache.close()
        self.gateway.routing_state.close()
        for launcher in self._launchers.values():
            await launcher.close()
        if self._recording is not None:  # at last: what was aborted above has a record, too
            await self._recording.close()
        if self._reader is not None:
            await self._reader.close()

    async def _end_requests(self) -> None:
        """Abort what still runs, and let it send its error."""
        self.gateway.is_closing = True
        self.abort_all()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + COUNT_S
        while self.gateway.active and loop.time() < deadline:  # noqa: ASYNC110 - as in Transports
            await asyncio.sleep(0.02)
        if self._token_counter is not None:
            self._token_counter.give_up()
        await asyncio.sleep(0)

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.start()  # a server need not support the lifespan protocol
        origins = self.config.server.cors_origins
        if origins:
            allowed = cors.allow(origins, scope["headers"])
            if cors.is_preflight(scope["method"], scope["headers"]):
                request_id = find_request_id(scope["headers"]) or self.gateway.new_id()
                send = asgi.with_request_id(send, request_id)
                await _respond_to_preflight(allowed, scope["headers"], send)
                return
            send = asgi.with_headers(send, allowed)
        await self._routes.respond(scope, receive, send)

    async def _respond_with_documentation(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI takes long to import: in a thread, and only when a client asks for it."""
        if not routes.is_documentation(scope["path"]):
            await asgi.not_found(scope, receive, send)
        if self._documentation is None:
            loop = asyncio.get_running_loop()
            self._documentation = await loop.run_in_executor(
                None, _build_documentation, lambda: find_example_model(self.gateway.snapshot)
            )
        await self._documentation(scope, receive, send)

    def _schedule_keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        interval = min(KEEP_ALIVE_INTERVAL_S, self.config.server.stream_comment / 4)
        self._keep_alive_timer = loop.call_later(interval, self._keep_streams_alive)

    def _keep_streams_alive(self) -> None:
        self._schedule_keep_alive()  # first, so that an error below does not end all comments
        now = self.gateway.clock()
        for call in list(self.gateway.active):
            call.keep_alive(now, self.config.server.stream_comment)


def _build_documentation(
    example_model: Callable[[], tuple[str, str] | None],
) -> AsgiApplication:
    from headway.server.openapi.docs import build

    return build(__version__, example_model)


async def _respond_to_preflight(
    allowed: list[tuple[bytes, bytes]], received: Headers, send: Send
) -> None:
    more = cors.preflight_headers(received) if allowed else ()
    headers = [*allowed, *more, (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
