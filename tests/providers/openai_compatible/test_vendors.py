"""What each vendor is sent, and what its errors mean: one line a fact."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

from headway import providers
from headway.errors import (
    UpstreamAuth,
    UpstreamContentPolicy,
    UpstreamContextWindow,
    UpstreamError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamOverloaded,
    UpstreamQuota,
    UpstreamRateLimited,
    UpstreamRejected,
)
from headway.providers import KINDS
from headway.providers.openai_compatible import vendors
from headway.types import ChatRequest, Target
from support.adapter_requests import chat
from support.for_each import for_each

HI = [{"role": "user", "content": "Hi"}]
NAMES = [info.name.rstrip("_") for info in iter_modules(vendors.__path__)]
DEFAULTS = {
    "temperature": 1,
    "max_tokens": 2048,
    "top_p": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
}
OWN_WIRES = {"openrouter", "perplexity", "databricks", "cloudflare", "llamafile", "tgi"}
"""The vendors whose streams OpenAI clients cannot read."""


def adapted(kind: str, request: ChatRequest) -> tuple[dict[str, Any], list[Any], list[str]]:
    """The parameters and messages that are sent, and what the transformations say."""
    provider = KINDS[kind]
    found, transformations = provider.adapt(request)
    parameters = {name: json.loads(bytes(raw)) for name, raw in found.parameters.items()}
    said = [f"{one.action} {one.parameter}" for one in transformations]
    return parameters, json.loads(bytes(found.messages)), said


TOOLS = [{"type": "function", "function": {"name": "f"}}]
NAMED = {"type": "function", "function": {"name": "f"}}
SCHEMA = {"type": "object", "properties": {"b": {"type": "string"}, "a": {"minimum": 1.0}}}
TEXT = {"type": "text"}
JSON = {"type": "json_object"}
FORMAT = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
OBJECT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
THREE_TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {}}} for name in ("a", "b", "b2")
]
CHOSEN = {"type": "function", "function": {"name": "b"}}

# vendor, model, given parameters, sent parameters, transformations
PARAMETERS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", "m", {"top_k": 5, "logprobs": None, "seed": 1}, {"seed": 1}, ["dropped top_k"]),
    ("groq", "m", {"n": 2}, {"n": 1}, ["clamped n"]),
    ("groq", "m", {"n": 1}, {"n": 1}, []),
    ("groq", "m", {"search_settings": {}}, {"search_settings": {}}, []),
    ("deepseek", "deepseek-reasoner", {"logprobs": True}, {}, ["dropped logprobs"]),
    ("deepseek", "deepseek-chat", {"logprobs": True}, {"logprobs": True}, []),
    ("deepseek", "m", {"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}, []),
    ("xai", "grok-4", {"stop": ["a"], "reasoning_effort": "low"}, {"reasoning_effort": "low"},
     ["dropped stop"]),
    ("xai", "grok-3-mini", {"reasoning_effort": "low", "presence_penalty": 1},
     {"reasoning_effort": "low"}, ["dropped presence_penalty"]),
    ("xai", "grok-4.3", {"reasoning": {"effort": "none"}}, {"reasoning_effort": "none"},
     ["renamed reasoning"]),
    ("xai", "grok-4.20-reasoning", {"reasoning_effort": "low"}, {}, ["dropped reasoning_effort"]),
    ("xai", "grok-4-fast-non-reasoning", {"stop": ["a"]}, {"stop": ["a"]}, []),
    ("xai", "grok-2-1212", {"stop": ["a"], "logit_bias": {"1": 1}}, {"stop": ["a"]},
     ["dropped logit_bias"]),
    ("openrouter", "m", {"reasoning": {"max_tokens": 9}}, {"reasoning": {"max_tokens": 9}}, []),
    ("together", "m", {"max_completion_tokens": 9}, {"max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("fireworks", "m", {"store": True, "top_k": 5}, {"top_k": 5}, ["dropped store"]),
    ("perplexity", "sonar", {"frequency_penalty": 0, "presence_penalty": 0.5, "seed": 1},
     {"presence_penalty": 0.5}, ["dropped seed"]),
    ("perplexity", "sonar", {"temperature": 2}, {"temperature": 1.99}, ["clamped temperature"]),
    ("cerebras", "m", {"frequency_penalty": 1, "top_k": 5}, {"frequency_penalty": 1},
     ["dropped top_k"]),
    ("moonshot", "kimi-k2.6", {"temperature": 0.3, "max_tokens": 5}, {"max_tokens": 5},
     ["dropped temperature"]),
    ("moonshot", "moonshot-v1-8k", {"temperature": 1.5}, {"temperature": 1},
     ["clamped temperature"]),
    ("zai", "glm-5", {"temperature": 1.5}, {"temperature": 1}, ["clamped temperature"]),
    ("dashscope", "qwen", {"top_p": 0}, {"top_p": 0.001}, ["clamped top_p"]),
    ("minimax", "m", {"temperature": 0}, {"temperature": 0.01}, ["clamped temperature"]),
    ("ai21", "m", {"presence_penalty": 1}, {}, ["dropped presence_penalty"]),
    ("tgi", "m", {"top_p": 1, "temperature": 0.5}, {"temperature": 0.5}, []),
    ("tgi", "m", {"top_p": 0.9}, {"top_p": 0.9}, []),
    ("vllm", "m", {"guided_json": {}, "min_p": 0.1}, {"guided_json": {}, "min_p": 0.1}, []),
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
     {}, ["emulated response_format"]),
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
    ("sambanova", "m", {"presence_penalty": 1, "top_k": 5, "max_completion_tokens": 9},
     {"top_k": 5, "max_completion_tokens": 9}, ["dropped presence_penalty"]),
    ("deepinfra", "m", {"n": 9, "top_p": 0}, {"n": 4, "top_p": 0.001},
     ["clamped n", "clamped top_p"]),
    ("deepinfra", "m", {"n": 4, "max_completion_tokens": 9}, {"n": 4, "max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("deepinfra", "m", {"reasoning": {"enabled": False}}, {"reasoning": {"enabled": False}}, []),
    ("nvidia_nim", "m", {"max_completion_tokens": 9, "chat_template_kwargs": {"thinking": True}},
     {"max_tokens": 9, "chat_template_kwargs": {"thinking": True}},
     ["renamed max_completion_tokens"]),
    ("nebius", "m", {"max_completion_tokens": 9}, {"max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("novita", "m", {"max_completion_tokens": 9, "separate_reasoning": True},
     {"max_tokens": 9, "separate_reasoning": True}, ["renamed max_completion_tokens"]),
    ("hyperbolic", "m", {"max_completion_tokens": 9}, {"max_tokens": 9},
     ["renamed max_completion_tokens"]),
    ("baseten", "m", {"max_completion_tokens": 9, "n": 2}, {"max_tokens": 9, "n": 1},
     ["renamed max_completion_tokens", "clamped n"]),
    ("databricks", "m", {"seed": 1, "frequency_penalty": 1, "max_completion_tokens": 9, "top_k": 4},
     {"max_tokens": 9, "top_k": 4},
     ["dropped seed", "dropped frequency_penalty", "renamed max_completion_tokens"]),
    ("cloudflare", "m", {"max_completion_tokens": 9, "response_format": FORMAT},
     {"max_tokens": 9, "response_format": FORMAT}, ["renamed max_completion_tokens"]),
    ("vercel", "m", {"reasoning": {"max_tokens": 9}}, {"reasoning": {"max_tokens": 9}}, []),
    ("siliconflow", "m", {"reasoning": {"max_tokens": 2000}}, {"thinking_budget": 2000},
     ["renamed reasoning.max_tokens"]),
    ("siliconflow", "m", {"reasoning": {"max_tokens": 9, "effort": "high"}},
     {"thinking_budget": 128, "reasoning_effort": "high"},
     ["renamed reasoning.max_tokens", "clamped reasoning.max_tokens", "renamed reasoning"]),
    ("siliconflow", "m", {"reasoning": {"effort": "high"}}, {"reasoning_effort": "high"},
     ["renamed reasoning"]),
    ("siliconflow", "m", {"reasoning": {"max_tokens": True}}, {}, ["dropped reasoning"]),
    ("siliconflow", "m", {"reasoning": {"max_tokens": 200}, "thinking_budget": 300},
     {"thinking_budget": 300}, ["dropped reasoning"]),
    ("ai21", "m", {"tool_choice": "auto", "seed": 1, "n": 3}, {"n": 3},
     ["dropped tool_choice", "dropped seed"]),
    ("ai21", "m", {"logprobs": True, "top_logprobs": 2, "logit_bias": {}, "frequency_penalty": 1},
     {}, ["dropped logprobs", "dropped top_logprobs", "dropped logit_bias",
          "dropped frequency_penalty"]),
    ("ai21", "m", {"parallel_tool_calls": False}, {}, ["dropped parallel_tool_calls"]),
    ("ai21", "m", {"response_format": FORMAT}, {"response_format": JSON},
     ["emulated response_format"]),
    ("venice", "m", {"logit_bias": {"1": 1}, "service_tier": "auto", "venice_parameters": {"a": 1}},
     {"venice_parameters": {"a": 1}}, ["dropped logit_bias", "dropped service_tier"]),
    ("venice", "m", {"reasoning": {"effort": "low", "summary": "auto"}},
     {"reasoning": {"effort": "low", "summary": "auto"}}, []),
    ("vllm", "m", {"reasoning": {"max_tokens": 9}}, {"thinking_token_budget": 9},
     ["renamed reasoning.max_tokens"]),
    ("sglang", "m", {"reasoning": {"effort": "low", "max_tokens": 9}},
     {"reasoning": {"effort": "low"}}, ["dropped reasoning.max_tokens"]),
    ("deepinfra", "m", {"reasoning": {"max_tokens": 9}}, {}, ["dropped reasoning.max_tokens"]),
    ("venice", "m", {"reasoning": {"max_tokens": None}}, {"reasoning": {"max_tokens": None}}, []),
    ("sglang", "m", {"reasoning": {"effort": "low"}}, {"reasoning": {"effort": "low"}}, []),
    ("lmstudio", "m", {"response_format": JSON}, {"response_format": OBJECT},
     ["emulated response_format"]),
    ("lmstudio", "m", {"response_format": FORMAT, "max_completion_tokens": 9},
     {"response_format": FORMAT, "max_tokens": 9}, ["renamed max_completion_tokens"]),
    ("lmstudio", "m", {"tool_choice": CHOSEN, "tools": THREE_TOOLS},
     {"tool_choice": "required", "tools": THREE_TOOLS[1:2]}, ["emulated tool_choice"]),
    ("llamacpp", "m", {"tool_choice": CHOSEN, "tools": THREE_TOOLS},
     {"tool_choice": "required", "tools": THREE_TOOLS[1:2]}, ["emulated tool_choice"]),
    ("llamafile", "m", {"tool_choice": "auto", "tools": THREE_TOOLS},
     {"tool_choice": "auto", "tools": THREE_TOOLS}, []),
    ("llamacpp", "m", {"tool_choice": CHOSEN}, {"tool_choice": CHOSEN}, []),
    ("llamacpp", "m", {"tool_choice": CHOSEN, "tools": THREE_TOOLS[:1]},
     {"tool_choice": CHOSEN, "tools": THREE_TOOLS[:1]}, []),
    ("llamacpp", "m", {"tool_choice": {"type": "custom"}, "tools": THREE_TOOLS},
     {"tool_choice": {"type": "custom"}, "tools": THREE_TOOLS}, []),
    ("tgi", "m", {"stop": "END"}, {"stop": ["END"]}, []),
    ("tgi", "m", {"stop": ["a", "b"]}, {"stop": ["a", "b"]}, []),
    ("tgi", "m", {"response_format": FORMAT},
     {"response_format": {"type": "json", "value": SCHEMA}}, []),
    ("tgi", "m", {"response_format": JSON},
     {"response_format": {"type": "json", "value": {"type": "object"}}}, []),
    ("tgi", "m", {"response_format": {"type": "json_schema", "json_schema": {"schema": None}}},
     {"response_format": {"type": "json", "value": {"type": "object"}}}, []),
    ("tgi", "m", {"response_format": TEXT}, {}, []),
    ("tgi", "m", {"response_format": {"type": "regex", "value": "a+"}},
     {"response_format": {"type": "regex", "value": "a+"}}, []),
    ("tgi", "m", {"n": 2, "logit_bias": {"1": 1}, "presence_penalty": -2, "top_p": 0},
     {"n": 1, "presence_penalty": -1.999, "top_p": 0.001},
     ["dropped logit_bias", "clamped top_p", "clamped presence_penalty", "clamped n"]),
    ("tgi", "m", {"presence_penalty": 0, "top_p": 1}, {}, []),
]  # fmt: skip


@for_each(("kind", "model", "given", "expected", "said"), PARAMETERS)
def test_a_vendor_is_sent_the_parameters_that_it_supports(
    kind: str, model: str, given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    parameters, messages, found = adapted(kind, chat(model, HI, stream=True, **given))
    asked = [message for message in messages if message["role"] == "user"]
    assert (parameters, asked, found) == (expected, HI, said)


@for_each("kind", NAMES)
def test_transformations_of_default_parameters_are_not_listed_in_the_reply(kind: str) -> None:
    request = chat("m", HI, uses_default_parameters=True, stream=True, **DEFAULTS)
    parameters, _, said = adapted(kind, request)
    assert said == []
    assert parameters.items() <= DEFAULTS.items()
    assert parameters["max_tokens"] == 2048


# vendor, given message, sent message, transformations
MESSAGES: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", {"role": "assistant", "content": "a", "reasoning_content": "hm", "refusal": None},
     {"role": "assistant", "content": "a", "reasoning": "hm"},
     ["renamed messages[].reasoning_content"]),
    ("groq", {"role": "user", "content": "a", "name": "n"}, {"role": "user", "content": "a"},
     ["dropped messages[].name"]),
    ("cerebras",
     {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
     {"role": "user", "content": [{"type": "text", "text": "a"}]},
     ["dropped messages[].content[].cache_control"]),
    ("deepseek", {"role": "developer", "content": "a"}, {"role": "system", "content": "a"},
     ["renamed developer"]),
    ("deepseek", {"role": "assistant", "content": "a", "reasoning_content": "hm"},
     {"role": "assistant", "content": "a", "reasoning_content": "hm"}, []),
    ("openrouter", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"},
     []),
    ("openrouter", {"role": "assistant", "content": "a", "reasoning_details": [{}]},
     {"role": "assistant", "content": "a", "reasoning_details": [{}]}, []),
    ("groq", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"}, []),
    ("cerebras", {"role": "developer", "content": "a"}, {"role": "system", "content": "a"},
     ["renamed developer"]),
    ("cerebras", {"role": "user", "content": "a", "name": "n"},
     {"role": "user", "content": "a", "name": "n"}, []),
    ("fireworks", {"role": "user", "content": "a", "name": "n"}, {"role": "user", "content": "a"},
     ["dropped messages[].name"]),
    ("fireworks", {"role": "assistant", "content": "a", "reasoning_content": "hm"},
     {"role": "assistant", "content": "a", "reasoning_content": "hm"}, []),
    ("vercel", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"}, []),
    ("venice", {"role": "developer", "content": "a"}, {"role": "developer", "content": "a"}, []),
    ("github_models", {"role": "developer", "content": "a"},
     {"role": "developer", "content": "a"}, []),
]  # fmt: skip


@for_each(("kind", "given", "expected", "said"), MESSAGES)
def test_a_vendor_is_sent_messages_with_the_fields_that_it_supports(
    kind: str, given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    _, messages, found = adapted(kind, chat("m", [given, given, *HI]))
    assert (messages, found) == ([expected, expected, *HI], said)


@for_each("kind", NAMES)
def test_a_stream_is_requested_with_usage(kind: str) -> None:
    target = Target(provider=kind, base_url="http://127.0.0.1:1/v1")
    body = json.loads(KINDS[kind].encode_request(chat("m", HI, stream=True), target).body)
    assert body["stream"] is True
    expected = None if kind == "ai21" else {"include_usage": True}  # ai21 rejects the parameter
    assert body.get("stream_options") == expected


# --- What a vendor is -----------------------------------------------------------------------------


def test_every_module_is_a_kind() -> None:
    assert len(NAMES) == 34
    assert set(NAMES) <= set(KINDS)
    assert all(KINDS[name].name == name for name in NAMES)


def test_no_shared_module_names_a_vendor() -> None:
    package = Path(providers.__file__).parent
    shared = [*package.glob("*.py"), *(package / "openai_compatible").glob("*.py")]
    named = {
        f"{path.name}:{node.lineno} {word}"
        for path in shared
        if path.name not in NAMING_MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name | ast.FunctionDef | ast.ClassDef | ast.Constant)
        for word in re.findall(r"[a-z0-9]+", identifier(node).lower())
        if word in NAMES
    }
    assert named == set()


NAMING_MODULES = {"docs.py", "mistral.py"}
"""An example of a configuration, and the module of a vendor."""


def identifier(node: ast.Name | ast.FunctionDef | ast.ClassDef | ast.Constant) -> str:
    """A name, or a string of one word; other strings are documentation."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and " " not in node.value else ""
    return node.id if isinstance(node, ast.Name) else node.name


