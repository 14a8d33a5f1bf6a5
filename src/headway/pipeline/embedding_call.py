"""Ask for the vector of a text, as a call of the gateway's own: through the pipeline, metered, on
record with the tag ``semantic-cache``, and with the credentials of the client that it is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from headway.dialects.base import ClientRequest
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.policy.keys import KEY_HEADERS
from headway.ports import ResponseHeaders
from headway.types import Headers

CREDENTIALS = frozenset({b"authorization", *KEY_HEADERS})
TAGS = (b"x-headway-tags", b"semantic-cache")
MAX_CHARACTERS = 8000
"""Of a text; the rest of it is left out. Embedding models read about 8,000 tokens."""
EMBEDDINGS = OpenAIEmbeddings()


class _Vector(Struct):
    embedding: list[float]


class _Vectors(Struct):
    data: list[_Vector]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Vectors).decode


async def embed(
    gateway: Gateway, model: str, text: str, headers: Headers, query: str
) -> Sequence[float] | None:
    """None where there is no answer; the log says why. ``headers`` and ``query`` are those of the
    client's request."""
    body = {"model": model, "input": text[:MAX_CHARACTERS], "encoding_format": "float"}
    kept = tuple(header for header in headers if header[0] in CREDENTIALS)
    request = ClientRequest("", (*kept, TAGS), _encode(body), query)
    sink = _ReplySink()
    call = GatewayCall(gateway, EMBEDDINGS, request, sink, gateway.clock())
    call.begin()
    try:
        status, reply = await sink.reply
    except asyncio.CancelledError:
        if sink.on_gone is not None:
            sink.on_gone()
        raise
    if status != 200:
        return None
    try:
        vectors = _decode(reply).data
    except msgspec.MsgspecError:
        return None
    return vectors[0].embedding if vectors else None


class _ReplySink:
    """A ``ports.Sink`` for one whole response."""

    is_paused = False

    def __init__(self) -> None:
        self.reply: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        self._set(status, body)

    def send_headers(self, status: int, headers: ResponseHeaders) -> None: ...

    def write(self, data: bytes) -> None: ...

    def end(self, data: bytes = b"") -> None:
        self._set(502, b"")

    def abort(self) -> None:
        self._set(502, b"")

    def _set(self, status: int, body: bytes) -> None:
        if not self.reply.done():
            self.reply.set_result((status, body))
