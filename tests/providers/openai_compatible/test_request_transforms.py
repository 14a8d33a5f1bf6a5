"""Transforms that need more than a line of the table in test_vendors.py."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.providers import KINDS
from headway.types import ChatRequest
from support.adapter_requests import chat

HI = [{"role": "user", "content": "Hi"}]


def test_a_schema_keeps_the_callers_text() -> None:
    schema = b'{"type": "object", "properties": {"a": {"minimum": 1e400}}}'
    raw = b'{"type": "json_schema", "json_schema": {"name": "x", "schema": %b}}' % schema
    request = ChatRequest(model="m", messages=Raw(b"[]"), parameters={"response_format": Raw(raw)})
    adapted, _ = KINDS["tgi"].adapt(request)
    assert schema in bytes(adapted.parameters["response_format"])


CALL = {"id": "c", "type": "function", "function": {"name": "a", "arguments": "{}"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
CONTENTS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"role": "assistant", "content": None, "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [CALL]}, []),
    ({"role": "assistant", "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [CALL]}, []),
    ({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
     {"role": "user", "content": "ab"}, ["emulated messages[].content"]),
    ({"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {}}]},
     {"role": "user", "content": "a"},
     ["emulated messages[].content", "dropped messages[].content[].cache_control"]),
    ({"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE]},
     {"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE]}, []),
    ({"role": "user", "content": []}, {"role": "user", "content": ""},
     ["emulated messages[].content"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected", "said"), CONTENTS)
def test_content_is_sent_as_a_string(
    given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    adapted, transformations = KINDS["cloudflare"].adapt(chat("m", [*HI, given, *HI]))
    assert json.loads(bytes(adapted.messages)) == [*HI, expected, *HI]
    assert [f"{one.action} {one.parameter}" for one in transformations] == said


def test_messages_with_strings_stay_the_bytes_that_the_caller_sent() -> None:
    request = ChatRequest(model="m", messages=Raw(b'[{"role": "user",  "content": "Hi"}]'))
    assert KINDS["cloudflare"].adapt(request) == (request, ())


# vendor, parameters, the transformations as text
TEXTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("groq", {"service_tier": "priority"},
     ["clamped service_tier: priority -> performance (the vendor's name of it)"]),
    ("together", {"logprobs": True, "top_logprobs": 3},
     ["clamped logprobs: true -> 3 (the number of tokens)"]),
    ("siliconflow", {"reasoning": {"max_tokens": 9}},
     ["renamed reasoning.max_tokens -> thinking_budget",
      "clamped reasoning.max_tokens: 9 -> 128 (minimum)"]),
    ("siliconflow", {"reasoning": {"max_tokens": 99999}},
     ["renamed reasoning.max_tokens -> thinking_budget",
      "clamped reasoning.max_tokens: 99999 -> 32768 (maximum)"]),
    ("sglang", {"reasoning": {"max_tokens": 9}},
     ["dropped reasoning.max_tokens: the vendor has no budget for reasoning"]),
    ("lmstudio", {"response_format": {"type": "json_object"}},
     ["emulated response_format: as a JSON schema of any object"]),
    ("zai", {"tool_choice": "required"}, ["dropped tool_choice: only auto is supported"]),
    ("zai", {"tool_choice": "none"}, ["emulated tool_choice: by leaving the tools out"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "said"), TEXTS)
def test_a_transformation_says_what_was_sent_instead(
    kind: str, given: dict[str, Any], said: list[str]
) -> None:
    assert [str(one) for one in KINDS[kind].adapt(chat("m", HI, **given))[1]] == said