def test_only_streams_that_openai_clients_can_read_are_passed_on() -> None:
    assert {name for name in NAMES if KINDS[name].wire != "openai_chat"} == OWN_WIRES
    assert len({KINDS[name].wire for name in OWN_WIRES}) == len(OWN_WIRES)


@pytest.mark.parametrize("kind", ["lambda", "github_models"])
def test_the_title_of_a_service_that_was_shut_down_has_the_date(kind: str) -> None:
    assert "shut down on 20" in KINDS[kind].title


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
    ("moonshot", 400, body(message="x", type="content_filter"), UpstreamContentPolicy),
    ("zai", 429, body(message="x", code="1113"), UpstreamQuota),
    ("zai", 429, body(message="x", code="1112"), UpstreamAuth),
    ("zai", 429, body(message="x", code="1302"), UpstreamRateLimited),
    ("zai", 429, body(message="x", code="1305"), UpstreamOverloaded),
    ("zai", 400, body(message="x", code="1211"), UpstreamNotFound),
    ("zai", 400, body(message="x", code="1261"), UpstreamContextWindow),
    ("zai", 400, body(message="x", code="1301"), UpstreamContentPolicy),
    ("dashscope", 429, body(message="x", code="insufficient_quota"), UpstreamRateLimited),
    ("dashscope", 400, body(message="x", code="Arrearage"), UpstreamQuota),
    ("dashscope", 403, body(message="x", code="AllocationQuota.FreeTierOnly"), UpstreamQuota),
    ("openrouter", 403, body(message="x", code=403), UpstreamForbidden),
    (
        "openrouter",
        403,
        body(message="x", metadata={"provider_name": "xAI"}),
        UpstreamContentPolicy,
    ),
    ("openrouter", 403, body(message="x", metadata={"reasons": ["r"]}), UpstreamContentPolicy),
    ("openrouter", 403, b"no", UpstreamForbidden),
    ("openrouter", 402, body(message="x", metadata={"provider_name": "xAI"}), UpstreamQuota),
]


@for_each(("kind", "status", "response", "cls"), ERRORS)
def test_an_error_has_the_class_of_its_status_and_code(
    kind: str, status: int, response: bytes, cls: type[UpstreamError]
) -> None:
    assert type(KINDS[kind].decode_error(status, (), response)) is cls


IDS = [("deepseek", b"x-ds-trace-id"), ("openrouter", b"x-generation-id"), ("xai", b"x-request-id")]


@pytest.mark.parametrize(("kind", "header"), IDS)
def test_an_error_has_the_id_of_the_request(kind: str, header: bytes) -> None:
    response = body(message="x", metadata={"provider_name": "p"})
    for status in (400, 403, 500):
        assert KINDS[kind].decode_error(status, ((header, b"r1"),), response).request_id == "r1"
        assert KINDS[kind].decode_error(status, (), response).request_id is None
