"""The engine's chat route. The first request and reply are the contract's published
sample, verbatim."""

from __future__ import annotations

from typing import Any

from headway.server.openapi.examples.base import (
    ANSWER,
    CONTEXT,
    DEFAULTS,
    HELLO,
    ID,
    MODEL,
    PROVIDER,
    Example,
    new_choice,
)

_WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city now.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}

ENGINE_REQUESTS = (
    Example("The published sample", {"model": MODEL, "chat_input": HELLO}),
    Example("As a stream", {"model": MODEL, "chat_input": HELLO, "is_stream": True}),
    Example(
        "Messages and parameters",
        {
            "model": "gpt-4o",
            "chat_input": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": "Why is the sky blue?"},
            ],
            "parameters": {"temperature": 0.2, "max_tokens": 100},
            "session_id": "sky-1",
        },
    ),
    Example(
        "With a tool",
        {
            "model": "gpt-4o",
            "chat_input": "What is the weather in Oslo?",
            "tools": [_WEATHER_TOOL],
            "tool_choice": "auto",
        },
    ),
)

SAMPLE_REPLY: dict[str, Any] = {
    "id": ID,
    "choices": [
        {
            "finish_reason": "stop",
            "index": 0,
            "logprobs": None,
            "message": {
                "content": ANSWER,
                "role": "assistant",
                "function_call": None,
                "tool_calls": None,
            },
        }
    ],
    "created": 1718622757,
    "model": MODEL,
    "object": "chat.completion",
    "system_fingerprint": None,
    "usage": None,
    "session_id": None,
    "chat_input": HELLO,
    "chat_output": ANSWER,
    "context": CONTEXT,
    "provider": PROVIDER,
    "timestamp": 1718622757.612226,
    "parameters": DEFAULTS,
    "metrics": {
        "input_tokens": 6,
        "output_tokens": 26,
        "total_tokens": 32,
        "cost_usd": 0.000061,
        "latency_s": 1.0556859970092773,
        "time_to_first_token_s": 0.8302950859069824,
        "inter_token_latency_s": 0.008317514702125831,
        "tokens_per_second": 26.523038175483098,
    },
}

_TOOL_ARGUMENTS = '{"city": "Oslo"}'
_TOOL_CALL = {
    "id": "call_7Qm2",
    "type": "function",
    "function": {"name": "weather", "arguments": _TOOL_ARGUMENTS},
}
_TOOL_USAGE = {
    "prompt_tokens": 1204,
    "completion_tokens": 15,
    "total_tokens": 1219,
    "prompt_tokens_details": {"cached_tokens": 1024},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
_TOOL_METRICS = {
    "input_tokens": 1204,
    "output_tokens": 15,
    "total_tokens": 1219,
    "cost_usd": 0.00188,
    "latency_s": 0.75,
    "time_to_first_token_s": 0.53,
    "inter_token_latency_s": 0.02,
    "tokens_per_second": 20.0,
    "reasoning_tokens": 0,
    "cached_tokens": 1024,
    "inter_token_latency_p50_s": 0.018,
    "inter_token_latency_p95_s": 0.031,
    "inter_token_latency_max_s": 0.034,
    "time_to_first_byte_s": 0.51,
    "gateway_overhead_s": 0.0002,
    "attempts": 1,
    "tokens_source": "reported",
    "price": {
        "source": "genai-prices 0.2.3",
        "date": "2024-10-01",
        "model": "gpt-4o",
        "tiered": False,
        "conditions": [],
    },
    "cost_source": "computed",
    "cost_computed_usd": None,
    "cost_unknown_reason": None,
    "model": "gpt-4o",
    "deployment": "gpt-4o-2024-08-06",
}
_TOOL_REPLY = {
    **SAMPLE_REPLY,
    "id": "0b0a4fd1-93b5-4c3e-9b1e-58f1f6b0c1de",
    "choices": [
        {
            "finish_reason": "tool_calls",
            "index": 0,
            "logprobs": None,
            "message": {
                "content": None,
                "role": "assistant",
                "function_call": None,
                "tool_calls": [_TOOL_CALL],
            },
        }
    ],
    "model": "gpt-4o",
    "system_fingerprint": "fp_a1b2c3",
    "usage": _TOOL_USAGE,
    "chat_input": "What is the weather in Oslo?",
    "chat_output": _TOOL_ARGUMENTS,
    "context": [{"role": "user", "content": "What is the weather in Oslo?"}],
    "metrics": _TOOL_METRICS,
    "deployment": "gpt-4o-2024-08-06",
    "transformations": [],
}

ENGINE_REPLIES = (
    Example("The published sample", SAMPLE_REPLY),
    Example("A tool call, with all metrics", _TOOL_REPLY),
)

_FIRST_CHUNK: dict[str, Any] = {
    "id": ID,
    "choices": [new_choice({"role": "assistant", "content": "Hello"})],
    "created": 1718622757,
    "model": MODEL,
    "object": "chat.completion.chunk",
    "system_fingerprint": None,
    "usage": None,
    "session_id": None,
    "provider": PROVIDER,
    "timestamp": 1718622757.386835,
    "chat_output_stream": "Hello",
    "chat_output": None,
    "metrics": None,
    "chat_input": HELLO,
    "context": CONTEXT,
    "parameters": DEFAULTS,
}
_ONLY_FIRST = ("chat_input", "context", "parameters")
_CHUNK = {key: value for key, value in _FIRST_CHUNK.items() if key not in _ONLY_FIRST}
_NEXT_CHUNK = {
    **_CHUNK,
    "choices": [new_choice({"content": "!"})],
    "timestamp": 1718622757.395153,
    "chat_output_stream": "!",
}
_LAST_CHUNK = {
    **_CHUNK,
    "choices": [new_choice({}, "stop")],
    "usage": {"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
    "timestamp": 1718622757.612226,
    "chat_output_stream": "",
    "chat_output": ANSWER,
    "metrics": SAMPLE_REPLY["metrics"],
    "deployment": "gpt-3.5-turbo-0125",
    "transformations": [],
}

ENGINE_CHUNKS = (
    Example("The first event", _FIRST_CHUNK),
    Example("One in the middle", _NEXT_CHUNK),
    Example("The last event", _LAST_CHUNK),
)
