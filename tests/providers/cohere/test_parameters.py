"""OpenAI's parameters as Cohere's, with the transformations."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.cohere.provider import PROVIDER
from headway.types import ChatRequest, Target
from support.adapter_requests import chat, sent_body, transformations
from support.for_each import for_each

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"
TARGET = Target(provider="cohere", base_url="https://api.cohere.com", api_key="k")
USER: list[Any] = [{"role": "user", "content": "a"}]


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
EMPTY = {"type": "object", "properties": {}}


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


F, G = tool("f"), tool("g")
NAMED = {"type": "function", "function": {"name": "f"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}

PARAMETERS: list[tuple[str, Any, Any, list[str]]] = [
    (NEW, {"top_p": 0.5, "top_k": 5, "stop": "x"}, {"p": 0.5, "k": 5, "stop_sequences": ["x"]},
     ["renamed top_p -> p", "renamed top_k -> k",
      "renamed stop -> stop_sequences"]),
    (NEW, {"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]},
     ["renamed stop -> stop_sequences"]),
    (NEW, {"temperature": 1.5, "frequency_penalty": -1},
     {"temperature": 1},
     ["clamped frequency_penalty: -1 -> 0 (minimum)",
      "clamped temperature: 1.5 -> 1 (maximum)"]),
    (NEW, {"max_completion_tokens": 5}, {"max_tokens": 5},
     ["renamed max_completion_tokens -> max_tokens"]),
    (NEW, {"max_tokens": 5, "seed": 1, "logprobs": True, "safety_mode": "OFF", "priority": 1},
     {"max_tokens": 5, "seed": 1, "logprobs": True, "safety_mode": "OFF", "priority": 1}, []),
    (NEW, {"n": 1, "frequency_penalty": 0, "stream_options": {}, "store": False, "seed": None},
     {}, []),
    (NEW, {"n": 2, "user": "u"}, {},
     ["dropped n: unsupported by Cohere",
      "dropped user: unsupported by Cohere"]),
    (NEW, {"response_format": {"type": "text"}}, {}, []),
    (NEW, {"response_format": {"type": "json_object"}},
     {"response_format": {"type": "json_object"}}, []),
    (NEW, {"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "schema": SCHEMA, "description": "d"}}},
     {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
     ["dropped response_format.json_schema.description: unsupported by Cohere"]),
    (NEW, {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
     {"response_format": {"type": "json_object", "json_schema": SCHEMA}}, []),
    # Tools, and the choice among them.
    (NEW, {"tools": [F], "tool_choice": "auto", "parallel_tool_calls": True}, {"tools": [F]}, []),
    (NEW, {"tools": [F], "tool_choice": "required"}, {"tools": [F], "tool_choice": "REQUIRED"}, []),
    (NEW, {"tools": [F], "tool_choice": "none"}, {"tools": [F], "tool_choice": "NONE"}, []),
    (NEW, {"tools": [F, G], "tool_choice": NAMED}, {"tools": [F], "tool_choice": "REQUIRED"},
     ["emulated tool_choice: by offering only the tools that it names"]),
    (NEW, {"tools": [F, G], "tool_choice": ALLOWED}, {"tools": [F]},
     ["emulated tool_choice: by offering only the tools that it names"]),
    (NEW, {"tool_choice": "required", "tools": []}, {}, []),
    (OLD, {"tools": [F], "tool_choice": "required"}, {"tools": [F]},
     [f"dropped tool_choice: unsupported by {OLD}"]),
    (NEW, {"tools": [F, tool("g", strict=True)], "parallel_tool_calls": False},
     {"tools": [F, G], "strict_tools": True},
     ["dropped parallel_tool_calls: the model may always call several at once",
      "renamed tools[].function.strict -> strict_tools"]),
    (NEW, {"tools": [{"type": "web_search"}]}, {}, ["dropped tools: unsupported type"
     " web_search"]),
    (NEW, {"tools": [{"type": "function", "function": {"name": "f"}, "cache_control": {}}]},
     {"tools": [{"type": "function", "function": {"name": "f", "parameters": EMPTY}}]},
     ["dropped cache_control: the provider has no cache markers"]),
    (NEW, {"functions": [F["function"]], "function_call": "auto"}, {"tools": [F]},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice"]),
    (NEW, {"functions": [F["function"]], "function_call": {"name": "f"}},
     {"tools": [F], "tool_choice": "REQUIRED"},
     ["renamed functions -> tools",
      "renamed function_call -> tool_choice",
      "emulated tool_choice: by offering only the tools that it names"]),
    # Reasoning.
    (REASONING, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}},
     ["renamed reasoning_effort -> thinking"]),
    (REASONING, {"reasoning": {"enabled": False}}, {"thinking": {"type": "disabled"}},
     ["renamed reasoning -> thinking"]),
    (REASONING, {"reasoning_effort": "low"},
     {"thinking": {"type": "enabled", "token_budget": 2048}},
     ["emulated reasoning_effort: as thinking of at most 2048 tokens"]),
    (REASONING, {"reasoning": {"max_tokens": 7}},
     {"thinking": {"type": "enabled", "token_budget": 7}},
     ["emulated reasoning: as thinking of at most 7 tokens"]),
    (REASONING, {"reasoning": {"effort": "high"}}, {"thinking": {"type": "enabled"}},
     ["emulated reasoning: as thinking without a token limit"]),
    (REASONING, {"reasoning": {}}, {}, []),
    (REASONING, {"thinking": {"token_budget": 5}},
     {"thinking": {"type": "enabled", "token_budget": 5}}, []),
    (REASONING, {"thinking": {"type": "enabled", "budget_tokens": 5}},
     {"thinking": {"type": "enabled", "token_budget": 5}},
     ["renamed thinking.budget_tokens -> thinking.token_budget"]),
    (NEW, {"reasoning_effort": "high"}, {},
     [f"dropped reasoning_effort: unsupported by {NEW}"]),
    (NEW, {"thinking": {"type": "disabled"}}, {}, []),
    (NEW, {"reasoning_effort": "none"}, {}, []),
    (NEW, {"thinking": {"budget_tokens": 5}}, {}, [f"dropped thinking: unsupported by {NEW}"]),
]  # fmt: skip


@for_each(("model", "parameters", "expected", "noted"), PARAMETERS)
def test_a_parameter_is_converted_and_each_transformation_is_listed(
    model: str, parameters: Any, expected: Any, noted: list[str]
) -> None:
    request = chat(model, USER, **parameters)
    plain = {"model": model, "messages": USER, "stream": False}
    assert sent_body(PROVIDER, TARGET, request) == {**plain, **expected}
    assert transformations(PROVIDER, request) == noted


def test_default_parameters_are_converted_without_a_transformation() -> None:
    given_ = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
              "presence_penalty": 0}  # fmt: skip
    request = chat(NEW, USER, uses_default_parameters=True, **given_)
    assert transformations(PROVIDER, request) == []
    body = sent_body(PROVIDER, TARGET, request)
    assert (body["temperature"], body["max_tokens"], body["p"]) == (1, 2048, 0.99)
    assert not {"frequency_penalty", "presence_penalty"} & body.keys()


def test_a_model_has_all_parameters() -> None:
    assert PROVIDER.parameters_of(NEW) == PROVIDER.parameters


@pytest.mark.parametrize(
    "request_",
    [
        chat(NEW, [{"role": "user", "content": 5}]),
        chat(NEW, USER, tools=5),
        chat(NEW, USER, response_format="json"),
        chat(NEW, USER, tool_choice={"type": "function"}),
    ],
)
def test_a_malformed_request_raises_request_error(request_: ChatRequest) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(request_)
