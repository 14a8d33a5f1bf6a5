"""``POST /v1beta/models/{model}:generateContent`` and ``:streamGenerateContent``: Google's API
(ai.google.dev/api/generate-content), with ``provider/model`` as the model.

The response of a provider with the same wire format is passed through, except that events have the
framing that the client asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import (
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    ResponseContext,
    StreamEncoder,
    decode_object,
    field,
    read_key_header,
    refuse_target_fields,
    split_model,
)
from headway.dialects.gemini.candidates import (
    Call,
    attach,
    finish_fields,
    grounding_fields,
    logprobs_result,
    media_parts,
    usage_metadata,
)
from headway.dialects.gemini.errors import GeminiErrors
from headway.dialects.gemini.generation_config import shows_thoughts
from headway.dialects.gemini.names import Fields, model_of
from headway.dialects.gemini.request import convert, read_fields
from headway.dialects.gemini.stream import GeminiStream
from headway.events import Started
from headway.response_accumulator import ChoiceAccumulator, ResponseAccumulator
from headway.types import NO_RAW, ChatRequest, NativeRequest, Request
from headway.wire.json_repair import is_utf8

WIRE = "gemini"
CONTENTS = field(
    "contents", list[dict[str, Raw] | str] | dict[str, Raw] | str, "a list of contents"
)
PASSED_HEADERS = frozenset(
    {
        b"x-server-timeout", b"x-vertex-ai-llm-request-type",
        b"x-vertex-ai-llm-shared-request-type",
    }
)  # fmt: skip
"""Headers of the client that Google's services read, other than credentials."""
KEEP_ALIVE = b"\r\n"
"""An empty line, which is nothing between two events, and white space in a JSON array. Google's SDK
takes a comment for the beginning of an error (python-genai, _api_client.py)."""

_encode = msgspec.json.Encoder().encode
CONFIG = "generationConfig"
PARAMETER_PATHS = {
    "frequency_penalty": f"{CONFIG}.frequencyPenalty",
    "max_completion_tokens": f"{CONFIG}.maxOutputTokens",
    "max_tokens": f"{CONFIG}.maxOutputTokens",
    "n": f"{CONFIG}.candidateCount",
    "presence_penalty": f"{CONFIG}.presencePenalty",
    "seed": f"{CONFIG}.seed",
    "stop": f"{CONFIG}.stopSequences",
    "temperature": f"{CONFIG}.temperature",
    "top_k": f"{CONFIG}.topK",
    "top_p": f"{CONFIG}.topP",
}


class _Body(Struct):
    """What a whole response has at least: one of these."""

    candidates: list[dict[str, Raw]] | None = None
    promptFeedback: Raw = NO_RAW  # noqa: N815 - the name on the wire


_decode_body = msgspec.json.Decoder(_Body).decode


class GenerateContent(GeminiErrors):
    """The dialect of ``:generateContent``, or with ``is_stream`` of ``:streamGenerateContent``."""

    wire = WIRE
    checks_parameters = False
    parameter_paths: Mapping[str, str] = PARAMETER_PATHS

    def __init__(self, is_stream: bool = False) -> None:
        self._is_stream = is_stream
        method = "streamGenerateContent" if is_stream else "generateContent"
        self.name = "gemini_stream" if is_stream else "gemini_generate"
        self.route = f"/v1beta/models/{{model}}:{method}"

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        name = model_of(client_request.argument)
        provider, model = split_model(name)
        fields = decode_object(client_request.body)
        refuse_target_fields(fields)
        contents = read_fields(fields).get("contents", NO_RAW)
        if not CONTENTS.require({"contents": contents} if contents else {}):
            raise CONTENTS.invalid()
        fields.pop("model", None)
        request = ChatRequest(
            model=model,
            messages=contents,
            stream=self._is_stream,
            native=NativeRequest(WIRE, fields, _passed_headers(client_request)),
        )
        return DecodedRequest(
            provider=provider,
            model_name=name,
            request=request,
            stream=self._is_stream,
            sse=self._is_stream and _is_sse(client_request.query),
            keep_alive=KEEP_ALIVE,
            api_key=read_key_header(client_request.headers),
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        assert request.native is not None
        return convert(request, request.native.fields)

    def passes_through(self, body: bytes) -> bool:
        try:
            found = _decode_body(body)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        is_answer = found.candidates is not None or bool(found.promptFeedback)
        return is_answer and is_utf8(body)

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        """For a provider with another wire format; a passthrough response is not encoded."""
        started = response.started or Started()
        shows = _shows_thoughts(context.call.request)
        return _encode(
            {
                "candidates": [
                    _candidate(index, choice, shows)
                    for index, choice in sorted(response.choices.items())
                ],
                "usageMetadata": usage_metadata(response.reported()),
                "modelVersion": started.model or context.sent.model,
                "responseId": started.id or context.id,
            }
        )

    def stream(self, context: ResponseContext) -> StreamEncoder:
        call = context.call
        return GeminiStream(context, call.sse, _shows_thoughts(call.request))


def _candidate(index: int, choice: ChoiceAccumulator, shows: bool) -> Fields:
    thought, text, extra = "".join(choice.reasoning), choice.joined_text(), choice.extra
    refusal = "".join(choice.refusal)
    calls = []
    for tool in choice.tools.values():
        call = Call(tool.id, tool.name)
        call.arguments = tool.arguments
        calls.append(call)
    parts: list[Fields] = [{"text": thought, "thought": True}] if thought and shows else []
    parts += [{"text": each} for each in (text, refusal) if each]
    parts += media_parts(extra)
    parts += [part for call in calls if (part := call.part()) is not None]
    broken = [call for call in calls if call.part() is None]
    parts = attach(parts, extra.get("reasoning_details") or [], "" if shows else thought)
    content = {"parts": parts or [{"text": ""}], "role": "model"}
    sources = grounding_fields(extra, text)
    refusal = refusal or str(extra.get("refusal") or "")
    found: Fields = {"content": content, "index": index}
    found |= finish_fields(choice.finish_reason, refusal, broken, sources)
    logprobs = logprobs_result(choice.logprobs)
    return found if logprobs is None else {**found, "logprobsResult": logprobs}


def _shows_thoughts(request: Request) -> bool:
    assert isinstance(request, ChatRequest)
    assert request.native is not None
    config = read_fields(request.native.fields).get("generationConfig")
    return config is not None and shows_thoughts(config)


def _is_sse(query: str) -> bool:
    """``alt=sse``; by default, and with ``alt=json``, a stream is one array
    (cloud.google.com/apis/docs/system-parameters)."""
    given = dict(parse_qsl(query))
    alt = given.get("alt") or given.get("$alt") or ""
    return alt.partition(";")[0] == "sse"


def _passed_headers(client_request: ClientRequest) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name.decode(), value.decode("latin-1"))
        for name, value in client_request.headers
        if name in PASSED_HEADERS
    )
