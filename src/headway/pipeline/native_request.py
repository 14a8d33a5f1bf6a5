"""What is known of a request that is passed through: its address, and what its body says."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, read_key_header
from headway.dialects.openai.relayed import OpenAIRelayed
from headway.errors import HeadwayError
from headway.pipeline.gateway import Upstream
from headway.policy.session_headers import find_session_id
from headway.providers.native_api import find_route
from headway.types import NO_RAW, ChatRequest, EmbeddingsRequest, Headers, Request

LONGEST_NAME = 256
"""Bytes of the name of a model in the body."""
NO_MESSAGES = Raw(b"[]")


class NativeHttpRequest(Struct, frozen=True):
    """A client's request. ``path`` is what follows the provider's name, as it was sent: empty, or
    from a slash on."""

    provider: str
    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    public_url: str
    """Where the client finds the provider here: its scheme, host, and path."""


class SentFields(Struct):
    """The fields of a body in JSON that the record, or a count of the tokens, needs, verbatim."""

    model: Raw = NO_RAW
    stream: Raw = NO_RAW
    messages: Raw = NO_RAW
    contents: Raw = NO_RAW
    input: Raw = NO_RAW


_decode_fields = msgspec.json.Decoder(SentFields).decode


def decode_native_request(request: NativeHttpRequest, upstream: Upstream | None) -> DecodedRequest:
    """What is known of a request. Without ``upstream`` nothing but its provider is."""
    if upstream is None:
        nothing = ChatRequest(model="", messages=NO_MESSAGES)
        return DecodedRequest(provider=request.provider, request=nothing)
    found = find_route(upstream.provider.native, request.path)
    if found is None and (relayed := _decode_operation(request, upstream)) is not None:
        return relayed
    asks_stream = found is not None and "stream" in request.path.lower()
    sent = _sent_fields(request.body)
    path_model = None if found is None else found[1]
    model = unquote(path_model or "") or _text(sent.model)
    if not (model or request.body):
        model = dict(parse_qsl(request.query)).get("model", "")
    is_embeddings = found is not None and found[0].is_embeddings
    return DecodedRequest(
        provider=request.provider,
        request=_canonical(sent, model, is_embeddings=is_embeddings),
        stream=asks_stream or bytes(sent.stream) == b"true",
        api_key=read_key_header(request.headers),
        session_id=find_session_id(request.headers),
    )


def _decode_operation(request: NativeHttpRequest, upstream: Upstream) -> DecodedRequest | None:
    """A request of one of the provider's routes whose bodies are passed on elsewhere, too. None for
    any other, and for a body that is not as the route has it."""
    for name, operation in upstream.provider.operations.items():
        if request.method == "POST" and request.path.endswith(operation.path):
            dialect = OpenAIRelayed(name, takes_forms=True, default_model="")
            with suppress(HeadwayError):
                decoded = dialect.decode(ClientRequest("", request.headers, request.body))
                model = decoded.model_name or ""  # the provider's own, which may have slashes
                return replace(
                    decoded,
                    provider=request.provider,
                    request=replace(decoded.request, model=model),
                    session_id=find_session_id(request.headers),
                )
    return None


def _canonical(sent: SentFields, model: str, *, is_embeddings: bool) -> Request:
    given = next(filter(bytes, (sent.messages, sent.contents, sent.input)), NO_MESSAGES)
    if is_embeddings:
        is_text = bytes(sent.input)[:1] in (b'"', b"[")
        return EmbeddingsRequest(model=model, input=sent.input if is_text else NO_MESSAGES)
    return ChatRequest(model=model, messages=given)


def _text(raw: Raw) -> str:
    """A text that can be a name, or none."""
    if bytes(raw)[:1] != b'"' or len(bytes(raw)) > LONGEST_NAME:
        return ""
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _sent_fields(body: bytes) -> SentFields:
    if body[:1] not in (b"{", b" ", b"\n"):
        return SentFields()
    try:
        return _decode_fields(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return SentFields()
