"""``POST /v1/messages``: Anthropic's messages, with ``provider/model`` as the model
(platform.claude.com/docs/en/api/messages/create).

A provider of the same wire format gets the client's fields and feature headers as they are, and its
response is passed through byte for byte. For any other the request is converted to OpenAI's format.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.dialects.anthropic import errors, rate_limits
from headway.dialects.anthropic.request_blocks import Noted
from headway.dialects.anthropic.request_messages import convert_messages
from headway.dialects.anthropic.request_parameters import convert_parameters
from headway.dialects.anthropic.response_blocks import content_blocks, stop_fields
from headway.dialects.anthropic.session import find_session
from headway.dialects.anthropic.stream import AnthropicStream
from headway.dialects.anthropic.usage import final_usage, message_id, whole_usage
from headway.dialects.base import (
    NULL,
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    MessageWithRole,
    ResponseContext,
    StreamEncoder,
    decode_object,
    field,
    read_key_header,
    take_own_fields,
)
from headway.errors import HeadwayError
from headway.events import Started
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Headers, NativeRequest

WIRE = "anthropic_messages"
MESSAGES = field("messages", list[MessageWithRole], "a list of messages, each with a role")
FEATURE_HEADERS = (b"anthropic-version", b"anthropic-beta", b"anthropic-user-profile-id")
"""Headers that change what the API does; a provider of the same format is sent them."""
FEATURE_QUERY = "beta"
"""The parameter of the query that SDKs send with beta features."""

_encode = msgspec.json.Encoder().encode
PARAMETER_PATHS = {"max_completion_tokens": "max_tokens", "stop": "stop_sequences"}


class AnthropicMessages:
    """The dialect of ``/v1/messages``."""

    name = "anthropic_messages"
    route = "/v1/messages"
    wire = WIRE
    checks_parameters = False
    parameter_paths: Mapping[str, str] = PARAMETER_PATHS
    id_header = b"request-id"
    write_rate_limits = staticmethod(rate_limits.write_rate_limits)

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        own = take_own_fields(fields)
        if not MESSAGES.require(fields):
            raise MESSAGES.invalid()
        headers = client_request.headers
        native = NativeRequest(WIRE, fields, _features(headers), _query(client_request.query))
        request = ChatRequest(
            model=own.model,
            messages=fields["messages"],
            parameters=_without_prompt(fields),
            stream=own.stream,
            native=native,
        )
        return DecodedRequest(
            provider=own.provider,
            request=request,
            model_name=own.model_name,
            stream=own.stream,
            api_key=read_key_header(headers),
            session_hint=find_session(fields.get("metadata")),
            strict=own.strict,
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        noted: Noted = {}
        fields = {} if request.native is None else request.native.fields
        messages = convert_messages(fields.get("system"), request.messages, noted)
        parameters = convert_parameters(_without_prompt(fields), noted)
        converted = replace(request, messages=messages, parameters=parameters, native=None)
        return converted, tuple(noted)

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        """For a provider with another wire format; a passthrough response is not encoded."""
        started = response.started or Started()
        choice = response.choices.get(0)
        return _encode(
            {
                "id": message_id(context.id),
                "type": "message",
                "role": "assistant",
                "model": started.model or context.sent.model,
                "content": [] if choice is None else content_blocks(choice, context),
                **stop_fields(choice),
                "usage": whole_usage(final_usage(response, metrics), response.service_tier),
            }
        )

    def passes_through(self, body: bytes) -> bool:
        """Whether the message has what strict clients require."""
        try:
            return _decode_message(body).is_whole
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return AnthropicStream(context)

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        return errors.encode_error(error, request_id)

    def status_of(self, error: HeadwayError) -> int:
        return errors.status_of(error)


class MessageBlock(Struct):
    type: str
    id: str = ""
    name: str = ""
    input: Raw = Raw(NULL)

    @property
    def is_whole(self) -> bool:
        if self.type != "tool_use":
            return True
        return bool(self.id and self.name) and bytes(self.input)[:1] == b"{"


class WholeMessage(Struct):
    """The fields that SDKs require of a message."""

    id: str
    type: str
    role: str
    model: str
    content: list[MessageBlock]
    stop_reason: str
    usage: dict[str, Raw]

    @property
    def is_whole(self) -> bool:
        counts = {"input_tokens", "output_tokens"} <= self.usage.keys()
        is_message = (self.type, self.role) == ("message", "assistant")
        return counts and is_message and all(block.is_whole for block in self.content)


_decode_message = msgspec.json.Decoder(WholeMessage).decode


def _without_prompt(fields: Mapping[str, Raw]) -> dict[str, Raw]:
    return {name: raw for name, raw in fields.items() if name not in ("messages", "system")}


def _features(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The client's feature headers, those that it repeats joined (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name in FEATURE_HEADERS:
            key, text = name.decode(), value.decode("latin-1")
            found[key] = f"{found[key]},{text}" if key in found else text
    return tuple(found.items())


def _query(query: str) -> str:
    """Only the parameter that belongs to the API: there may be a key in the others."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    return f"{FEATURE_QUERY}=true" if given.get(FEATURE_QUERY) == "true" else ""
