"""A provider whose answers are in a table."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from headway.errors import UpstreamError
from headway.ports import ResponseReceiver
from headway.types import HttpRequest, Timeouts

Reply = tuple[int, Any] | UpstreamError | None


class Canned:
    """A transport that answers each path from a table, in the next turn of the event loop; None is
    never answered."""

    def __init__(self, **replies: Reply) -> None:
        self.replies: dict[str, Reply] = {f"/{path}": reply for path, reply in replies.items()}
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver) -> Canned:
        self.requests.append(request)
        reply = self.replies[request.url.path]
        asyncio.get_running_loop().call_soon(self._play, reply, receiver)
        return self

    def _play(self, reply: Reply, receiver: ResponseReceiver) -> None:
        match reply:
            case (int(status), said):
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                receiver.on_response(status, [(b"content-type", b"application/json")], 0.0)
                receiver.on_chunk(body, 0.0)
                receiver.on_end(0.0)
            case UpstreamError():
                receiver.on_error(reply, 0.0)

    def cancel(self) -> None:
        """Nothing is under way."""

    finish = pause = resume = cancel

    async def close(self) -> None:
        """Nothing is held."""
