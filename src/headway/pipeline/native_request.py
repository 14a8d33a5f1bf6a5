"""What is known of a request that is passed through: its address, and what its body says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import parse_qsl, unquote

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, DecodedRequest, read_key_header
from headway.dialects.openai.relayed import OpenAIRelayed
from headway.errors import HeadwayError
from headway.pipeline.gateway import Upstream
from headway.policy.request_labels import RECORDED, find_tags, find_user
from headway.policy.session_headers import find_session_id
from headway.providers.native_api import find_route
from headway.types import NO_RAW, ChatRequest, EmbeddingsRequest, Headers, Request

LONGEST_NAME = 256
"""Bytes of the name of a model in the body."""
NO_MESSAGES = Raw(b"[]")
GIVEN = ("messages", "contents", "input")
"""The fields of a body with what the model is given."""


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


_decode_fields = msgspec.json.Decoder(dict[str, Raw]).decode


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
    model = unquote(path_model or "") or _text(sent.get("model", NO_RAW))
    if not (model or request.body):
        model = dict(parse_qsl(request.query)).get("model", "")
    is_embeddings = found is not None and found[0].is_embeddings
    return DecodedRequest(
        provider=request.provider,
        request=_canonical(sent, model, is_embeddings=is_embeddings),
        stream=asks_stream or bytes(sent.get("stream", NO_RAW)) == b"true",
        api_key=read_key_header(request.headers),
        session_id=find_session_id(request.headers),
        user=find_user(request.headers),
        tags=find_tags(request.headers),
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
                    user=find_user(request.headers),
                    tags=find_tags(request.headers),
                )
    return None


def _canonical(sent: Mapping[str, Raw], model: str, *, is_embeddings: bool) -> Request:
    """With the messages for a count of the tokens, and the parameters for the record."""
    given = next((sent[name] for name in GIVEN if sent.get(name, NO_RAW) != NO_RAW), NO_MESSAGES)
    parameters = {name: raw for name, raw in sent.items() if name in RECORDED}
    if is_embeddings:
        texts = sent.get("input", NO_RAW)
        is_text = bytes(texts)[:1] in (b'"', b"[")
        return EmbeddingsRequest(
            model=model, input=texts if is_text else NO_MESSAGES, parameters=parameters
        )
    return ChatRequest(model=model, messages=given, parameters=parameters)


def _text(raw: Raw) -> str:
    """A text that can be a name, or none."""
    if bytes(raw)[:1] != b'"' or len(bytes(raw)) > LONGEST_NAME:
        return ""
    try:
        return msgspec.json.decode(raw, type=str)
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _sent_fields(body: bytes) -> Mapping[str, Raw]:
    if body[:1] not in (b"{", b" ", b"\n"):
        return {}
    try:
        return _decode_fields(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
