"""The Responses API's ``reasoning``, and what a request asks for by configuration."""

from __future__ import annotations

from typing import Any

from support.for_each import for_each
from support.responses_requests import request, sent, transformations

ENCRYPTED = ["reasoning.encrypted_content"]
REASONING: list[tuple[dict[str, Any], Any, list[str]]] = [
    ({}, None, []),
    ({"reasoning_effort": "low"}, {"effort": "low"}, []),
    ({"reasoning": {"effort": "high", "summary": "auto"}},
     {"effort": "high", "summary": "auto"}, []),
    ({"reasoning": {"summary": "auto", "exclude": True, "context": "all_turns"}},
     {"context": "all_turns"}, []),
    ({"reasoning": {"enabled": True}}, None, []),
    ({"reasoning": {"enabled": False}}, {"effort": "none"}, []),
    ({"thinking": {"type": "disabled"}}, {"effort": "none"}, []),
    ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, {"effort": "low"},
     ["emulated thinking: as effort low"]),
    ({"reasoning": {"max_tokens": 8000}}, {"effort": "medium"},
     ["emulated reasoning: as effort medium"]),
    ({"reasoning": {"max_tokens": 50000}, "reasoning_effort": "low"}, {"effort": "low"},
     ["emulated reasoning_effort: as effort low"]),
    ({"reasoning": {"max_tokens": 50000}}, {"effort": "high"},
     ["emulated reasoning: as effort high"]),
]  # fmt: skip


@for_each(("given", "expected", "said"), REASONING)
def test_every_parameter_for_reasoning_becomes_reasoning(
    given: dict[str, Any], expected: Any, said: list[str]
) -> None:
    asked = request("gpt-5", **given)
    body = sent(asked)
    assert body.get("reasoning") == expected
    assert body["include"] == ENCRYPTED
    assert transformations(asked) == said
    assert set(body) <= {"model", "input", "store", "include", "reasoning"}


def test_encrypted_reasoning_is_included_for_models_that_reason() -> None:
    assert "include" not in sent(request("gpt-4o"))
    assert "include" not in sent(request("grok-4"))
    assert sent(request("grok-4", reasoning_effort="low"))["include"] == ENCRYPTED
    assert sent(request("grok-4"), encrypted_reasoning=True)["include"] == ENCRYPTED
    assert "include" not in sent(request("gpt-5"), encrypted_reasoning=False)
    assert sent(request("gpt-5", include=["a"]))["include"] == ["a", *ENCRYPTED]
    assert sent(request("gpt-5", include=ENCRYPTED))["include"] == ENCRYPTED


def test_the_configured_summary_is_added_to_reasoning() -> None:
    wanted = {"reasoning_summary": "auto"}
    assert sent(request("gpt-5"), **wanted)["reasoning"] == {"summary": "auto"}
    both = {"summary": "auto", "effort": "low"}
    assert sent(request("gpt-5", reasoning_effort="low"), **wanted)["reasoning"] == both
    own = {"summary": "detailed"}
    assert sent(request("gpt-5", reasoning=own), **wanted)["reasoning"] == own
    assert "reasoning" not in sent(request("gpt-4o"), **wanted)
