"""What tests of sources of tokens share: a clock to set, and a scene with the server that is
asked."""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from scripted import Reply, ScriptedServer
from taker import Run, checked_transport

NOW = 1_700_000_000.0


class Wall:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class TokenScene:
    """A folder, a transport, and the server at its other end."""

    def __init__(self, server: ScriptedServer, transport: Any, folder: Path) -> None:
        self.server = server
        self.transport = transport
        self.folder = folder
        self.wall = Wall()


Scene = TypeVar("Scene", bound=TokenScene)


def play_scene(
    run: Run,
    kind: type[Scene],
    folder: Path,
    replies: list[Reply],
    check: Callable[[Scene], Coroutine[Any, Any, None]],
) -> None:
    async def scene() -> None:
        async with ScriptedServer(replies) as server, checked_transport() as transport:
            await check(kind(server, transport, folder))

    run(scene())


def unpacked(piece: str) -> bytes:
    """One part of a JWT."""
    return base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
