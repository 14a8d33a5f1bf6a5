"""Fakes for the tests of credential sources: a settable clock, a scripted token server, and a
transport to it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from headway.credentials.base import Response
from headway.transport.client import HttpTransport
from headway.transport.fetch import fetch
from headway.types import HttpRequest, Timeouts
from support.scripted_server import Reply, ScriptedServer

NOW = 1_700_000_000.0
UNREACHABLE = "http://127.0.0.1:9"
"""Nothing listens on this port (discard)."""


class SetClock:
    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class TokenScene:
    """A folder for files, the token server, and the way to send a request to it."""

    def __init__(self, server: ScriptedServer, transport: Any, folder: Path) -> None:
        self.server = server
        self.fetch: Callable[[HttpRequest, Timeouts], Coroutine[Any, Any, Response]] = partial(
            fetch, transport
        )
        self.folder = folder
        self.clock = SetClock()

    def file(self, content: bytes | str, name: str = "file") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)


Scene = TypeVar("Scene", bound=TokenScene)


def play_scene(
    scene_class: type[Scene],
    folder: Path,
    replies: list[Reply],
    check: Callable[[Scene], Coroutine[Any, Any, None]],
) -> None:
    async def scene() -> None:
        transport = HttpTransport(time.monotonic)
        try:
            async with ScriptedServer(replies) as server:
                await check(scene_class(server, transport, folder))
        finally:
            await transport.close()

    asyncio.run(scene())


def unpacked(piece: str) -> bytes:
    """One part of a JWT."""
    return base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
