"""Reasoning parameters are converted for the generation of the model."""

from __future__ import annotations

from typing import Any

import pytest

from headway.types import ChatRequest
from support.anthropic_requests import (
    HI,
    TOOL,
    call,
    chat,
    sent,
)
from support.for_each import for_each

ADAPTIVE = {"type": "adaptive", "display": "summarized"}


def budget(tokens: int, **more: Any) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": tokens, **more}


def effort(level: str) -> dict[str, str]:
    return {"effort": level}


HIGH = {"reasoning_effort": "high"}

# what it shows, model, parameters, thinking, output_config, transformations; max_tokens is 40000
THINKING: list[tuple[str, str, dict[str, Any], Any, Any, list[str]]] = [
    ("no reasoning asked", "opus-5-5", {}, None, None, []),
    ("an effort for an adaptive model", "opus-5-5", HIGH, ADAPTIVE, effort("high"), []),
    ("an effort in an object", "opus-5", {"reasoning": effort("low")}, ADAPTIVE, effort("low"), []),
    ("an effort in an object, as a budget", "sonnet-4-5", {"reasoning": effort("high")},
     budget(16384), None, ["renamed reasoning.effort -> thinking.budget_tokens"]),
    ("an effort in an object above the maximum", "opus-4-6", {"reasoning": effort("xhigh")},
     {"type": "adaptive"}, effort("max"), ["clamped reasoning.effort: xhigh -> max (nearest)"]),
    ("an effort for a model that shows its thinking by default", "opus-4-6", HIGH,
     {"type": "adaptive"},
     effort("high"), []),
    ("an effort as a budget", "sonnet-4-5", HIGH, budget(16384), None,
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("an effort as an effort and a budget", "opus-4-5", HIGH, budget(16384), effort("high"),
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("a model without thinking", "3-haiku", HIGH, None, None,
     ["dropped reasoning_effort: unsupported by claude-3-haiku"]),
    ("an effort above the maximum", "opus-4-6", {"reasoning_effort": "xhigh"}, {"type": "adaptive"},
     effort("max"), ["clamped reasoning_effort: xhigh -> max (nearest)"]),
    ("an effort far above the maximum", "opus-4-5", {"reasoning_effort": "xhigh"}, budget(20000),
     effort("high"), ["renamed reasoning_effort -> thinking.budget_tokens",
                      "clamped reasoning_effort: xhigh -> high (nearest)"]),
    ("an effort below the minimum", "opus-5", {"reasoning_effort": "minimal"}, ADAPTIVE,
     effort("low"), ["clamped reasoning_effort: minimal -> low (nearest)"]),
    ("an unknown effort", "opus-5", {"reasoning_effort": "odd"}, ADAPTIVE, effort("odd"), []),
    ("an unknown effort as a budget", "sonnet-4-5", {"reasoning_effort": "odd"}, budget(8192), None,
     ["renamed reasoning_effort -> thinking.budget_tokens"]),
    ("the caller's own output_config", "opus-5",
     {**HIGH, "output_config": effort("low")}, ADAPTIVE, effort("low"), []),
    ("a budget", "sonnet-4-5", {"reasoning": {"max_tokens": 5000}}, budget(5000), None, []),
    ("a budget for a model that takes effort too", "opus-4-6", {"reasoning": {"max_tokens": 5000}},
     budget(5000), None, []),
    ("a budget as an effort", "opus-5", {"reasoning": {"max_tokens": 5000}}, ADAPTIVE,
     effort("medium"), ["renamed reasoning.max_tokens -> output_config.effort"]),
    ("a large budget as an effort", "opus-5", {"reasoning": {"max_tokens": 99000}}, ADAPTIVE,
     effort("xhigh"), ["renamed reasoning.max_tokens -> output_config.effort"]),
    ("a budget below the minimum", "sonnet-4-5", {"reasoning": {"max_tokens": 10}}, budget(1024),
     None, ["clamped reasoning.max_tokens: 10 -> 1024 (minimum)"]),
    ("a budget above max_tokens", "sonnet-4-5", {"reasoning": {"max_tokens": 50000}},
     budget(20000), None, ["clamped reasoning.max_tokens: 50000 -> 20000 (half of max_tokens)"]),
    ("thinking that is not shown", "opus-5", {"reasoning": {"effort": "low", "exclude": True}},
     {"type": "adaptive", "display": "omitted"}, effort("low"), []),
    ("reasoning enabled, without effort and budget", "sonnet-4-5",
     {"reasoning": {"enabled": True}}, budget(8192),
     None, ["emulated reasoning: as a budget of 8192 tokens"]),
    ("Anthropic's own budget", "sonnet-4-5", {"thinking": budget(2000, display="omitted")},
     budget(2000, display="omitted"), None, []),
    ("Anthropic's own adaptive, of a model that takes a budget", "sonnet-4-5",
     {"thinking": {"type": "adaptive"}}, budget(8192), None,
     ["emulated thinking: as a budget of 8192 tokens"]),
    ("Anthropic's own budget, of a model that takes none", "opus-5",
     {"thinking": budget(2000)}, ADAPTIVE, effort("low"),
     ["renamed thinking.budget_tokens -> output_config.effort"]),
    ("Anthropic's own adaptive thinking", "opus-5", {"thinking": {"type": "adaptive"}}, ADAPTIVE,
     None, []),
    ("Anthropic's own thinking that is not shown", "opus-5",
     {"thinking": {"type": "adaptive", "display": "omitted"}},
     {"type": "adaptive", "display": "omitted"}, None, []),
    ("disabled, where that is the default", "sonnet-4-5", {"reasoning_effort": "none"}, None, None,
     []),
    ("disabled, where it must be sent", "opus-5", {"reasoning_effort": "none"},
     {"type": "disabled"},
     None, []),
    ("disabled, under another name", "sonnet-5-5", {"thinking": {"type": "disabled"}},
     {"type": "between_tools"}, None, []),
    ("disabled, where it cannot be", "opus-5-5", {"reasoning": {"enabled": False}}, None,
     effort("low"),
     ["emulated reasoning: as effort low: claude-opus-5-5 always thinks"]),
    ("a budget with a forced call", "sonnet-4-5",
     {**HIGH, "tools": [TOOL], "tool_choice": "required"}, None, None,
     ["dropped reasoning_effort: unsupported by claude-sonnet-4-5 with a forced tool call"]),
]  # fmt: skip


@for_each(
    ("model", "parameters", "thinking", "config", "transformations"),
    [row[1:] for row in THINKING],
    ids=[row[0] for row in THINKING],
)
def test_reasoning_is_converted_for_the_generation_of_the_model(
    model: str, parameters: Any, thinking: Any, config: Any, transformations: list[str]
) -> None:
    body, listed = sent(chat(model=f"claude-{model}", max_tokens=40000, **parameters))
    assert body.get("thinking") == thinking
    assert body.get("output_config") == config
    assert listed == transformations
    assert {"reasoning", "reasoning_effort"}.isdisjoint(body)


# max_tokens, the budget that is sent for 5000
LIMITS: list[tuple[int, int | None]] = [
    (5001, 5000), (5000, 2500), (2000, 1024), (1025, 1024), (1024, None), (1, None),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "tokens"), LIMITS)
def test_a_budget_is_smaller_than_max_tokens(limit: int, tokens: int | None) -> None:
    reasoning = {"max_tokens": 5000}
    body, listed = sent(chat(max_tokens=limit, reasoning=reasoning))
    assert body.get("thinking", {}).get("budget_tokens") == tokens
    assert body["max_tokens"] == limit
    if tokens is None:
        assert listed == ["dropped reasoning: max_tokens must exceed 1024, the minimum budget"]


def ask(*more: Any) -> ChatRequest:
    return chat([*HI, *more], max_tokens=9000, reasoning={"max_tokens": 2000})


CALLED = {"role": "assistant", "content": None, "tool_calls": [call("a", "f")]}
SIGNED = {**CALLED, "reasoning_details": [{
    "type": "reasoning.text", "text": "Hm", "signature": "S",
    "format": "anthropic-claude-v1"}]}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "a", "content": "1"}

# what it shows, messages after the first, whether the budget is sent
CONTINUATIONS: list[tuple[str, list[Any], bool]] = [
    ("no calls yet", [], True),
    ("a call without its thinking", [CALLED, RESULT], False),
    ("a call with its thinking", [SIGNED, RESULT], True),
    ("a call with its thinking in the content",
     [{**CALLED, "content": [{"type": "thinking", "thinking": "", "signature": "S"}]}, RESULT],
     True),
    ("a call without thinking before the last user message", [CALLED, RESULT, *HI], True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("messages", "thinks"),
    [row[1:] for row in CONTINUATIONS],
    ids=[row[0] for row in CONTINUATIONS],
)
def test_a_budget_needs_the_signed_thinking_before_a_tool_call(
    messages: list[Any], thinks: bool
) -> None:
    body, listed = sent(ask(*messages))
    assert ("thinking" in body) is thinks
    if not thinks:
        assert listed == [
            "dropped reasoning: messages lack the signed thinking before the last tool call"
        ]
