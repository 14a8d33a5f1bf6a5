"""Give the response of an earlier call to an ``Attempt``, as if the provider had just sent it.

The bytes are the provider's, so that every dialect reads them as it reads any response. Only the
id of the response and the time of its creation are new, because clients take two replies with one
id for the same.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import Struct

from headway.pipeline.shared_response import SharedResponse
from headway.ports import CachedResponse, ResponseReceiver, UpstreamRequest
from headway.types import Clock

CONTENT_TYPE = b"content-type"
ISO = '"%Y-%m-%dT%H:%M:%S.%fZ"'
KEPT_HEADERS = frozenset({CONTENT_TYPE})
TEXT_TYPES = (b"application/json", b"application/x-ndjson", b"text/event-stream")
"""Of bodies in which bytes may be replaced; other formats have checksums or lengths."""
_CREATED = re.compile(rb'(?<!\\)("created(?:_at)?"\s*:\s*)(\d{9,11}|"\d{4}-[\d-]{5}T[\d:.]+Z")')
"""In Unix seconds, or as Ollama's text. The quotation marks of a text within a JSON text have a
backslash before them (RFC 8259, section 7), so that this is a member of an object."""


def new_reply_id(given: str, call_id: str) -> str:
    """An id of the form of ``given``: the letters before its last separator, and the digits of
    ``call_id``. An id without such a beginning becomes ``call_id``."""
    at = max(given.rfind("-"), given.rfind("_"))
    start = given[: at + 1]
    has_letters = start.replace("-", "").replace("_", "").isalpha()
    return start + call_id.replace("-", "") if has_letters else call_id


def join_lines(pieces: Sequence[bytes], times: Sequence[float]) -> tuple[list[bytes], list[float]]:
    """The same bytes in pieces that end with a line, so that no value is cut. The time of a piece
    is that of its end. What follows the last line is a piece, too."""
    joined, ends, parts = list[bytes](), list[float](), list[bytes]()
    for piece, time in zip(pieces, times, strict=True):
        parts.append(piece)
        if piece.endswith(b"\n"):
            joined.append(b"".join(parts))
            ends.append(time)
            parts.clear()
    if parts:
        joined.append(b"".join(parts))
        ends.append(times[-1])
    return joined, ends


class ReplyTemplate(Struct, frozen=True, gc=False):
    """A body without its id and the time of its creation."""

    text: bytes
    """With ``%(id)b``, ``%(seconds)d`` and ``%(time)b`` in their places."""
    has_time: bool
    """In another form than Unix seconds."""


def make_template(body: bytes, response: CachedResponse) -> ReplyTemplate:
    """``body`` is ``response``, or a piece of it."""
    content_type = dict(response.headers).get(CONTENT_TYPE, b"")
    text = body.replace(b"%", b"%%")
    if not content_type.startswith(TEXT_TYPES):
        return ReplyTemplate(text, False)
    text = _CREATED.sub(_put_placeholder, text)
    if response.reply_id:
        given = f'"{response.reply_id}"'.encode().replace(b"%", b"%%")
        text = text.replace(given, b'"%(id)b"')
    return ReplyTemplate(text, b"%(time)b" in text)


def _put_placeholder(found: re.Match[bytes]) -> bytes:
    return found[1] + (b"%(time)b" if found[2].startswith(b'"') else b"%(seconds)d")


def fill(template: ReplyTemplate, new_id: str, now: float) -> bytes:
    """``now`` (Unix seconds) is the time of the creation."""
    values: dict[bytes, object] = {b"id": new_id.encode(), b"seconds": now}
    if template.has_time:
        values[b"time"] = datetime.fromtimestamp(now, UTC).strftime(ISO).encode()
    return template.text % values


def renew(response: CachedResponse, call_id: str, now: float) -> list[bytes]:
    """The pieces of the body, with a new id and ``now`` (Unix seconds) as its creation."""
    given = response.reply_id
    new_id = new_reply_id(given, call_id) if given else ""
    return [fill(make_template(piece, response), new_id, now) for piece in response.pieces]


class _NoRequest:
    """The ``UpstreamRequest`` of a response that is here."""

    def cancel(self) -> None: ...

    def finish(self) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...


_NO_REQUEST = _NoRequest()


class ReplayReceiver(ResponseReceiver, Protocol):
    upstream_request: UpstreamRequest | None


def replay(response: CachedResponse, body: bytes, receiver: ReplayReceiver, now: float) -> None:
    """Give ``receiver`` the whole response at once."""
    receiver.upstream_request = _NO_REQUEST
    receiver.on_sent(now)
    receiver.on_response(response.status, response.headers, now)
    receiver.on_chunk(body, now)
    if receiver.upstream_request is not None:  # it has not seen the end of a stream
        receiver.on_end(now)


def replay_at_pace(
    response: CachedResponse,
    pieces: list[bytes],
    clock: Clock,
    sleep: Callable[[float], Awaitable[object]],
) -> tuple[SharedResponse, Callable[[], Coroutine[Any, Any, None]]]:
    """The response in its recorded rhythm, and what sends it."""
    shared = SharedResponse(clock)
    shared.on_response(response.status, response.headers, clock())

    async def send() -> None:
        began = clock()
        for piece, time in zip(pieces, response.times, strict=True):
            wait_s = began + time - clock()
            if wait_s > 0:
                await sleep(wait_s)
            if not shared.reader_count:
                return
            shared.on_chunk(piece, clock())
        shared.on_end(clock())

    return shared, send
