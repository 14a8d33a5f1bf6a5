"""HTTP for a cloud's library, which runs in a worker thread, through the gateway's own transport.

So the library's requests use the provider's proxy, certificates and timeouts, need no second HTTP
client, and end when the gateway shuts down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from headway.credentials.base import TOKEN_TIMEOUTS, Fetch, Response
from headway.types import HttpRequest
from headway.wire.url import join

SET_BY_TRANSPORT = frozenset({"host", "content-length", "accept-encoding", "connection"})


class ThreadFetch:
    """Create it inside the event loop; call it from a thread."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._loop = asyncio.get_running_loop()

    def __call__(
        self, method: str, url: str, headers: Iterable[tuple[str, Any]], body: Any
    ) -> Response:
        """Blocks until the response is complete. Raises UpstreamError where there is none."""
        sent = tuple(
            (name.lower(), _text(value))
            for name, value in headers
            if name.lower() not in SET_BY_TRANSPORT
        )
        data = body.encode() if isinstance(body, str) else bytes(body or b"")
        request = HttpRequest(join(url), sent, data, method)
        fetching = self._fetch(request, TOKEN_TIMEOUTS)
        return asyncio.run_coroutine_threadsafe(fetching, self._loop).result()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
