"""Call a provider's adapter: adapt, encode and decode the requests of all routes."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from headway.dialects.base import Dialect
from headway.errors import InvalidField, RequestError, UpstreamError
from headway.events import (
    Embeddings,
    EmbeddingsReceived,
    Event,
    Failed,
    Finished,
    ModelReported,
    ServiceTierReported,
    Started,
    StreamEnd,
    UsageReported,
)
from headway.pipeline.gateway import Upstream
from headway.providers import KINDS
from headway.providers.custom_tools import custom_as_functions
from headway.providers.embedding_vectors import count_given_tokens, fit_vectors
from headway.providers.http_errors import INVALID_JSON, find_error
from headway.providers.operations import (
    Operation,
    OperationDecoder,
    decode_operation,
    encode_operation,
)
from headway.providers.parameters import check, write_whole_numbers
from headway.providers.transformations import changes
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    HttpRequest,
    RelayedRequest,
    Request,
    Target,
    Transformation,
)
from headway.wire.custom_tools import CUSTOM_TOOLS
from headway.wire.url import join

NO_CHANGES: tuple[Transformation, ...] = ()
MALFORMED = (
    LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError, RecursionError
)  # fmt: skip
"""Exceptions that an adapter may raise for a malformed request or response."""
_decode_any = msgspec.json.Decoder().decode
STARTS = (Started, StreamEnd, UsageReported, ServiceTierReported, ModelReported)
"""Events that a response without content may have."""


def check_parameters(upstream: Upstream, request: Request) -> Request:
    """The request, with its parameters as the provider's table of them reads them. Raises
    InvalidField."""
    parameters = check(upstream.provider.parameters, request.parameters)
    return request if parameters is request.parameters else replace(request, parameters=parameters)


def refuse_changes(
    upstream: Upstream, request: Request, transformations: tuple[Transformation, ...]
) -> None:
    """Raises InvalidField for a change of what the client sent."""
    for change in changes(request, transformations):
        message = f"strict: {upstream.name} would get this request with a change: {change}."
        raise InvalidField(message, param=change.parameter, status=400)


def refuse_drops(upstream: Upstream, transformations: tuple[Transformation, ...]) -> None:
    """Raises InvalidField for a parameter that the provider would not get."""
    for change in transformations:
        if change.action == "dropped":
            message = f"provider.require_parameters: {upstream.name} would not get all: {change}."
            raise InvalidField(message, param=change.parameter, status=400)


def changes_calls(transformations: Iterable[Transformation]) -> bool:
    """Whether the provider calls functions in place of custom tools: a client of the same wire
    format cannot get its bytes then."""
    return any(each.parameter == CUSTOM_TOOLS for each in transformations)


def adapt(upstream: Upstream, request: Request) -> tuple[Request, tuple[Transformation, ...]]:
    """The request as the provider accepts it. Raises RequestError if it cannot accept it."""
    parameters = write_whole_numbers(request.parameters)
    if parameters is not request.parameters:
        request = replace(request, parameters=parameters)
    if isinstance(request, RelayedRequest):
        return _adapt_relayed(upstream, request)
    if isinstance(request, EmbeddingsRequest):
        if upstream.provider.encode_embeddings is None:
            message = f"{upstream.name} has no embeddings, or Headway does not know them."
            raise RequestError(message, param="model")
        native = request.native
        if native is None or native.wire == upstream.provider.wire:
            return request, ()
        return replace(request, native=None), request.lost
    try:
        options, first = upstream.options, NO_CHANGES
        if not upstream.provider.has_custom_tools and "tools" in request.parameters:
            request, first = custom_as_functions(request)
        request = replace(request, options=options) if options else request
        adapted, then = upstream.provider.adapt(request)
        return adapted, (*first, *then) if first else then
    except MALFORMED as exc:
        raise _cannot_encode(upstream, exc) from exc


def select_wire_format(upstream: Upstream, wire: str, model: str) -> Upstream:
    """``upstream`` with its adapter for ``wire``, the client's wire format, if it has one for the
    model besides that of its own format; else ``upstream`` itself."""
    other = upstream.provider.other_wires.get(wire)
    if other is None or not other.serves(model, upstream.options):
        return upstream
    return replace(upstream, provider=other.provider)


def adapt_client_request(
    upstream: Upstream, dialect: Dialect, request: Request
) -> tuple[Request, tuple[Transformation, ...]]:
    """The request as the provider accepts it: of the same wire format as it is. Raises
    RequestError."""
    if not isinstance(request, ChatRequest) or request.native is None:
        return adapt(upstream, request)
    provider = upstream.provider
    if provider.wire == request.native.wire and provider.encode_native is not None:
        return adapt_native(upstream, request)
    converted, first = dialect.convert_request(request)
    adapted, then = adapt(upstream, replace(converted, is_converted=True))
    return adapted, (*first, *then)


def _adapt_relayed(
    upstream: Upstream, request: RelayedRequest
) -> tuple[Request, tuple[Transformation, ...]]:
    operation = upstream.provider.operations.get(request.operation)
    is_elsewhere = upstream.base_url != upstream.provider.base_url
    if operation is None or not (operation.is_vendors or is_elsewhere):
        raise _no_operation(upstream, request.operation)
    try:
        return operation.adapt(request)
    except MALFORMED as exc:
        raise _cannot_encode(upstream, exc) from exc


def _no_operation(upstream: Upstream, operation: str) -> RequestError:
    """The error names the kinds that have the operation: all are imported for it."""
    kinds = [
        kind
        for kind, provider in KINDS.items()
        if operation in provider.operations and provider.operations[operation].is_vendors
    ]
    message = f"{upstream.name} has no {operation}, or Headway does not know it."
    return RequestError(f"{message} Kinds that have it: {', '.join(kinds)}.", param="model")


def operation_of(upstream: Upstream, request: RelayedRequest) -> Operation:
    """That of a request which ``adapt`` has accepted."""
    return upstream.provider.operations[request.operation]


def adapt_native(
    upstream: Upstream, request: ChatRequest
) -> tuple[ChatRequest, tuple[Transformation, ...]]:
    """A request of the provider's own wire format. Raises RequestError if it is malformed."""
    try:
        return upstream.provider.adapt_native(request)
    except MALFORMED as exc:
        raise _cannot_encode(upstream, exc) from exc


