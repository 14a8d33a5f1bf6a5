"""What the vendors of the table refuse, rename, limit, count and mean, one row a fact."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import (
    UpstreamAuth,
    UpstreamError,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
)
from headway.providers import KINDS
from headway.types import ChatRequest, Failed, Finished, Frame, UsageReported

TOOLS = [{"type": "function", "function": {"name": "f"}}]
NAMED = {"type": "function", "function": {"name": "f"}}


def adapted(
    kind: str, given: dict[str, Any], model: str = "m", messages: list[Any] | None = None
) -> tuple[dict[str, Any], list[Any], list[str]]:
    request = ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages or [{"role": "user", "content": "Hi"}]).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in given.items()},
        stream=True,
    )
    found, changes = KINDS[kind].adapt(request)
    left = {name: json.loads(bytes(raw)) for name, raw in found.parameters.items()}
    said = [f"{change.action} {change.parameter}" for change in changes]
    return left, json.loads(bytes(found.messages)), said


# vendor, model, what is given, what is left, what is said
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", "m", {"presence_penalty": 0.5, "frequency_penalty": 0}, {},
     ["dropped presence_penalty"]),
    ("groq", "m", {"store": True, "metadata": {"a": "b"}}, {}, ["dropped store",
     "dropped metadata"]),
    ("groq", "m", {"service_tier": "default"}, {"service_tier": "on_demand"},
     ["clamped service_tier"]),
    ("groq", "m", {"service_tier": "priority"}, {"service_tier": "performance"},
     ["clamped service_tier"]),
    ("groq", "m", {"service_tier": "flex"}, {"service_tier": "flex"}, []),
    ("groq", "m", {"service_tier": None}, {}, []),
    ("groq", "m", {"parallel_tool_calls": False}, {"parallel_tool_calls": False}, []),
    ("deepseek", "deepseek-v4-flash", {"logprobs": True, "reasoning_effort": "low"},
     {"logprobs": True, "reasoning_effort": "low"}, []),
    ("xai", "grok-latest", {"stop": ["a"], "seed": 1}, {"seed": 1}, ["dropped stop"]),
    ("xai", "grok-4.6", {"frequency_penalty": 1}, {}, ["dropped frequency_penalty"]),
    ("xai", "grok-2-1212", {"stop": "a"}, {"stop": ["a"]}, []),
    ("xai", "m", {"top_logprobs": 20, "logprobs": True}, {"top_logprobs": 8, "logprobs": True},
     ["clamped top_logprobs"]),
    ("together", "m", {"logprobs": True}, {"logprobs": 1}, ["clamped logprobs"]),
    ("together", "m", {"logprobs": True, "top_logprobs": 3}, {"logprobs": 3},
     ["clamped logprobs"]),
    ("together", "m", {"logprobs": True, "top_logprobs": 0}, {"logprobs": 1},
     ["clamped logprobs"]),
    ("together", "m", {"logprobs": False, "seed": 1}, {"seed": 1}, []),
    ("together", "m", {"logprobs": 2}, {"logprobs": 2}, []),
    ("together", "m", {"stop": "a"}, {"stop": ["a"]}, []),
    ("fireworks", "m", {"top_logprobs": 20}, {"top_logprobs": 5}, ["clamped top_logprobs"]),
    ("fireworks", "m", {"safety_identifier": "u"}, {}, ["dropped safety_identifier"]),
    ("fireworks", "m", {"prompt_cache_key": "k", "logit_bias": {}, "n": 2},
     {"prompt_cache_key": "k", "logit_bias": {}, "n": 2}, []),
    ("perplexity", "sonar", {"stop": ["a"], "logprobs": True, "logit_bias": {"1": 1}},
     {"stop": ["a"], "logprobs": True}, ["dropped logit_bias"]),
    ("perplexity", "sonar", {"response_format": {"type": "json_object"}},
     {"response_format": {"type": "json_schema",
                          "json_schema": {"name": "answer", "schema": {"type": "object"}}}},
     ["emulated response_format"]),
    ("cerebras", "m", {"logit_bias": {"1": 1}, "service_tier": "flex", "store": True},
     {"logit_bias": {"1": 1}, "service_tier": "flex"}, ["dropped store"]),
    ("moonshot", "moonshot-v1-8k", {"n": 9, "temperature": 0.5}, {"n": 5, "temperature": 0.5},
     ["clamped n"]),
    ("moonshot", "kimi-k3", {"n": 2}, {}, ["dropped n"]),
    ("zai", "glm-5", {"top_p": 0, "presence_penalty": 0, "logprobs": True}, {"top_p": 0.01},
     ["dropped logprobs", "clamped top_p"]),
    ("zai", "glm-5", {"tools": TOOLS, "tool_choice": "auto"},
     {"tools": TOOLS, "tool_choice": "auto"}, []),
    ("zai", "glm-5", {"tools": TOOLS, "tool_choice": "required"}, {"tools": TOOLS},
     ["dropped tool_choice"]),
    ("zai", "glm-5", {"tools": TOOLS, "tool_choice": NAMED}, {"tools": TOOLS},
     ["dropped tool_choice"]),
    ("zai", "glm-5", {"tools": TOOLS, "tool_choice": "none"}, {}, ["emulated tool_choice"]),
    ("dashscope", "qwen-plus", {"n": 9, "frequency_penalty": 1}, {"n": 4},
     ["dropped frequency_penalty", "clamped n"]),
    ("dashscope", "qwen-plus", {"frequency_penalty": 0, "presence_penalty": 1},
     {"presence_penalty": 1}, []),
    ("minimax", "MiniMax-M3", {"presence_penalty": 1, "frequency_penalty": 0, "logit_bias": {}},
     {}, ["dropped presence_penalty", "dropped logit_bias"]),
    ("minimax", "MiniMax-M3", {"reasoning_split": True}, {"reasoning_split": True}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "model", "given", "wanted", "said"), CASES)
def test_a_vendor_is_sent_what_it_takes(
    kind: str, model: str, given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    left, _, told = adapted(kind, given, model)
    assert (left, told) == (wanted, said)


# vendor, a message, what it becomes, what is said of it
MESSAGES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"}, []),
    ("cerebras", {"role": "developer", "content": "a"}, {"role": "system", "content": "a"},
     ["renamed developer"]),
    ("cerebras", {"role": "user", "content": "a", "name": "n"},
     {"role": "user", "content": "a", "name": "n"}, []),
    ("fireworks", {"role": "user", "content": "a", "name": "n"}, {"role": "user", "content": "a"},
     ["dropped messages[].name"]),
    ("fireworks", {"role": "assistant", "content": "a", "reasoning_content": "hm"},
     {"role": "assistant", "content": "a", "reasoning_content": "hm"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "wanted", "said"), MESSAGES)
def test_a_vendor_is_sent_messages_that_it_takes(
    kind: str, given: dict[str, Any], wanted: dict[str, Any], said: list[str]
) -> None:
    _, messages, told = adapted(kind, {}, messages=[given])
    assert (messages, told) == ([wanted], said)


# --- Errors ---------------------------------------------------------------------------------------


def body(**error: Any) -> bytes:
    return json.dumps({"error": error}).encode()


# vendor, status, body, class
ERRORS: list[tuple[str, int, bytes, type[UpstreamError]]] = [
    ("groq", 498, body(message="x", code="capacity_exceeded"), UpstreamOverloaded),
    ("groq", 400, body(message="x"), UpstreamRejected),
    ("fireworks", 412, body(message="x"), UpstreamQuota),
    ("together", 403, body(message="x", type="invalid_request_error"), UpstreamRejected),
    ("together", 401, body(message="x"), UpstreamAuth),
    ("moonshot", 429, body(message="x", type="exceeded_current_quota_error"), UpstreamQuota),
    ("moonshot", 429, body(message="x", type="engine_overloaded_error"), UpstreamOverloaded),
    ("moonshot", 429, body(message="x", type="rate_limit_reached_error"), UpstreamRateLimited),
    ("moonshot", 400, body(message="x", type="content_filter"), UpstreamRejected),
    ("zai", 429, body(message="x", code="1113"), UpstreamQuota),
    ("zai", 429, body(message="x", code="1112"), UpstreamAuth),
    ("zai", 429, body(message="x", code="1302"), UpstreamRateLimited),
    ("zai", 429, body(message="x", code="1305"), UpstreamOverloaded),
    ("zai", 400, body(message="x", code="1211"), UpstreamNotFound),
    ("dashscope", 429, body(message="x", code="insufficient_quota"), UpstreamRateLimited),
    ("dashscope", 400, body(message="x", code="Arrearage"), UpstreamQuota),
    ("dashscope", 403, body(message="x", code="AllocationQuota.FreeTierOnly"), UpstreamQuota),
    ("openrouter", 403, body(message="x", code=403), UpstreamAuth),
    ("openrouter", 403, body(message="x", metadata={"provider_name": "xAI"}), UpstreamRejected),
    ("openrouter", 403, body(message="x", metadata={"reasons": ["hate"]}), UpstreamRejected),
    ("openrouter", 403, b"no", UpstreamAuth),
    ("openrouter", 402, body(message="x", metadata={"provider_name": "xAI"}), UpstreamQuota),
]


@pytest.mark.parametrize(("kind", "status", "said", "cls"), ERRORS)
def test_an_error_blames_what_is_at_fault(
    kind: str, status: int, said: bytes, cls: type[UpstreamError]
) -> None:
    assert type(KINDS[kind].decode_error(status, (), said)) is cls


IDS = [("deepseek", b"x-ds-trace-id"), ("openrouter", b"x-generation-id"), ("xai", b"x-request-id")]


@pytest.mark.parametrize(("kind", "header"), IDS)
def test_an_error_has_the_vendors_name_of_the_request(kind: str, header: bytes) -> None:
    said = body(message="x", metadata={"provider_name": "p"})
    for status in (400, 403, 500):
        assert KINDS[kind].decode_error(status, ((header, b"r1"),), said).request_id == "r1"
        assert KINDS[kind].decode_error(status, (), said).request_id is None


OUTCOMES: list[tuple[int, type[UpstreamError]]] = [
    (1001, UpstreamTimeout),
    (1026, UpstreamRejected),
    (1039, UpstreamRateLimited),
    (2013, UpstreamRejected),
    (2056, UpstreamQuota),
    (1000, UpstreamError),
]


@pytest.mark.parametrize(("code", "cls"), OUTCOMES)
def test_a_failure_within_an_answer_blames_what_is_at_fault(
    code: int, cls: type[UpstreamError]
) -> None:
    said = {"base_resp": {"status_code": code, "status_msg": "no"}, "choices": None}
    (failed,) = KINDS["minimax"].decode_response(json.dumps(said).encode())
    assert isinstance(failed, Failed)
    assert type(failed.error) is cls


# --- Answers --------------------------------------------------------------------------------------

USAGE = {"prompt_tokens": 90, "completion_tokens": 5, "total_tokens": 95}
# what stands in prompt_tokens_details, the tokens written, the tokens read
CACHED: list[tuple[dict[str, Any], int | None, int | None]] = [
    ({"cached_tokens": 40, "cache_creation_input_tokens": 30, "cache_type": "ephemeral"}, 30, 40),
    ({"cached_tokens": 40}, None, 40),
    ({"cache_creation_input_tokens": None}, None, None),
]


@pytest.mark.parametrize(("details", "written", "read"), CACHED)
def test_tokens_written_to_an_explicit_cache_are_counted(
    details: dict[str, Any], written: int | None, read: int | None
) -> None:
    usage = {**USAGE, "prompt_tokens_details": details}
    chunk = json.dumps({"id": "1", "choices": [], "usage": usage}).encode()
    events = KINDS["dashscope"].decode_event(Frame(chunk, None, chunk), {})
    (seen,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert (seen.cache_write_tokens, seen.cache_read_tokens, seen.input_tokens) == (
        written, read, 90,
    )  # fmt: skip


def test_a_usage_that_names_the_cache_elsewhere_is_left_alone() -> None:
    usage = {**USAGE, "cache_creation_input_tokens": 3}
    said = {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": usage}
    events = KINDS["dashscope"].decode_response(json.dumps(said).encode())
    (seen,) = [event.usage for event in events if isinstance(event, UsageReported)]
    assert seen.cache_write_tokens is None


ENDS = [("sensitive", "content_filter"), ("model_context_window_exceeded", "length")]


@pytest.mark.parametrize(("reason", "wanted"), ENDS)
def test_an_end_in_other_words_is_one_of_openais(reason: str, wanted: str) -> None:
    said = {"choices": [{"message": {"content": "a"}, "finish_reason": reason}]}
    events = KINDS["zai"].decode_response(json.dumps(said).encode())
    assert Finished(wanted) in events
