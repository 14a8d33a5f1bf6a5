"""Sinks and calls of requests that are passed through, for the pipeline without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headway.pipeline.native_call import NativeCall
from headway.pipeline.native_request import NativeHttpRequest
from headway.pipeline.native_socket import NativeSocketCall
from headway.server.api.native_routes import error_format
from headway.types import Headers
from support.pipeline_fakes import ListSink, Pipe, in_loop


class RawListSink(ListSink):
    """A ``ports.SocketSink`` that keeps what it gets, like ``ListSink``."""

    def __init__(self) -> None:
        super().__init__()
        self.on_data: Callable[[bytes], None] | None = None
        self.reads: list[str] = []

    def send_head(self, status: int, headers: Headers) -> None:
        lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
        self.got.append(("start", status, lines, b""))

    def accept(self, headers: Headers) -> None:
        self.send_head(101, headers)

    def abort(self) -> None:
        self.got.append(("abort", None, b"", b""))

    def pause_reading(self) -> None:
        self.reads.append("pause")

    def resume_reading(self) -> None:
        self.reads.append("resume")

    def say(self, data: bytes) -> None:
        """What the client sends over its WebSocket."""
        assert self.on_data is not None
        on_data = self.on_data
        in_loop(lambda: on_data(data))


class NativePipe(Pipe):
    """A ``Pipe`` whose requests are passed through to ``openai``."""

    sink: RawListSink

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.sink = RawListSink()

    def pass_through(
        self,
        path: str = "/v1/files",
        body: bytes = b"",
        *headers: tuple[bytes, bytes],
        method: str = "POST",
        query: str = "",
        provider: str = "openai",
        is_socket: bool = False,
    ) -> None:
        public_url = f"http://gate/providers/{provider}"
        request = NativeHttpRequest(provider, method, path, query, headers, body, public_url)
        cls = NativeSocketCall if is_socket else NativeCall
        call = cls(self.gateway, request, self.sink, self.clock(), error_format)
        self.call = call  # type: ignore[assignment]
        in_loop(call.begin)
