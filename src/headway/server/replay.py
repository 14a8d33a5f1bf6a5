"""Run a kept request again, with other models: each runs through the pipeline as a call of its own,
metered and recorded, with the tag ``replay:<id>``.

The request is decoded by the dialect that it came in, so that a request in a native wire format is
converted for each provider as it was for the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import (
    JSON,
    ClientRequest,
    ConvertedRequest,
    DecodedRequest,
    Dialect,
    ResponseContext,
    StreamEncoder,
)
from headway.dialects.gemini.generate import GenerateContent
from headway.dialects.ollama.chat import OllamaChat
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.completions import OpenAICompletions
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.dialects.rate_limits import no_rate_limits
from headway.errors import HeadwayError, RequestError
from headway.events import Event
from headway.ledger.json_views import ErrorView, LogLine, cost_of, log_line
from headway.ledger.store import Call, Conversation, LogRow
from headway.metering.metrics import Metrics
from headway.pipeline.call import GatewayCall
from headway.pipeline.gateway import Gateway
from headway.policy.cache_key import NEW_ANSWER
from headway.policy.keys import KEY_HEADERS
from headway.ports import ResponseHeaders
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, Headers, Transformation

MAX_MODELS = 20
CONCURRENT = 4
"""Calls at a time."""
NOT_KEPT = 409
ROUTE = "/api/replay/{id}"
CREDENTIALS = (b"authorization", *KEY_HEADERS)
"""Headers of a client that are those of its replays, too."""
_encode = msgspec.json.Encoder().encode


class Replay(Struct, frozen=True):
    """What is asked for."""

    models: tuple[str, ...]
    """Each ``provider/model``, or another name that the gateway knows."""
    parameters: Mapping[str, Raw] = {}
    """Fields of the request's own wire format that replace its own; null removes one."""


class ReplayDifference(Struct, frozen=True, kw_only=True):
    """A result less the original; None where one of them is unknown."""

    cost_usd: float | None
    latency_s: float | None
    time_to_first_token_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    same_text: bool | None
    """Whether the texts are the same."""


class ReplayResult(Struct, kw_only=True):
    """One model's answer. With an error there may be no metrics."""

    model: str
    """As it was asked for."""
    id: str | None = None
    """Of the new call."""
    status: int = 200
    error: ErrorView | None = None
    text: str | None = None
    """The answer, or the arguments of its tool calls."""
    output: list[dict[str, Any]] = []
    """The answer's messages in OpenAI's chat format."""
    finish_reason: str | None = None
    metrics: Metrics | None = None
    """As in a reply of the engine route: tokens, cost, times."""
    transformations: list[str] = []
    """What the request lost or changed on its way to this provider."""
    difference: ReplayDifference | None = None


class ReplayedCall(Struct, frozen=True):
    """The call that is replayed."""

    call: LogLine
    text: str | None
    output: tuple[Raw, ...]


class ReplayComparison(Struct, frozen=True):
    """The reply to a replay."""

    id: str
    original: ReplayedCall
    results: list[ReplayResult]
    """In the order of the models asked for."""


# --- The request ----------------------------------------------------------------------------------


class ReplayFormat(Struct, frozen=True):
    """How the body of a request is put together again from what is kept of it."""

    dialect: Dialect
    stream_dialect: Dialect | None = None
    """The one for streams, where another route has them."""
    messages: str = "messages"
    """The field of the messages."""
    dropped: frozenset[str] = frozenset()
    """Fields that a replay must not have, or that mean nothing in it."""
    is_model_in_path: bool = False


_FORMATS = (
    ReplayFormat(OpenAIChat(), dropped=frozenset({"store"})),
    ReplayFormat(AnthropicMessages()),
    ReplayFormat(
        OpenAIResponses(),
        messages="input",
        dropped=frozenset({"previous_response_id", "conversation", "store", "background"}),
    ),
    ReplayFormat(
        GenerateContent(), GenerateContent(is_stream=True), "contents", is_model_in_path=True
    ),
    ReplayFormat(OllamaChat()),
    ReplayFormat(OpenAICompletions(), messages="prompt"),
)
GENERATE = OllamaChat(is_generate=True)
"""Its messages are kept as those of a chat."""
FORMATS: Mapping[str | None, ReplayFormat] = {
    **{form.dialect.wire: form for form in _FORMATS},
    GENERATE.wire: ReplayFormat(
        OllamaChat(), dropped=frozenset({"system", "template", "raw", "context", "suffix"})
    ),
}
"""By the wire format of the kept messages."""
RESERVED = frozenset(
    ("model", "messages", "input", "contents", "prompt", "api_key", "base_url", "strict")
)
"""Fields that no parameter replaces."""


