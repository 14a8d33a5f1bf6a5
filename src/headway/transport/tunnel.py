"""CONNECT: a tunnel through a proxy (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import asyncio
import re
from typing import cast

from headway.errors import UpstreamUnreachable
from headway.transport.proxy import Proxy

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n")
HEAD_LIMIT = 65_536


class Tunnel(asyncio.Protocol):
    """Sends CONNECT and reads the proxy's response: ``opened`` gets its result, or
    UpstreamUnreachable. Then another protocol takes the transport over."""

    __slots__ = ("_proxy", "_response", "_target", "opened", "transport")

    def __init__(self, proxy: Proxy, target: str) -> None:
        self._proxy = proxy
        self._target = target
        self._response = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        lines = [f"CONNECT {self._target} HTTP/1.1", f"host: {self._target}"]
        lines += [f"{name}: {value}" for name, value in self._proxy.headers]
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        self._response += data
        if b"\r\n\r\n" in self._response or len(self._response) > HEAD_LIMIT:
            self._finish(self._find_error())

    def connection_lost(self, error: Exception | None) -> None:
        self._finish("it closed the connection")

    def _find_error(self) -> str | None:
        """The error in the response; None if the tunnel is open."""
        found = STATUS_LINE.match(self._response)
        if found is None:
            return "its answer is not HTTP"
        if not found[1].startswith(b"2"):
            words = (found[1] + b" " + (found[2] or b"")).decode("latin-1").strip()
            hint = ", it wants another user or password in its URL" if found[1] == b"407" else ""
            return f"it answered {words[:200]}{hint}"
        if not self._response.endswith(b"\r\n\r\n"):
            return "it sent bytes of its own into the tunnel"
        return None

    def _finish(self, error: str | None) -> None:
        if self.opened.done():
            return
        if error is None:
            self.opened.set_result(None)
            return
        text = f"proxy {self._proxy.display_url} refused to connect to {self._target}: {error}"
        self.opened.set_exception(UpstreamUnreachable(text, code="proxy_refused"))
