"""Requests for reasoning in each form, converted for the models of each vendor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.providers.openai_compatible.reasoning import EFFORTS, ON, nearest_effort, on_off
from headway.types import ChatRequest
from support.for_each import for_each

HI = Raw(b'[{"role":"user","content":"Hi"}]')


def adapted(
    kind: str,
    model: str,
    given: dict[str, Any],
    stream: bool = True,
    uses_default_parameters: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    """The parameters that are sent, and the transformations."""
    request = ChatRequest(
        model=model,
        messages=HI,
        parameters={name: Raw(json.dumps(value).encode()) for name, value in given.items()},
        stream=stream,
        uses_default_parameters=uses_default_parameters,
    )
    found, changes = KINDS[kind].adapt(request)
    left = {name: json.loads(bytes(raw)) for name, raw in found.parameters.items()}
    return left, [str(change) for change in changes]


# What is sent for the efforts none, minimal, low, medium, high, xhigh and max.
OFF = {"thinking": {"type": "disabled"}}
THINK = {"thinking": {"type": "enabled"}}
NO: dict[str, Any] = {}


def efforts(words: str) -> list[dict[str, Any]]:
    return [{"reasoning_effort": word} for word in words.split()]


EFFORT_TABLE: list[tuple[str, str, list[dict[str, Any]]]] = [
    ("groq", "openai/gpt-oss-120b", efforts("low low low medium high high high")),
    ("groq", "qwen/qwen3-32b", efforts("none default default default default default default")),
    ("groq", "llama-3.3-70b-versatile", efforts(" ".join(EFFORTS))),
    ("deepseek", "deepseek-flash", [OFF, *efforts("minimal low medium high xhigh max")]),
    ("deepseek", "deepseek-chat", efforts(" ".join(EFFORTS))),
    ("xai", "grok-code-fast-1", [NO] * 7),
    ("xai", "grok-4.20-0309-reasoning", [NO] * 7),
    ("xai", "grok-4.20-multi-agent", efforts("low low low medium high xhigh xhigh")),
    ("xai", "grok-3-mini", efforts("low low low high high high high")),
    ("xai", "grok-4.3", efforts("none low low medium high high high")),
    ("xai", "grok-4-0709", efforts("none low low medium high high high")),
    ("xai", "grok-4.5", efforts("low low low medium high high high")),
    ("xai", "grok-4.6", efforts("low low low medium high xhigh xhigh")),
    ("together", "openai/gpt-oss-20b", efforts("low low low medium high high high")),
    ("together", "zai-org/GLM-5.2",
     [{"reasoning": {"enabled": False}}, *efforts("high high high high max max")]),
    ("together", "moonshotai/Kimi-K2.6",
     [{"reasoning": {"enabled": False}}, *[{"reasoning": {"enabled": True}}] * 6]),
    ("fireworks", "accounts/fireworks/models/gpt-oss-120b",
     efforts("low low low medium high high high")),
    ("fireworks", "accounts/fireworks/models/glm-5p2",
     efforts("none low low medium high max max")),
    ("perplexity", "sonar-deep-research", efforts("minimal minimal low medium high high high")),
    ("cerebras", "gpt-oss-120b", efforts("low low low medium high high high")),
    ("cerebras", "zai-glm-4.7", [*efforts("none"), *[NO] * 6]),
    ("cerebras", "gemma-4-31b", efforts("none low low medium high high high")),
    ("moonshot", "moonshot-v1-8k", [NO] * 7),
    ("moonshot", "kimi-k2.6", [OFF, *[THINK] * 6]),
    ("moonshot", "kimi-k2.7-code", [NO] * 7),
    ("moonshot", "kimi-k3", efforts("low low low high high max max")),
    ("zai", "glm-4.6", [OFF, *[THINK] * 6]),
    ("zai", "glm-5.2", efforts(" ".join(EFFORTS))),
    ("zai", "glm-5.3", efforts("low low low high high max max")),
    ("dashscope", "qwen-plus",
     [{"enable_thinking": False}, *[{"enable_thinking": True}] * 6]),
    ("dashscope", "deepseek-v4-pro",
     [{"enable_thinking": False}, *efforts("high high high high max max")]),
    ("dashscope", "qwen3-next-80b-a3b-thinking", [NO] * 7),
    ("minimax", "MiniMax-M3", [OFF, *[{"thinking": {"type": "adaptive"}}] * 6]),
    ("minimax", "MiniMax-M2.7", [NO] * 7),
]  # fmt: skip
EACH_EFFORT = [
    (kind, model, effort, sent)
    for kind, model, row in EFFORT_TABLE
    for effort, sent in zip(EFFORTS, row, strict=True)
]


@for_each(("kind", "model", "effort", "expected"), EACH_EFFORT)
def test_an_effort_becomes_what_the_model_supports(
    kind: str, model: str, effort: str, expected: dict[str, Any]
) -> None:
    left, said = adapted(kind, model, {"reasoning_effort": effort})
    assert left == expected
    assert [" ".join(one.split()[:2]).rstrip(":") for one in said] == (
        []
        if expected == {"reasoning_effort": effort}
        else ["dropped reasoning_effort"]
        if not expected
        else ["clamped reasoning_effort"]
        if expected.keys() == {"reasoning_effort"}
        else ["renamed reasoning_effort"]
    )


# vendor, model, given parameters, sent parameters, transformations
REQUESTED: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("groq", "openai/gpt-oss-20b", {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"},
     ["clamped reasoning_effort: xhigh -> high (nearest supported)"]),
    ("groq", "qwen/qwen3-32b", OFF, {"reasoning_effort": "none"},
     ["renamed thinking -> reasoning_effort"]),
    ("groq", "openai/gpt-oss-20b", THINK, {},
     ["dropped thinking: the model's reasoning is not adjustable"]),
    ("groq", "llama", THINK, {}, ["dropped thinking: only reasoning_effort is supported"]),
    ("groq", "openai/gpt-oss-20b", {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"},
     ["renamed reasoning -> reasoning_effort"]),
    ("groq", "openai/gpt-oss-20b", {"reasoning": {"effort": "xhigh"}},
     {"reasoning_effort": "high"},
     ["renamed reasoning -> reasoning_effort",
      "clamped reasoning.effort: xhigh -> high (nearest supported)"]),
    ("groq", "openai/gpt-oss-20b", {"reasoning": {"exclude": True}}, {},
     ["dropped reasoning: only reasoning_effort is supported"]),
    ("groq", "llama", {"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"},
     ["renamed reasoning -> reasoning_effort"]),
    ("deepseek", "deepseek-v4-pro", {"reasoning": {"enabled": False}}, OFF,
     ["renamed reasoning -> thinking"]),
    ("deepseek", "deepseek-v4-pro", {"reasoning": {"enabled": True}}, THINK,
     ["renamed reasoning -> thinking"]),
    ("deepseek", "deepseek-v4-pro", {**THINK, "reasoning_effort": "high"},
     {**THINK, "reasoning_effort": "high"}, []),
    ("deepseek", "deepseek-v4-pro", {**THINK, "reasoning_effort": "none"}, THINK,
     ["renamed reasoning_effort -> thinking"]),
    ("together", "Qwen/Qwen3.5-9B", {"reasoning": {"enabled": False}},
     {"reasoning": {"enabled": False}}, []),
    ("together", "Qwen/Qwen3.5-9B", {"reasoning": {"effort": "high"}},
     {"reasoning": {"enabled": True}},
     ['clamped reasoning: {"effort":"high"} -> {"enabled":true} (nearest supported)']),
    ("fireworks", "qwen3-8b", {"reasoning": {"max_tokens": 900}}, {"reasoning_effort": 900},
     ["renamed reasoning -> reasoning_effort"]),
    ("fireworks", "qwen3-8b", {"thinking": {"type": "enabled", "budget_tokens": 2000}},
     {"thinking": {"type": "enabled", "budget_tokens": 2000}}, []),
    ("fireworks", "qwen3-8b", {"reasoning_effort": 900}, {"reasoning_effort": 900}, []),
    ("dashscope", "qwen-plus", {"reasoning": {"max_tokens": 900}},
     {"thinking_budget": 900, "enable_thinking": True},
     ["renamed reasoning -> thinking_budget"]),
    ("dashscope", "qwen-plus", {"thinking": {"type": "enabled", "budget_tokens": 2000}},
     {"thinking_budget": 2000, "enable_thinking": True},
     ["renamed thinking -> thinking_budget"]),
    ("dashscope", "qwen-plus", {"reasoning": {"max_tokens": 900, "effort": "low"}},
     {"thinking_budget": 900, "enable_thinking": True},
     ["renamed reasoning -> thinking_budget",
      "renamed reasoning -> enable_thinking"]),
    ("dashscope", "qwen-plus", {"enable_thinking": True}, {"enable_thinking": True}, []),
    ("dashscope", "qwen-plus", {"reasoning": {"max_tokens": True}}, {},
     ["dropped reasoning: only reasoning_effort is supported"]),
    ("moonshot", "kimi-latest", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}, []),
    ("minimax", "MiniMax-M2.5", THINK, THINK, []),
]  # fmt: skip


@for_each(("kind", "model", "given", "expected", "said"), REQUESTED)
def test_a_request_for_reasoning_becomes_the_vendors_parameters(
    kind: str, model: str, given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    assert adapted(kind, model, given) == (expected, said)


NAMED = {"type": "function", "function": {"name": "f"}}
CHOICE = "dropped tool_choice: unsupported while the model reasons"
IGNORED = "ignored by DeepSeek during reasoning"
# vendor, model, given parameters, sent parameters, transformations
DURING_REASONING: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("deepseek", "deepseek-v4-flash", {"tool_choice": "required"}, {}, [CHOICE]),
    ("deepseek", "deepseek-v4-flash", {"tool_choice": NAMED}, {}, [CHOICE]),
    ("deepseek", "deepseek-v4-flash", {"tool_choice": "auto"}, {"tool_choice": "auto"}, []),
    ("deepseek", "deepseek-v4-flash", {**OFF, "tool_choice": "required"},
     {**OFF, "tool_choice": "required"}, []),
    ("deepseek", "deepseek-chat", {"tool_choice": "required"}, {"tool_choice": "required"}, []),
    ("deepseek", "deepseek-v4-flash",
     {"temperature": 0.2, "top_p": 0.9, "presence_penalty": 1, "frequency_penalty": None},
     {"top_p": 0.9}, [f"dropped temperature: {IGNORED}", f"dropped presence_penalty: {IGNORED}"]),
    ("deepseek", "deepseek-v4-flash", {**OFF, "temperature": 0.2}, {**OFF, "temperature": 0.2},
     []),
    ("moonshot", "kimi-k2.6", {"tool_choice": "required"}, {}, [CHOICE]),
    ("moonshot", "kimi-k2.6", {**OFF, "tool_choice": NAMED}, {**OFF, "tool_choice": NAMED}, []),
    ("moonshot", "kimi-k3", {"tool_choice": "required"}, {"tool_choice": "required"}, []),
    ("moonshot", "kimi-k3", {"tool_choice": NAMED}, {}, [CHOICE]),
    ("dashscope", "qwen-plus", {"tool_choice": NAMED}, {"tool_choice": NAMED}, []),
    ("dashscope", "qwen-plus", {"tool_choice": NAMED, "enable_thinking": True},
     {"enable_thinking": True}, [CHOICE]),
    ("dashscope", "qwen3.5-plus", {"tool_choice": "required"}, {}, [CHOICE]),
]  # fmt: skip


@for_each(("kind", "model", "given", "expected", "said"), DURING_REASONING)
def test_parameters_that_are_unsupported_during_reasoning_are_dropped(
    kind: str, model: str, given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    assert adapted(kind, model, given) == (expected, said)


def test_dropping_a_default_parameter_is_not_listed() -> None:
    assert adapted(
        "deepseek", "deepseek-flash", {"temperature": 1}, uses_default_parameters=True
    ) == ({}, [])


# model, given parameters, stream, sent parameters, transformations
NO_STREAM = "emulated enable_thinking: as false, because the model reasons in streams only"
UNSTREAMED: list[tuple[str, dict[str, Any], bool, dict[str, Any], list[str]]] = [
    ("qwen3-32b", {}, False, {"enable_thinking": False}, [NO_STREAM]),
    (
        "qwen3-235b-a22b",
        {"seed": 1},
        False,
        {"seed": 1, "enable_thinking": False},
        [NO_STREAM],
    ),
    ("qwen3-32b", {}, True, {}, []),
    ("qwen3-32b", {"enable_thinking": True}, False, {"enable_thinking": True}, []),
    ("qwen3-30b-a3b-instruct-2507", {}, False, {}, []),
    ("qwen3.5-plus", {}, False, {}, []),
    ("qwen-plus", {}, False, {}, []),
]


@pytest.mark.parametrize(("model", "given", "stream", "expected", "said"), UNSTREAMED)
def test_reasoning_is_off_in_responses_without_a_stream_where_the_model_rejects_it(
    model: str, given: dict[str, Any], stream: bool, expected: dict[str, Any], said: list[str]
) -> None:
    assert adapted("dashscope", model, given, stream=stream) == (expected, said)


def test_the_higher_of_two_efforts_that_are_equally_near_is_sent() -> None:
    table = nearest_effort("low", "high")
    assert [dict(table[effort])["reasoning_effort"] for effort in EFFORTS] == [
        "low", "low", "low", "high", "high", "high", "high",
    ]  # fmt: skip
    assert table[ON] == {}
    assert nearest_effort("low", off={"a": 1}, on={"a": 2})["none"] == {"a": 1}
    assert on_off({"a": 1}, {"a": 2}) == {
        "none": {"a": 1}, **{effort: {"a": 2} for effort in (*EFFORTS[1:], ON)}
    }  # fmt: skip
