"""What can be asked of a provider, and how its adapter puts it: a chat, or embeddings."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from headway.errors import InvalidField, RequestError
from headway.pipeline.gateway import Upstream
from headway.types import (
    ChatRequest,
    Embeddings,
    EmbeddingsReceived,
    EmbeddingsRequest,
    Event,
    Finished,
    HttpRequest,
    Request,
    Started,
    Target,
    Transformation,
    UsageReported,
)
from headway.wire.url import join

MALFORMED = (
    LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError, RecursionError
)  # fmt: skip
"""What an adapter may raise over a request or an answer that is not as it should be."""


def adapt(upstream: Upstream, request: Request) -> tuple[Request, tuple[Transformation, ...]]:
    """Raises RequestError for what the provider cannot be asked."""
    if isinstance(request, EmbeddingsRequest):
        if upstream.provider.encode_embeddings is None:
            message = f"{upstream.name} has no embeddings, or Headway does not know them."
            raise RequestError(message, param="model")
        return request, ()
    try:
        options = upstream.options
        return upstream.provider.adapt(replace(request, options=options) if options else request)
    except MALFORMED as exc:
        raise _unspeakable(upstream, exc) from exc


def encode(upstream: Upstream, request: Request, target: Target) -> HttpRequest:
    """Raises RequestError, InvalidField."""
    try:
        if isinstance(request, ChatRequest):
            return upstream.provider.encode_request(request, target)
        assert upstream.provider.encode_embeddings is not None
        return upstream.provider.encode_embeddings(request, target)
    except MALFORMED as exc:
        _check_address(target.base_url)
        raise _unspeakable(upstream, exc) from exc


def decode(upstream: Upstream, request: Request, body: bytes) -> list[Event]:
    """A whole answer as events."""
    if isinstance(request, ChatRequest):
        return upstream.provider.decode_response(body)
    assert upstream.provider.decode_embeddings is not None
    return _events_of(upstream.provider.decode_embeddings(body))


def prompt_of(request: Request) -> bytes:
    """What goes in, as chat messages in JSON, to be counted where usage is not reported."""
    if isinstance(request, ChatRequest):
        return bytes(request.messages)
    given = msgspec.json.decode(request.input)
    texts = given if isinstance(given, list) else [given]
    messages = [{"role": "user", "content": text} for text in texts if isinstance(text, str)]
    return msgspec.json.encode(messages)


def _events_of(embeddings: Embeddings) -> list[Event]:
    """Vectors are no tokens: nothing comes out that would be billed."""
    usage = replace(embeddings.usage, output_tokens=0)
    return [
        Started(model=embeddings.model),
        EmbeddingsReceived(embeddings),
        UsageReported(usage),
        Finished("stop"),
    ]


def _check_address(base_url: str) -> None:
    try:
        join(base_url)
    except ValueError as exc:
        raise InvalidField(f"`base_url` is no address to call: {exc}.", param="base_url") from exc


def _unspeakable(upstream: Upstream, exc: Exception) -> RequestError:
    """Adapters read values as they should be; what is another thing is the caller's to mend."""
    why = exc if isinstance(exc, msgspec.MsgspecError) else "a value has a form that it cannot read"
    return RequestError(f"This request cannot be put in the words of {upstream.name}: {why}.")
