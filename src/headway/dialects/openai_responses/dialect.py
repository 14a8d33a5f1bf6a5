"""``POST /v1/responses``: OpenAI's Responses API, with ``provider/model`` as the model.

What refers to an earlier response is completed by ``pipeline.history``, where the gateway keeps
responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    OpenAIFormat,
    ResponseContext,
    StreamEncoder,
    decode_object,
    read_cache_key,
    read_key_header,
    take_own_fields,
)
from headway.dialects.input_items.convert import (
    WIRE,
    check_fields,
    convert_fields,
    prompt_messages,
)
from headway.dialects.input_items.stored import find_recall
from headway.dialects.openai.stream_options import take_metrics_option
from headway.dialects.openai_responses.output_items import WireEvents
from headway.dialects.openai_responses.reply_storage import RESPONSE_STORAGE
from headway.dialects.openai_responses.response_object import (
    finished_object,
    repeated_fields,
    response_object,
)
from headway.dialects.openai_responses.stream import OpenAIResponsesStream, new_writer
from headway.errors import HeadwayError, InvalidField
from headway.events import (
    Event,
    ExtraFields,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
)
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import ChatRequest, Headers, NativeRequest

BAD_REQUEST = 400
NO = Raw(b"false")
FEATURE_HEADERS = frozenset(
    (b"openai-beta", b"originator", b"session-id", b"session_id", b"thread-id",
     b"x-client-request-id")
)  # fmt: skip
"""Headers that belong to a request of this format; a provider of the format is sent them."""
FEATURE_PREFIX = b"x-codex-"

_encode = msgspec.json.Encoder().encode
PARAMETER_PATHS = {
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
}


class WholeResponse(Struct):
    """What a response has to have, so that strict clients take it."""

    id: str
    object: Literal["response"]
    output: list[dict[str, Raw]]


_decode_response = msgspec.json.Decoder(WholeResponse).decode


class OpenAIResponses(OpenAIFormat):
    """The dialect of ``/v1/responses``."""

    name = WIRE
    route = "/v1/responses"
    wire = WIRE
    checks_parameters = False
    parameter_paths: Mapping[str, str] = PARAMETER_PATHS

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        own = take_own_fields(fields)
        check_fields(fields)
        shows_metrics = take_metrics_option(fields)
        native = NativeRequest(WIRE, fields, feature_headers(client_request.headers))
        request = ChatRequest(
            model=own.model, messages=prompt_messages(fields), stream=own.stream, native=native
        )
        return DecodedRequest(
            provider=own.provider,
            request=request,
            model_name=own.model_name,
            stream=own.stream,
            api_key=read_key_header(client_request.headers),
            session_hint=read_cache_key(fields),
            strict=own.strict,
            shows_metrics=shows_metrics,
            recall=find_recall(fields),
            reply_storage=None if fields.get("store") == NO else RESPONSE_STORAGE,
        )

    def status_of(self, error: HeadwayError) -> int:
        """The API has no 422: what is wrong with a field is a 400."""
        return BAD_REQUEST if isinstance(error, InvalidField) else error.status

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        return convert_fields(request)

    def passes_through(self, body: bytes) -> bool:
        try:
            _decode_response(body)
        except (msgspec.DecodeError, RecursionError):
            return False
        return True

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        writer, out = new_writer(context), WireEvents()
        if 0 in response.choices:
            writer.read(_events_of(response.choices[0]), out)
        started = response.started or Started()
        first_object = response_object(context, started, repeated_fields(context), "in_progress")
        finished = finished_object(response, first_object, [], now)
        writer.close(out, finished["status"])
        return _encode({**finished, "output": writer.output})

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return OpenAIResponsesStream(context)


def feature_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name in FEATURE_HEADERS or name.startswith(FEATURE_PREFIX)
    )


def _events_of(choice: ChoiceAccumulator) -> list[Event]:
    """What a stream of the same choice would have said."""
    events: list[Event] = []
    if choice.reasoning:
        events.append(Reasoning("".join(choice.reasoning)))
    extra = dict(choice.extra)
    events += [ReasoningDetail(detail) for detail in extra.pop("reasoning_details", ())]
    if text := choice.joined_text():
        events.append(Text(text))
    if choice.logprobs:
        events.append(Logprobs(choice.logprobs))
    if extra:
        events.append(ExtraFields(extra))
    if choice.refusal:
        events.append(Refusal("".join(choice.refusal)))
    for position, tool in sorted(choice.tools.items()):
        events.append(ToolStarted(position, tool.id, tool.name))
        events.append(ToolArguments(position, "".join(tool.arguments)))
    return events
