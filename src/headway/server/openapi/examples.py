"""Example requests, replies and failures, as the API's document shows them.

The first request and reply are the contract's published sample, verbatim; tests hold every value
here against its shape in ``schemas``.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_HELLO = "Hello! Who are you?"
_ANSWER = (
    "Hello! I am a virtual assistant here to help with any questions or tasks you may have. "
    "How can I assist you today?"
)
_CONTEXT = [{"role": "user", "content": _HELLO}]
_DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
_ID = "72f34d3b-f254-4950-9d6f-9f66e082fd2f"
_MODEL = "gpt-3.5-turbo"
PROVIDER = "openai"


class Example(Struct, frozen=True):
    """One value of a body, under the title that readers pick it by."""

    title: str
    value: Any


def _parameter(*values: Any) -> dict[str, Any]:
    names = ("id", "name", "type", "default", "min", "max", "step")
    return dict(zip(names, values, strict=True))


def _delta(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


# --- The engine route ---------------------------------------------------------------------------

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
    Example("The published sample", {"model": _MODEL, "chat_input": _HELLO}),
    Example("As a stream", {"model": _MODEL, "chat_input": _HELLO, "is_stream": True}),
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
    "id": _ID,
    "choices": [
        {
            "finish_reason": "stop",
            "index": 0,
            "logprobs": None,
            "message": {
                "content": _ANSWER,
                "role": "assistant",
                "function_call": None,
                "tool_calls": None,
            },
        }
    ],
    "created": 1718622757,
    "model": _MODEL,
    "object": "chat.completion",
    "system_fingerprint": None,
    "usage": None,
    "session_id": None,
    "chat_input": _HELLO,
    "chat_output": _ANSWER,
    "context": _CONTEXT,
    "provider": PROVIDER,
    "timestamp": 1718622757.612226,
    "parameters": _DEFAULTS,
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
    },
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
    "id": _ID,
    "choices": [_delta({"role": "assistant", "content": "Hello"})],
    "created": 1718622757,
    "model": _MODEL,
    "object": "chat.completion.chunk",
    "system_fingerprint": None,
    "usage": None,
    "session_id": None,
    "provider": PROVIDER,
    "timestamp": 1718622757.386835,
    "chat_output_stream": "Hello",
    "chat_output": None,
    "metrics": None,
    "chat_input": _HELLO,
    "context": _CONTEXT,
    "parameters": _DEFAULTS,
}
_ONLY_FIRST = ("chat_input", "context", "parameters")
_CHUNK = {key: value for key, value in _FIRST_CHUNK.items() if key not in _ONLY_FIRST}
_NEXT_CHUNK = {
    **_CHUNK,
    "choices": [_delta({"content": "!"})],
    "timestamp": 1718622757.395153,
    "chat_output_stream": "!",
}
_LAST_CHUNK = {
    **_CHUNK,
    "choices": [_delta({}, "stop")],
    "usage": {"prompt_tokens": 6, "completion_tokens": 26, "total_tokens": 32},
    "timestamp": 1718622757.612226,
    "chat_output_stream": "",
    "chat_output": _ANSWER,
    "metrics": SAMPLE_REPLY["metrics"],
    "deployment": "gpt-3.5-turbo-0125",
    "transformations": [],
}

ENGINE_CHUNKS = (
    Example("The first event", _FIRST_CHUNK),
    Example("One in the middle", _NEXT_CHUNK),
    Example("The last event", _LAST_CHUNK),
)

_UNKNOWN: dict[str, Any] = {
    "context_window": None,
    "prices": None,
    "refuses": [],
    "deprecated": None,
}
_LOCAL_MODELS = {
    "name": "Local",
    "models": ["smollm2-135m-instruct"],
    "details": {"smollm2-135m-instruct": _UNKNOWN},
    "source": "bundled",
}
_REASONER = {
    "context_window": 200000,
    "prices": {"input": 2.0, "output": 8.0, "cached": 0.5, "cache_write": None},
    "refuses": ["temperature", "top_p", "frequency_penalty", "presence_penalty"],
    "deprecated": False,
}
_OPENAI_MODELS = {
    "name": "OpenAI",
    "models": ["o3"],
    "details": {"o3": _REASONER},
    "source": "bundled",
}

PROVIDERS = (Example("As configured", ["local", "openai"]),)
MODELS = (
    Example(
        "All providers",
        {"openai": _OPENAI_MODELS, "local": _LOCAL_MODELS},
    ),
    Example("One provider", _LOCAL_MODELS),
)
PARAMETERS = (
    Example(
        "Two of them",
        [
            _parameter("temperature", "Temperature", "float", 1, 0, 2, 0.01),
            _parameter("max_tokens", "Maximum tokens", "integer", 2048, 1, None, 1),
        ],
    ),
)
HEALTH = (Example("Healthy", {"status": "healthy", "message": "Headway is running."}),)


# --- The OpenAI routes --------------------------------------------------------------------------

_OPENAI_REQUEST = {
    "model": "local/smollm2-135m-instruct",
    "messages": [{"role": "user", "content": _HELLO}],
}
OPENAI_REQUESTS = (
    Example("A question", _OPENAI_REQUEST),
    Example(
        "As a stream, with usage",
        {**_OPENAI_REQUEST, "stream": True, "stream_options": {"include_usage": True}},
    ),
)
OPENAI_REPLIES = (
    Example(
        "An answer",
        {
            "id": "chatcmpl-9b1e58f1",
            "object": "chat.completion",
            "created": 1718622757,
            "model": "gpt-3.5-turbo-0125",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": _ANSWER, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 13, "completion_tokens": 26, "total_tokens": 39},
        },
    ),
)
_OPENAI_CHUNK = {
    "id": "chatcmpl-9b1e58f1",
    "object": "chat.completion.chunk",
    "created": 1718622757,
    "model": "gpt-3.5-turbo-0125",
}
OPENAI_CHUNKS = (
    Example(
        "Text",
        {**_OPENAI_CHUNK, "choices": [_delta({"role": "assistant", "content": "Hello"})]},
    ),
    Example("The end of a choice", {**_OPENAI_CHUNK, "choices": [_delta({}, "stop")]}),
    Example(
        "Usage, if asked for",
        {
            **_OPENAI_CHUNK,
            "choices": [],
            "usage": {"prompt_tokens": 13, "completion_tokens": 26, "total_tokens": 39},
        },
    ),
    Example(
        "Metrics, if asked for",
        {**_OPENAI_CHUNK, "choices": [], "metrics": SAMPLE_REPLY["metrics"]},
    ),
)
OPENAI_MODELS = (
    Example(
        "As configured",
        {
            "object": "list",
            "data": [
                {
                    "id": "local/smollm2-135m-instruct",
                    "object": "model",
                    "created": 0,
                    "owned_by": "local",
                    **_UNKNOWN,
                },
                {
                    "id": "openai/o3",
                    "object": "model",
                    "created": 0,
                    "owned_by": "openai",
                    **_REASONER,
                },
            ],
        },
    ),
)
_EMBEDDER = "text-embedding-3-small"
EMBEDDINGS_REQUESTS = (
    Example("A text", {"model": f"{PROVIDER}/{_EMBEDDER}", "input": _HELLO}),
    Example(
        "Two texts, in short vectors",
        {"model": f"{PROVIDER}/{_EMBEDDER}", "input": [_HELLO, _ANSWER], "dimensions": 256},
    ),
)
EMBEDDINGS_REPLIES = (
    Example(
        "One vector, shortened here",
        {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [-0.0139, 0.0187, -0.0454]}],
            "model": _EMBEDDER,
            "usage": {"prompt_tokens": 6, "total_tokens": 6},
        },
    ),
)
