"""Samples for the tests of both dialects: a call, its context, and its response."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.dialects.base import ClientRequest, DecodedRequest, ResponseContext
from headway.events import Event, Finished, Started, StreamEnd, Text, UsageReported
from headway.metering.metrics import Metrics
from headway.response_accumulator import ResponseAccumulator
from headway.types import ChatRequest, Frame, Usage

NO_FRAME = Frame(b"", None, b"")
STARTED = Started("chatcmpl-1", "gpt-4o-2024-08-06", 1718622757, "fp_1", "default")
USAGE = UsageReported(
    Usage(input_tokens=6, output_tokens=2),
    Raw(b'{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8}'),
)
HELLO: list[Event] = [STARTED, Text("Hello"), Text("!"), Finished("stop"), USAGE, StreamEnd()]
METRICS = Metrics(input_tokens=6, output_tokens=2, total_tokens=8, latency_s=0.5)
ENCODED_METRICS = (
    b'{"input_tokens":6,"output_tokens":2,"total_tokens":8,"cost_usd":null,"latency_s":0.5,'
    b'"time_to_first_token_s":null,"inter_token_latency_s":null,"tokens_per_second":null,'
    b'"reasoning_tokens":null,"cached_tokens":null,"inter_token_latency_p50_s":null,'
    b'"inter_token_latency_p95_s":null,"inter_token_latency_max_s":null,'
    b'"time_to_first_byte_s":null,"gateway_overhead_s":null,"attempts":1,"tokens_source":null,'
    b'"price":null,"cost_source":null,"cost_computed_usd":null,"cost_unknown_reason":null,"model":null,"deployment":null}'
)


def inbound(body: Any, argument: str = "openai", *headers: tuple[bytes, bytes]) -> ClientRequest:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ClientRequest(argument, headers, data)


def context(**more: Any) -> ResponseContext:
    """Of a call with one message and one parameter."""
    request = ChatRequest(
        model="gpt-4o",
        messages=Raw(b'[{"role":"user","content":"Hi"}]'),
        parameters={"top_p": Raw(b"0.5"), "tools": Raw(b"[]")},
    )
    about_context = {k: more.pop(k) for k in ("is_passthrough", "transformations") if k in more}
    shown = {"messages": request.messages, "chat_input": Raw(b'"Hi"')}
    call = DecodedRequest(provider="openai", request=request, **{**shown, **more})
    return ResponseContext(
        id="id-1", request_id="id-1", created=1700000000, call=call, sent=request, **about_context
    )


def fold(*events: Event) -> ResponseAccumulator:
    answer = ResponseAccumulator()
    answer.add(list(events))
    return answer
