"""A WebSocket that is passed through to a provider (RFC 6455).

On ``/v1/realtime`` the model says which provider is meant. The handshake is the client's, with the
provider's key: ``Sec-WebSocket-Key`` and the answer to it go from one end to the other. After it,
bytes go both ways as they come. What the server sends is read on the side: a session's usage is the
sum of those of its responses.
"""

from __future__ import annotations

import logging
from typing import Any, cast
from urllib.parse import parse_qsl, quote

from msgspec.structs import asdict, replace

from headway.errors import ClientGone, HeadwayError, InvalidField, RequestError
from headway.events import ResponseSummary
from headway.pipeline import content, model_names
from headway.pipeline.accounting import AttemptResult, RequestFacts
from headway.pipeline.gateway import Upstream
from headway.pipeline.native_call import REALTIME, NativeCall
from headway.pipeline.native_request import NativeHttpRequest
from headway.pipeline.raw_relay import RawRelay
from headway.policy import native_headers
from headway.policy.keys import subprotocol_keys
from headway.ports import SocketSink, Tunnel, UpstreamRequest
from headway.providers.native_api import NativeApi, SocketMessage
from headway.types import Headers, HttpRequest, Target, Timeouts, Usage
from headway.wire.websocket_frames import GOING_AWAY, MessageReader

log = logging.getLogger("headway")
UPGRADE = (("connection", "Upgrade"), ("upgrade", "websocket"))
NO_LIMIT = float("inf")


class SessionReader:
    """What the messages of a provider say about the cost of a session, and about its conversation
    where that is kept: of at most ``limit`` bytes."""

    def __init__(self, api: NativeApi, *, limit: int = 0) -> None:
        self._read = api.read_message or (lambda payload: None)
        self._read_conversation = api.read_conversation if limit else None
        self._room = limit
        self._messages = MessageReader()
        self._conversation: dict[str, dict[str, Any]] = {}
        self.usage = Usage()
        self.model: str | None = None

    @property
    def conversation(self) -> list[dict[str, Any]]:
        """Messages in OpenAI's chat format, in their order."""
        return [message for message in self._conversation.values() if "role" in message]

    @property
    def is_between_frames(self) -> bool:
        return self._messages.is_between_frames

    def feed(self, data: bytes) -> None:
        for payload in self._messages.feed(data):
            report = self._read(payload)
            if report is not None:
                self.model = report.model or self.model
                self.usage = _sum(self.usage, report.usage)
            if self._read_conversation is not None:
                for each in self._read_conversation(payload):
                    self._note(each, len(payload))

    def _note(self, part: SocketMessage, size: int) -> None:
        if part.message is None:
            self._conversation.pop(part.id, None)
            return
        self._room -= size
        if self._room >= 0:
            known = {name: value for name, value in part.message.items() if value is not None}
            self._conversation.setdefault(part.id, {"content": None}).update(known)


class SocketRelay(RawRelay):
    """A ``ports.UpgradeReceiver``. A response that is no switch of protocols is relayed like any
    other."""

    session: SessionReader
    bytes_sent = 0
    """From the client to the provider, after the handshake."""
    is_open = False
    """Protocols were switched."""
    _tunnel: Tunnel
    _socket: SocketSink

    def open_for(self, sink: SocketSink, session: SessionReader) -> None:
        self._socket, self.session = sink, session

    def on_upgrade(self, headers: Headers, now: float) -> None:
        self.responded = now
        self.status = 101
        self.response_headers = dict(headers)
        self.has_head = self.is_open = True
        self._socket.on_data = self._on_data
        self._socket.accept(self._head(101, headers))

    def on_sent(self, now: float) -> None:
        if self.is_open:
            self._socket.resume_reading()
        else:
            super().on_sent(now)

    def on_chunk(self, data: bytes, now: float) -> None:
        if not self.is_open:
            super().on_chunk(data, now)
            return
        self.bytes_in += len(data)
        self._write(data)
        try:
            self.session.feed(data)
        except Exception:
            log.exception("a message that was passed on could not be read")

    def on_end(self, now: float) -> None:
        if self.is_open:
            self.ended = now
            self._finish(now)
        else:
            super().on_end(now)

    def cancel(self, error: HeadwayError, now: float) -> None:
        """A client that leaves ends the session, which is no failure."""
        if self.is_over:
            return
        if self.is_open and isinstance(error, ClientGone):
            self._close_tunnel()
            self._finish(now)
            return
        if self.is_open and self.session.is_between_frames:
            self._write(GOING_AWAY)
        super().cancel(error, now)

    def _on_data(self, data: bytes) -> None:
        """What the client sends."""
        self.bytes_sent += len(data)
        if not self.is_over and not self._tunnel.write(data):
            self._socket.pause_reading()

    def bind(self, request: UpstreamRequest) -> None:
        self._tunnel = cast("Tunnel", request)
        super().bind(request)

    def _close_tunnel(self) -> None:
        self._request = None
        self._tunnel.cancel()