def check_replay(replay: Replay) -> None:
    """Raises RequestError."""
    if not 1 <= len(replay.models) <= MAX_MODELS:
        message = f"`models` must be a list of 1 to {MAX_MODELS} names, each provider/model."
        raise RequestError(message, param="models")
    for name in replay.parameters:
        if name in RESERVED:
            message = f"`parameters.{name}` cannot be replaced: a replay has the request's own."
            raise RequestError(message, param=f"parameters.{name}")


def find_format(conversation: Conversation | None) -> ReplayFormat:
    """Raises RequestError where the messages are not kept, or are none of a chat."""
    if conversation is None or conversation.mode != "full":
        raise not_kept("off" if conversation is None else conversation.mode)
    found = FORMATS.get(conversation.wire)
    if found is None:
        raise RequestError(
            f"A request of the format {conversation.wire} is no chat, and cannot run again.",
            status=NOT_KEPT,
            code="not_replayable",
        )
    return found


def not_kept(mode: str) -> RequestError:
    return RequestError(
        f"The messages of this call were not kept (`{mode}`), so it cannot run again: calls "
        "made with `ledger.content: full` in the configuration, or for this key with "
        "`ledger.content_by_key`, can.",
        status=NOT_KEPT,
        code="content_not_kept",
    )


def new_request(
    form: ReplayFormat, conversation: Conversation, model: str, replay: Replay, *, stream: bool
) -> tuple[Dialect, str, bytes]:
    """The dialect, the argument in the path, and the body of a replay."""
    fields: dict[str, Any] = {
        name: raw for name, raw in conversation.parameters.items() if name not in form.dropped
    }
    fields[form.messages] = _messages(form, conversation)
    given = {name: raw for name, raw in replay.parameters.items() if name != "stream"}
    for name, raw in given.items():
        fields[name] = raw
        if bytes(raw) == b"null":
            del fields[name]
    dialect, argument = form.dialect, ""
    if form.is_model_in_path:
        argument = model
        dialect = form.stream_dialect if stream and form.stream_dialect else dialect
    else:
        fields |= {"model": model, "stream": stream}
    return dialect, argument, _encode(fields)


def _messages(form: ReplayFormat, conversation: Conversation) -> Any:
    if form.messages != "prompt":
        return conversation.messages
    texts = [msgspec.json.decode(raw).get("content", "") for raw in conversation.messages]
    return texts[0] if len(texts) == 1 else texts


def asks_stream(replay: Replay, call: Call) -> bool:
    """As the original, unless ``parameters.stream`` says otherwise."""
    given = replay.parameters.get("stream")
    return bool(call.last.stream) if given is None else bytes(given) == b"true"


# --- The reply ------------------------------------------------------------------------------------


class ReplayDialect:
    """A dialect that decodes as ``inner`` does, and encodes a ``ReplayResult``. It passes no
    response through."""

    wire = None
    id_header = b""
    route = ROUTE
    write_rate_limits = staticmethod(no_rate_limits)

    def __init__(self, inner: Dialect, model: str) -> None:
        self._inner = inner
        self._model = model
        self.name = inner.name
        self.checks_parameters = inner.checks_parameters
        self.parameter_paths = inner.parameter_paths

    def passes_through(self, body: bytes) -> bool:
        return False

    def decode(self, client_request: ClientRequest) -> DecodedRequest:
        return self._inner.decode(client_request)

    def convert_request(self, request: ChatRequest) -> ConvertedRequest:
        return self._inner.convert_request(request)

    def encode_error(self, error: HeadwayError, provider: str | None, request_id: str) -> bytes:
        described = ErrorView(error.type, error.code, error.message)
        return _encode(ReplayResult(model=self._model, status=error.status, error=described))

    def status_of(self, error: HeadwayError) -> int:
        return error.status

    def encode(
        self, context: ResponseContext, response: ResponseAccumulator, metrics: Struct, now: float
    ) -> bytes:
        choices = [choice for _, choice in sorted(response.choices.items())]
        messages = [choice.message() for choice in choices]
        changes: tuple[Transformation, ...] = (*context.transformations, *response.transformations)
        return _encode(
            ReplayResult(
                model=self._model,
                id=context.id,
                text=choices[0].output() if choices else "",
                output=[
                    {name: value for name, value in message.items() if value is not None}
                    for message in messages
                ],
                finish_reason=choices[0].finish_reason if choices else None,
                metrics=metrics,  # type: ignore[arg-type]
                transformations=list(map(str, changes)),
            )
        )

    def stream(self, context: ResponseContext) -> StreamEncoder:
        return ResultEncoder(self, context)


