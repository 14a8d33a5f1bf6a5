"""CONNECT: asking a proxy for a way through (RFC 9110, section 9.3.6)."""

from __future__ import annotations

import asyncio
import re
from typing import cast

from headway.errors import UpstreamUnreachable
from headway.transport.proxy import Proxy

STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: ([^\r\n]*))?\r\n")
HEAD_LIMIT = 65_536


class Tunnel(asyncio.Protocol):
    """Speaks to the proxy until it has answered; ``opened`` tells how. Then another protocol takes
    the transport over."""

    __slots__ = ("_answer", "_proxy", "_target", "opened", "transport")

    def __init__(self, proxy: Proxy, target: str) -> None:
        self._proxy = proxy
        self._target = target
        self._answer = b""
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        lines = [f"CONNECT {self._target} HTTP/1.1", f"host: {self._target}"]
        lines += [f"{name}: {value}" for name, value in self._proxy.headers]
        self.transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if b"\r\n\r\n" in self._answer or len(self._answer) > HEAD_LIMIT:
            self._conclude(self._verdict())

    def connection_lost(self, error: Exception | None) -> None:
        self._conclude("it closed the connection")

    def _verdict(self) -> str | None:
        """What is wrong with the answer; None if nothing is."""
        found = STATUS_LINE.match(self._answer)
        if found is None:
            return "its answer is not HTTP"
        if not found[1].startswith(b"2"):
            words = (found[1] + b" " + (found[2] or b"")).decode("latin-1").strip()
            hint = ", it wants another user or password in its URL" if found[1] == b"407" else ""
            return f"it answered {words[:200]}{hint}"
        if not self._answer.endswith(b"\r\n\r\n"):
            return "it sent bytes of its own into the tunnel"
        return None

    def _conclude(self, fault: str | None) -> None:
        if self.opened.done():
            return
        if fault is None:
            self.opened.set_result(None)
            return
        text = f"proxy {self._proxy.shown} refused to connect to {self._target}: {fault}"
        self.opened.set_exception(UpstreamUnreachable(text, code="proxy_refused"))
