"""``POST /v1/completions``: OpenAI's legacy completions, which continue a text, with
``provider/model`` as the model (platform.openai.com/docs/api-reference/completions).

A provider that has them is sent the request as it is. Any other is asked through chat completions:
the prompt is the only message of the user. It has to be one text then, and no ``suffix``.
"""

from __future__ import annotations

from typing import Any

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
    field,
    read_key_header,
    take_own_fields,
)
from headway.dialects.openai.chat import STREAM_OPTIONS, OpenAIChatStream, passed_through
from headway.dialects.openai.completion_request import convert_completion
from headway.dialects.openai.completion_shape import (
    TextLogprobs,
    is_standard_completion,
    read_standard_chunk,
    text_finish_reason,
)
from headway.dialects.openai.standard_usage import standard_usage
from headway.dialects.openai.stream_options import take_metrics_option
from headway.events import Event, Logprobs, Refusal, Rewritten, Started, Text
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, NativeRequest

WIRE = "openai_completions"
PROMPT = field(
    "prompt",
    str | list[str | int | list[int]],
    "a text, or a list of texts, of tokens, or of lists of tokens",
)
REWRITTEN = Rewritten()
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class OpenAICompletions(OpenAIFormat):
    """The dialect of ``/v1/completions``."""

    name = "openai_completions"
    route = "/v1/completions"
    wire = WIRE
    checks_parameters = False

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        fields = decode_object(client_request.body)
        own = take_own_fields(fields)
        prompt = PROMPT.require(fields)
        if isinstance(prompt, list) and not prompt:
            raise PROMPT.invalid()
        options = STREAM_OPTIONS.read(fields) or {}
        shows_metrics = take_metrics_option(fields)
        request = ChatRequest(
            model=own.model,
            messages=_messages(prompt),
            stream=own.stream,
            given_tokens=_count_tokens(prompt),
            native=NativeRequest(WIRE, fields),
        )
        return DecodedRequest(
            provider=own.provider,
            request=request,
            model_name=own.model_name,
            stream=own.stream,
            api_key=read_key_header(client_request.headers),
            shows_usage=bool(options.get("include_usage")),
            strict=own.strict,
            shows_metrics=shows_metrics,
        )

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        return convert_completion(request)

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        """For a provider without completions; a passthrough response is not encoded."""
        started, prompt = response.started or Started(), echoed_prompt(context)
        return _encode(
            {
                **_head(context, started),
                "choices": [
                    {
                        "text": prompt + choice.joined_text() + "".join(choice.refusal),
                        "index": index,
                        "logprobs": text_logprobs(context).convert(choice.logprobs),
                        "finish_reason": text_finish_reason(choice.finish_reason),
                    }
                    for index, choice in sorted(response.choices.items())
                ],
                "usage": standard_usage(response.usage),
            }
        )

    def passes_through(self, body: bytes) -> bool:
        return is_standard_completion(body)

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return OpenAICompletionsStream(context)


class OpenAICompletionsStream(OpenAIChatStream):
    """A stream of ``text_completion`` objects, framed as chat completions are."""

    __slots__ = ("_logprobs", "_prompt")

    def __init__(self, context: ResponseContext) -> None:
        super().__init__(context)
        self._prompt = echoed_prompt(context)
        self._logprobs: dict[int, TextLogprobs] = {}
        """By the index of the choice."""

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        if self.is_passthrough:
            if self._is_withheld(events):
                return None
            chunk = None if REWRITTEN in events else read_standard_chunk(frame.data)
            if chunk is not None:
                self._note(chunk, events)
                return passed_through(frame)
            if not events:
                return None
            self.is_passthrough = False
        return self._translate(events)

    def _translate(self, events: list[Event]) -> bytes | None:
        texts: dict[int, str] = {}
        logprobs: dict[int, Any] = {}
        for event in events:
            if type(event) is Started:
                self._started = event
            elif type(event) in (Text, Refusal):
                texts[event.index] = texts.get(event.index, "") + event.text  # type: ignore[union-attr]
            elif type(event) is Logprobs:
                logprobs[event.index] = self._logprobs_of(event.index).convert(event.value)
        found = [
            self._choice(index, texts.get(index, ""), logprobs.get(index))
            for index in sorted(texts.keys() | logprobs.keys())
        ]
        return self._event(self._chunk(found)) if found else None

    def _logprobs_of(self, index: int) -> TextLogprobs:
        return self._logprobs.setdefault(index, text_logprobs(self._context))

    def _choice(
        self, index: int, text: str, logprobs: Any = None, reason: str | None = None
    ) -> dict[str, Any]:
        if index not in self._started_choices:
            self._started_choices.add(index)
            text = self._prompt + text
        return {"text": text, "index": index, "logprobs": logprobs, "finish_reason": reason}

    def _last_choice(self, index: int, reason: str | None) -> dict[str, Any]:
        return self._choice(index, "", reason=text_finish_reason(reason))

    def _chunk(self, found: list[dict[str, Any]]) -> dict[str, Any]:
        return {**_head(self._context, self._started), "choices": found}


def _head(context: ResponseContext, started: Started) -> dict[str, Any]:
    return {
        "id": started.id or context.id,
        "object": "text_completion",
        "created": started.created or context.created,
        "model": started.model or context.sent.model,
        "system_fingerprint": started.system_fingerprint,
    }


def echoed_prompt(context: ResponseContext) -> str:
    """The prompt, if the client wants it before the output and the provider was asked through chat
    completions; else empty."""
    fields = _fields_of(context)
    if _is_native(context) or bytes(fields.get("echo", b"")) != b"true":
        return ""
    return _prompt_text(fields)


def text_logprobs(context: ResponseContext) -> TextLogprobs:
    """A converter whose offsets count from the beginning of the prompt."""
    return TextLogprobs(0 if _is_native(context) else len(_prompt_text(_fields_of(context))))


def _is_native(context: ResponseContext) -> bool:
    return isinstance(context.sent, ChatRequest) and context.sent.native is not None


def _fields_of(context: ResponseContext) -> Any:
    request = context.call.request
    assert isinstance(request, ChatRequest)
    assert request.native is not None
    return request.native.fields


def _prompt_text(fields: Any) -> str:
    prompt = _decode(fields["prompt"])
    return str(prompt[0] if isinstance(prompt, list) else prompt)


def _messages(prompt: str | list[str | int | list[int]]) -> Raw:
    """The texts, for counting tokens where the provider reports none."""
    texts = [prompt] if isinstance(prompt, str) else [one for one in prompt if isinstance(one, str)]
    return Raw(_encode([{"role": "user", "content": text} for text in texts]))


def _count_tokens(prompt: str | list[str | int | list[int]]) -> int:
    if isinstance(prompt, str):
        return 0
    return sum(len(each) if isinstance(each, list) else isinstance(each, int) for each in prompt)