def encode(upstream: Upstream, request: Request, target: Target) -> HttpRequest:
    """Raises RequestError, InvalidField."""
    try:
        if isinstance(request, ChatRequest):
            if request.native is not None and upstream.provider.encode_native is not None:
                return upstream.provider.encode_native(request, target)
            return upstream.provider.encode_request(request, target)
        if isinstance(request, RelayedRequest):
            return encode_operation(operation_of(upstream, request), request, target)
        assert isinstance(request, EmbeddingsRequest)
        assert upstream.provider.encode_embeddings is not None
        return upstream.provider.encode_embeddings(request, target)
    except MALFORMED as exc:
        _check_address(target.base_url)
        raise _cannot_encode(upstream, exc) from exc


def decode(upstream: Upstream, request: Request, body: bytes) -> list[Event]:
    """The events of a response body. An error in its place, in a shape that the adapter does not
    know, is a ``Failed``. Raises what adapters raise (``MALFORMED``)."""
    try:
        events = _decode(upstream, request, body)
    except UpstreamError as error:
        return [Failed(error)]
    except MALFORMED:
        error_in_place = find_error(body)
        if error_in_place is None:
            raise
        return [Failed(error_in_place)]
    return [*events, *find_failure(events, body)]


def _decode(upstream: Upstream, request: Request, body: bytes) -> list[Event]:
    if isinstance(request, ChatRequest):
        return upstream.provider.decode_response(body)
    assert isinstance(request, EmbeddingsRequest)
    assert upstream.provider.decode_embeddings is not None
    return _events_of(fit_vectors(upstream.provider.decode_embeddings(body), request))


def decode_relayed(
    upstream: Upstream, request: RelayedRequest, body: bytes, is_json: bool
) -> list[Event]:
    """The events of a body that is passed on. Raises what adapters raise (``MALFORMED``)."""
    try:
        return decode_operation(operation_of(upstream, request), request, body, is_json)
    except UpstreamError as error:
        return [Failed(error)]


def relayed_decoder(
    upstream: Upstream, request: RelayedRequest, is_binary: bool
) -> OperationDecoder:
    """For a stream that is passed on."""
    return OperationDecoder(operation_of(upstream, request), request, is_binary)


def find_failure(events: list[Event], data: bytes) -> list[Event]:
    """The failure that ``data`` is, if its ``events`` have no content: the error may be in a shape
    that the adapter does not know."""
    if any(type(event) not in STARTS for event in events):
        return []
    error = find_error(data)
    return [] if error is None else [Failed(error)]


def objects_in(data: bytes) -> list[bytes] | None:
    """The objects in JSON that is itself none: those of an array; null, a number, an empty text and
    white space have none. None for an object, and for data that is no JSON."""
    if not data.strip():
        return []
    try:
        parsed = _decode_any(data)
    except INVALID_JSON:
        return None
    if isinstance(parsed, dict):
        return None
    items = parsed if isinstance(parsed, list) else ()
    return [msgspec.json.encode(item) for item in items if isinstance(item, dict)]


def prompt_of(request: Request) -> bytes:
    """The input as chat messages in JSON, for the token counter."""
    if isinstance(request, ChatRequest):
        return bytes(request.messages)
    if isinstance(request, RelayedRequest):
        return b"[]"
    given = msgspec.json.decode(request.input)
    texts = given if isinstance(given, list) else [given]
    messages = [{"role": "user", "content": text} for text in texts if isinstance(text, str)]
    return msgspec.json.encode(messages)


def tokens_in(request: Request) -> int:
    """The number of tokens that the client sent in place of texts."""
    if isinstance(request, ChatRequest):
        return request.given_tokens
    return count_given_tokens(request.input) if isinstance(request, EmbeddingsRequest) else 0


def _events_of(embeddings: Embeddings) -> list[Event]:
    """Vectors are not billed as output tokens."""
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


def _cannot_encode(upstream: Upstream, exc: Exception) -> RequestError:
    """Adapters assume valid values; an error over another value is the client's."""
    why = exc if isinstance(exc, msgspec.MsgspecError) else "a value has a form that it cannot read"
    return RequestError(f"{upstream.name} cannot encode this request: {why}.")
