"""Claude on Bedrock in Anthropic's own wire format, for clients of that format
(docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html).

InvokeModel takes the client's fields as they are, with a version in the body and the model in the
URL; beta features are in the body. A stream has Anthropic's events in base64, each in a message of
an AWS event stream: the framer makes Anthropic's server-sent events of them.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from headway.errors import unsupported_thread
from headway.events import Event, Failed
from headway.providers.anthropic import native_request
from headway.providers.anthropic import response as anthropic_response
from headway.providers.base import Adapted, OtherWire, Provider, State
from headway.providers.bedrock.errors import error_from
from headway.providers.bedrock.invoke_request import ANTHROPIC_VERSION
from headway.providers.bedrock.models import family_of
from headway.providers.bedrock.request import chat_url, request_headers
from headway.providers.bedrock.token_counts import CONVERSE_COUNT, count_request
from headway.providers.transformations import dropped, renamed
from headway.types import NO_RAW, ChatRequest, Frame, HttpRequest, Target, Transformation
from headway.wire.aws_event_stream import EventStreamFramer, EventStreamMessage
from headway.wire.json_repair import repair_json
from headway.wire.lenient_json import lenient_decoder

WIRE = "anthropic_messages"
BETA = native_request.BETA
BETAS = frozenset(
    {
        "compact-2026-01-12",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "output-128k-2025-02-19",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    }
)
"""Beta features that Bedrock knows; a request with any other is refused ("invalid beta flag"). More
can be configured as ``beta``."""
RENAMED_BETAS = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}

_encode = msgspec.json.Encoder().encode


class Chunk(Struct):
    bytes: str = ""


class EventType(Struct):
    type: str | None = None


_decode_chunk = lenient_decoder(Chunk)
_decode_type = msgspec.json.Decoder(EventType).decode


def with_anthropic_wire(provider: Provider) -> Provider:
    """``provider`` with Anthropic's wire format for Claude, unless its option ``api`` says
    converse."""
    claude = replace(
        provider,
        wire=WIRE,
        encode_native=encode_native,
        adapt_native=adapt_native,
        decode_event=decode_event,
        framer=InvokeFramer,
        repair_event=repair_json,
        token_count=replace(CONVERSE_COUNT, encode=encode_count),
    )
    return replace(provider, other_wires={WIRE: OtherWire(claude, _serves)})


def _serves(model: str, options: Mapping[str, Any]) -> bool:
    """The ARN of an application inference profile does not say whose model it is: it is served
    where the option ``api`` says invoke."""
    api = options.get("api")
    return api != "converse" and (family_of(model).is_claude or api == "invoke")


# --- Requests -------------------------------------------------------------------------------------


def encode_native(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises RequestError where no region is known."""
    return HttpRequest(
        chat_url("invoke", request, target),
        request_headers(target, request.stream),
        _encode(native_body(request, target)),
    )


def native_body(request: ChatRequest, target: Target) -> dict[str, Any]:
    assert request.native is not None  # the pipeline calls this only for such requests
    fields: dict[str, Any] = {"anthropic_version": ANTHROPIC_VERSION, **request.native.fields}
    if betas := native_request.merged_betas(request, target):
        fields["anthropic_beta"] = betas
    return fields


def adapt_native(request: ChatRequest) -> Adapted:
    """Without what another provider made, and without the beta features that Bedrock refuses.
    Raises RequestError for a conversation that it would have to keep: that is such a feature."""
    adapted, noted = native_request.adapt(request)
    native = adapted.native
    assert native is not None
    if bytes(native.fields.get("thread", NO_RAW)) not in (b"", b"null"):
        raise unsupported_thread()
    headers = dict(native.headers)
    given = [name.strip() for name in headers.get(BETA, "").split(",") if name.strip()]
    kept = [RENAMED_BETAS.get(name, name) for name in given]
    known = [name for name in kept if name in BETAS]
    if known == given:
        return adapted, noted
    headers[BETA] = ",".join(known)
    native = replace(native, headers=tuple(headers.items()))
    return replace(adapted, native=native), (*noted, *_beta_changes(given))


def _beta_changes(given: list[str]) -> list[Transformation]:
    changes = []
    for name in given:
        if name in RENAMED_BETAS:
            changes.append(renamed(BETA, f"{name} -> {RENAMED_BETAS[name]}"))
        elif name not in BETAS:
            changes.append(dropped(BETA, f"{name} is unknown to Amazon Bedrock"))
    return changes


def encode_count(request: ChatRequest, target: Target) -> HttpRequest:
    """A request for the number of its tokens: with the body that would be invoked, whose maximum
    of tokens is required and counts nothing."""
    body = _encode({"max_tokens": 1, **native_body(request, target)})
    return count_request(request, target, {"invokeModel": {"body": b64encode(body).decode()}})


# --- Responses ------------------------------------------------------------------------------------


class InvokeFramer:
    """The events of the model in a stream of InvokeModelWithResponseStream."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        self._messages = EventStreamFramer()

    def feed(self, data: bytes) -> list[Frame]:
        """Raises ValueError for a message that is damaged."""
        return [
            message if is_failure(message) else _as_event(message)
            for message in self._messages.feed(data)
            if is_failure(message) or message.event == "chunk"
        ]

    def end(self) -> list[Frame]:
        return self._messages.end()


def is_failure(message: Frame) -> bool:
    return isinstance(message, EventStreamMessage) and message.is_failure


def _as_event(message: Frame) -> Frame:
    data = b64decode(_decode_chunk(message.data).bytes)
    try:
        event = _decode_type(data).type
    except msgspec.DecodeError:
        event = None  # the decoder repairs it, or fails
    line = b"" if event is None else b"event: %b\n" % event.encode()
    return Frame(data, event, b"%bdata: %b\n\n" % (line, data.replace(b"\n", b" ")))


def decode_event(frame: Frame, state: State) -> list[Event]:
    if is_failure(frame):
        return [Failed(error_from(frame.event, frame.data, None))]
    return anthropic_response.decode_event(frame, state)