class NativeSocketCall(NativeCall):
    """A ``NativeCall`` whose request is the handshake of a WebSocket."""

    sink: SocketSink
    _relay: SocketRelay | None = None

    def _timeouts(self, upstream: Upstream) -> Timeouts:
        """A session may be as long as it likes, while something is sent."""
        return replace(upstream.timeouts, total=NO_LIMIT)

    def _resolve_request(self) -> NativeHttpRequest:
        """On OpenAI's own route the model in the query says which provider is meant."""
        request, snapshot = self.request, self.snapshot
        if request.provider:
            return request
        self.route = REALTIME
        name = dict(parse_qsl(request.query)).get("model", "")
        if not name:
            message = "`model` is missing from the query: send ?model=provider/model."
            raise InvalidField(message, param="model", status=400)
        provider, model = model_names.find(snapshot, name)
        path = snapshot.upstreams[provider].provider.native.realtime_path
        if path is None:
            message = f"{provider} has no Realtime API, or Headway does not know it."
            raise RequestError(message, param="model")
        query = "&".join(_named(part, model) for part in request.query.split("&"))
        self.request = request = replace(request, provider=provider, path=path, query=query)
        return request

    def _key_headers(self) -> Headers:
        headers = self.request.headers
        return [*headers, *subprotocol_keys(headers)]

    def _bytes_up(self) -> int:
        return 0 if self._relay is None else self._relay.bytes_sent

    def _is_read(self) -> bool:
        return self.upstream is not None and self.upstream.provider.native.read_message is not None

    def _client_pairs(self) -> native_headers.Pairs:
        return (*super()._client_pairs(), *UPGRADE)

    def _new_relay(
        self, upstream: Upstream, target: Target, http_request: HttpRequest
    ) -> SocketRelay:
        relay = super()._new_relay(upstream, target, http_request)
        assert isinstance(relay, SocketRelay)
        is_kept = self.snapshot.content.mode_for(self.key_id) != "off"
        limit = self.snapshot.body_limit if is_kept else 0
        relay.open_for(self.sink, SessionReader(upstream.provider.native, limit=limit))
        return relay

    def _keep_content(self, facts: RequestFacts) -> RequestFacts:
        relay = self._relay
        if relay is None or not relay.is_open:
            return facts
        return content.keep_session(self, facts, relay.session.conversation)

    _relay_class = SocketRelay

    def _result(self, relay: RawRelay) -> AttemptResult:
        result = super()._result(relay)
        assert isinstance(relay, SocketRelay)
        usage = relay.session.usage
        is_reported = usage.input_tokens is not None
        return replace(
            result,
            summary=ResponseSummary(usage, None, relay.session.model),
            usage=usage,
            tokens_source="reported" if is_reported else None,
        )


def _named(parameter: str, model: str) -> str:
    """A parameter of the query, with the provider's own name of the model."""
    is_model = parameter.partition("=")[0] == "model"
    return f"model={quote(model, safe='')}" if is_model else parameter


def _sum(total: Usage, usage: Usage | None) -> Usage:
    if usage is None:
        return total
    counts = {
        name: (getattr(total, name) or 0) + value
        for name, value in asdict(usage).items()
        if isinstance(value, int)
    }
    return replace(total, **counts)
