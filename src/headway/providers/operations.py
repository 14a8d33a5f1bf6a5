"""Routes of providers whose bodies are passed on: images, audio, moderations, reranking.

The name of an operation is its path below ``/v1``. Only the model's name is put in, and only the
usage is read. A provider whose bodies differ from OpenAI's (or from Jina's, for reranking, of which
OpenAI has none) converts them (``Operation.adapt``, ``Operation.convert``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.events import (
    BodyReceived,
    Event,
    Failed,
    Finished,
    PieceReceived,
    Started,
    UsageReported,
)
from headway.providers.error_shapes import NO_ERRORS
from headway.providers.http_errors import error_from_body, find_error
from headway.providers.relayed_usage import BodyFields, read_body, usage_of
from headway.types import (
    Frame,
    HttpRequest,
    RelayedRequest,
    Target,
    Transformation,
    Usage,
)
from headway.wire.url import join

RelayedAdapted = tuple[RelayedRequest, tuple[Transformation, ...]]
JSON = "application/json"
OPERATIONS: dict[str, str] = {
    "moderations": "classifies texts and images as harmful or not",
    "rerank": "orders documents by their relevance to a query",
    "images/generations": "makes images from a text",
    "images/edits": "changes images",
    "images/variations": "makes images like a given one",
    "audio/speech": "speaks a text",
    "audio/transcriptions": "writes down what is said",
    "audio/translations": "writes down in English what is said",
}
"""Name -> meaning: the columns of docs/providers.md."""
IMAGES = tuple(name for name in OPERATIONS if name.startswith("images/"))
AUDIO = tuple(name for name in OPERATIONS if name.startswith("audio/"))
MARKERS = (b'"usage"', b'"error"')
"""Of the events of a stream that are read; the others may have megabytes of an image."""


def as_given(target: Target, model: str) -> Target:
    return target


def unchanged(request: RelayedRequest) -> RelayedAdapted:
    return request, ()


def same_body(body: bytes) -> bytes:
    return body


class Operation(Struct, frozen=True, kw_only=True):
    """How a provider is called on one of its routes."""

    path: str
    """Below the base URL that ``locate`` gives."""
    locate: Callable[[Target, str], Target] = as_given
    """(target, model) -> the target with its base URL and its authentication."""
    adapt: Callable[[RelayedRequest], RelayedAdapted] = unchanged
    convert: Callable[[bytes], bytes] = same_body
    """The body of a whole response in the shape that the dialects read."""
    makes_images: bool = False
    """Output tokens that are not detailed are those of images."""
    least_audio_s: Decimal = Decimal(0)
    """Shorter audio is billed as this many seconds."""
    models: tuple[str, ...] = ()
    """Names of models that the price data lacks, and that a client may give without a provider."""
    is_vendors: bool = True
    """False: not at the vendor's own address, but other servers of this kind have it."""


def operations(*names: str, **facts: Any) -> Mapping[str, Operation]:
    """The operations ``names`` at their usual paths, with ``facts``."""
    return {
        name: Operation(path=f"/{name}", makes_images=name in IMAGES, **facts) for name in names
    }


def located(
    given: Mapping[str, Operation], locate: Callable[[Target, str], Target]
) -> Mapping[str, Operation]:
    """The operations at other addresses."""
    return {name: replace(one, locate=locate) for name, one in given.items()}


def encode_operation(operation: Operation, request: RelayedRequest, target: Target) -> HttpRequest:
    """The client's own body with the model's name put in. Raises what ``Operation.locate`` does."""
    target = operation.locate(target, request.model)
    form = request.form
    if form is None:
        content_type = JSON
        body = msgspec.json.encode({"model": request.model, **request.parameters})
    else:
        content_type = form.content_type
        view = memoryview(form.body)
        body = b"".join((view[: form.start], request.model.encode(), view[form.end :]))
    key = () if target.api_key is None else (("authorization", f"Bearer {target.api_key}"),)
    sent = (("content-type", content_type), ("accept", "*/*"), *key, *target.headers.items())
    return HttpRequest(join(target.base_url, operation.path), sent, body)


def decode_operation(
    operation: Operation, request: RelayedRequest, body: bytes, is_json: bool
) -> list[Event]:
    """The events of a whole response. Raises UpstreamError for an error in a response of status
    200."""
    fields = BodyFields()
    if is_json:
        body = operation.convert(body)
        fields = read_body(body)
        if bytes(fields.error) not in NO_ERRORS:
            raise error_from_body(msgspec.json.decode(body), None)
    return [
        Started(model=fields.model),
        BodyReceived(body),
        UsageReported(_billed(operation, request, usage_of(fields))),
        Finished("stop"),
    ]


class OperationDecoder:
    """Reads the frames of one streamed response: server-sent events, or pieces of a binary body."""

    def __init__(self, operation: Operation, request: RelayedRequest, is_binary: bool) -> None:
        self._operation = operation
        self._request = request
        self._is_binary = is_binary
        self._has_started = False

    def decode_event(self, frame: Frame, state: Mapping[str, Any]) -> list[Event]:
        events: list[Event] = [PieceReceived()]
        if not self._has_started:
            self._has_started = True
            usage = _billed(self._operation, self._request, Usage())
            events = [Started(), *events, UsageReported(usage)]
        if self._is_binary or not any(marker in frame.data for marker in MARKERS):
            return events
        error = find_error(frame.data)
        if error is not None:
            return [Failed(error)]
        return [*events, *self._report(frame.data)]

    def _report(self, data: bytes) -> list[Event]:
        fields = read_body(data)
        if fields.usage is None:
            return []
        return [UsageReported(_billed(self._operation, self._request, usage_of(fields)))]


def _billed(operation: Operation, request: RelayedRequest, usage: Usage) -> Usage:
    """The usage with what follows from the request and from the operation."""
    if request.characters is not None:
        usage = replace(usage, input_characters=request.characters)
    if usage.audio_seconds is not None and usage.audio_seconds < operation.least_audio_s:
        usage = replace(usage, audio_seconds=operation.least_audio_s)
    if operation.makes_images and usage.output_image_tokens is None:
        usage = replace(usage, output_image_tokens=usage.output_tokens)
    return usage
