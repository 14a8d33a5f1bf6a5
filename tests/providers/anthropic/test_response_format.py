"""A response format becomes a structured output, or an instruction."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.anthropic_requests import (
    chat,
    sent,
    text,
)

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
CLOSED = {
    "type": "object",
    "properties": {"n": {"type": "integer", "description": "{maximum: 9}"}},
    "additionalProperties": False,
}
AS_SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
JSON_ONLY = "Answer with one JSON object and nothing else: no Markdown fence, no text around it."


# what it shows, model, parameters, fields of the body, transformations
FORMATS: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("text", "sonnet-4-5", {"response_format": {"type": "text"}}, {}, []),
    ("an object", "sonnet-4-5", {"response_format": {"type": "json_object"}},
     {"system": [text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("a schema", "sonnet-4-5",
     {"response_format": {"type": "json_schema", "json_schema": {
         "name": "x", "description": "A person", "schema": {"type": "object"}}},
      "output_config": {"effort": "low"}},
     {"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {
         "description": "A person", "type": "object", "additionalProperties": False}}}}, []),
    ("a schema with limits", "sonnet-4-5", {"response_format": AS_SCHEMA},
     {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
     ["emulated response_format: schema keywords described, not enforced: maximum"]),
    ("a schema for an old model", "3-7-sonnet-20250219", {"response_format": AS_SCHEMA},
     {"system": [text("Answer with JSON that is valid against this JSON schema and with nothing"
                      " else: no Markdown fence, no text around it.\n"
                      + json.dumps(SCHEMA, separators=(",", ":")))]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("a system prompt of Anthropic's own", "sonnet-4-5",
     {"system": "Be kind.", "response_format": {"type": "json_object"}},
     {"system": [text("Be kind."), text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
    ("blocks of a system prompt", "sonnet-4-5",
     {"system": [text("Be kind.")], "response_format": {"type": "json_object"}},
     {"system": [text("Be kind."), text(JSON_ONLY)]},
     ["emulated response_format: as an instruction in the system prompt"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "parameters", "expected", "transformations"),
    [row[1:] for row in FORMATS],
    ids=[row[0] for row in FORMATS],
)
def test_a_response_format_is_converted(
    model: str, parameters: Any, expected: Any, transformations: list[str]
) -> None:
    body, listed = sent(chat(model=f"claude-{model}", max_tokens=100, **parameters))
    rest = {k: v for k, v in body.items() if k not in ("model", "messages", "max_tokens")}
    assert rest == expected
    assert listed == transformations
