"""How a connection begins: as uvicorn has it, but with no more than every request needs.

Many connections may begin at once, and uvicorn's ``__init__`` looks for two loggers, and for what
only ASGI reads. That waits here until a request is left to uvicorn, if ever one is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Literal

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from uvicorn._types import HTTPScope
    from uvicorn.config import Config
    from uvicorn.protocols.http.flow_control import FlowControl
    from uvicorn.server import ServerState

    from headway.pipeline.gateway import Gateway
    from headway.server.app import App


class Beginning(HttpToolsProtocol):
    """The application must be a ``server.app.App``."""

    # What uvicorn reads of a connection on which it serves no request, and few requests change.

    access_logger = logging.getLogger("uvicorn.access")
    client: tuple[str, int] | None = None
    expect_100_continue = False
    flow: FlowControl = None  # type: ignore[assignment]
    headers: list[tuple[bytes, bytes]] = None  # type: ignore[assignment]
    logger = logging.getLogger("uvicorn.error")
    scheme: Literal["http", "https"] | None = None
    scope: HTTPScope = None  # type: ignore[assignment]
    server: tuple[str, int | None] | None = None
    timeout_keep_alive_task: asyncio.TimerHandle | None = None
    transport: asyncio.Transport = None  # type: ignore[assignment]

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.config = config
        self.loop = _loop or asyncio.get_event_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self.limit_concurrency = config.limit_concurrency
        self.app_state = app_state
        self.server_state = server_state
        self.connections = server_state.connections
        self.tasks = server_state.tasks
        self.pipeline = deque()
        self.cycle = None  # type: ignore[assignment]
        app: Any = config.app
        self.owner: App = app
        self.gateway: Gateway = self.owner.gateway
        self.cors_origins: tuple[str, ...] = self.owner.config.server.cors_origins
        self._held: list[bytes] = []
        """Bytes that wait behind a request that is being answered."""

    def begin_whole(self) -> None:
        """Sets what uvicorn's ``__init__`` does, and the one here does not."""
        whole: Any = HttpToolsProtocol(self.config, self.server_state, self.app_state, self.loop)
        del whole.parser  # they refer to each other
        for name, value in vars(whole).items():
            vars(self).setdefault(name, value)