class ResultEncoder:
    """Encodes a stream as the ``ReplayResult`` at its end."""

    content_type = JSON
    is_passthrough = False
    is_framed = True

    def __init__(self, dialect: ReplayDialect, context: ResponseContext) -> None:
        self._dialect = dialect
        self._context = context

    def encode(self, frame: Frame, events: list[Event], now: float) -> bytes | None:
        return None

    def end(self, response: ResponseAccumulator, metrics: Struct, now: float) -> list[bytes]:
        return [self._dialect.encode(self._context, response, metrics, now)]

    def fail(self, error: HeadwayError) -> list[bytes]:
        return [self._dialect.encode_error(error, None, "")]


class CollectingSink:
    """A ``ports.Sink`` that collects the response to a call within this process."""

    def __init__(self) -> None:
        self.is_paused = False
        self.on_pause: Callable[[], None] | None = None
        self.on_resume: Callable[[], None] | None = None
        self.on_gone: Callable[[], None] | None = None
        self._parts: list[bytes] = []
        self._done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def send_response(self, status: int, headers: ResponseHeaders, body: bytes) -> None:
        self.end(body)

    def send_headers(self, status: int, headers: ResponseHeaders) -> None:
        """The result says what the headers do."""

    def write(self, data: bytes) -> None:
        self._parts.append(data)

    def end(self, data: bytes = b"") -> None:
        self._parts.append(data)
        if not self._done.done():
            self._done.set_result(b"".join(self._parts))

    def abort(self) -> None:
        self.end()

    async def body(self) -> bytes:
        """The response, once it is complete; empty where the call was broken off. A caller that
        does not wait any longer ends the call."""
        try:
            return await self._done
        except asyncio.CancelledError:
            if self.on_gone is not None:
                self.on_gone()
            raise


# --- Running it -----------------------------------------------------------------------------------


async def run_replay(
    gateway: Gateway,
    call: Call,
    conversation: Conversation | None,
    replay: Replay,
    headers: Headers = (),
    query: str = "",
) -> ReplayComparison:
    """Run the request of ``call`` with each of the models, ``CONCURRENT`` at a time. An error of a
    model is its result. ``headers`` and ``query`` have the client's gateway key. Raises
    RequestError."""
    check_replay(replay)
    form = find_format(conversation)
    assert conversation is not None
    stream = asks_stream(replay, call)
    original = _original(call, conversation)
    for model in replay.models:  # adapters are imported now, and not while others are timed
        gateway.snapshot.upstreams.get(model.partition("/")[0])
    places = asyncio.Semaphore(CONCURRENT)
    sent = [each for each in headers if each[0] in CREDENTIALS]
    sent += [
        NEW_ANSWER,
        (b"x-headway-tags", f"replay:{call.id}".encode()),
        (b"x-headway-session", f"replay-{call.id[:8]}".encode()),
    ]

    async def run(model: str) -> ReplayResult:
        dialect, argument, body = new_request(form, conversation, model, replay, stream=stream)
        async with places:
            sink = CollectingSink()
            request = ClientRequest(argument, sent, body, query)
            wrapped = ReplayDialect(dialect, model)
            GatewayCall(gateway, wrapped, request, sink, gateway.clock()).begin()
            answer = await sink.body()
        result = _decode_result(answer, model)
        result.difference = _compare(result, original)
        return result

    results = await asyncio.gather(*(run(model) for model in replay.models))
    return ReplayComparison(call.id, original, list(results))


def _decode_result(answer: bytes, model: str) -> ReplayResult:
    if not answer:
        broken = ErrorView(
            "upstream_error", None, "The call was broken off; see the gateway's log."
        )
        return ReplayResult(model=model, status=502, error=broken)
    return msgspec.json.decode(answer, type=ReplayResult)


def _original(call: Call, conversation: Conversation) -> ReplayedCall:
    line = log_line(LogRow(call.last, cost_of(call.attempts)))
    return ReplayedCall(line, text_of(conversation.output), conversation.output)


def text_of(output: Sequence[Raw]) -> str | None:
    """The text of the first message, or the arguments of its tool calls."""
    if not output:
        return None
    message = msgspec.json.decode(output[0])
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str) and content:
        return content
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    calls = (message.get("tool_calls") or []) if isinstance(message, dict) else []
    return "\n".join(call.get("function", {}).get("arguments", "") for call in calls)


def _compare(result: ReplayResult, original: ReplayedCall) -> ReplayDifference | None:
    if result.error is not None or result.metrics is None:
        return None
    found, before = result.metrics, original.call

    def less(name: str) -> Any:
        after, earlier = getattr(found, name), getattr(before, name)
        return None if after is None or earlier is None else after - earlier

    return ReplayDifference(
        cost_usd=less("cost_usd"),
        latency_s=less("latency_s"),
        time_to_first_token_s=less("time_to_first_token_s"),
        input_tokens=less("input_tokens"),
        output_tokens=less("output_tokens"),
        same_text=None if original.text is None else original.text == result.text,
    )
