"""Convert ``response_format`` to structured outputs, or to an instruction where the model has none
(platform.claude.com/docs/en/build-with-claude/structured-outputs)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from headway.providers.anthropic.request_draft import AnthropicDraft
from headway.providers.anthropic.tools import unenforced
from headway.providers.chat_messages import JsonSchema, ResponseFormat
from headway.providers.json_schema import is_recursive, to_strict_schema
from headway.providers.prompt_instructions import AS_INSTRUCTION, JSON_OBJECT, schema_instruction

SetSchema = Callable[[AnthropicDraft, JsonSchema, dict[str, Any]], set[str]]
"""(draft, format, its schema): put the schema where the API takes it, and return the keywords that
the API does not enforce."""


def set_output_format(
    draft: AnthropicDraft, described: JsonSchema, schema: dict[str, Any]
) -> set[str]:
    """OpenAI's description of the format becomes that of the schema."""
    keywords: set[str] = set()
    if described.description is not None:
        schema = {"description": described.description, **schema}
    strict = to_strict_schema(schema, keywords)
    draft.set_output_config("format", {"type": "json_schema", "schema": strict})
    return keywords


def convert_response_format(
    draft: AnthropicDraft, structured_outputs: bool, set_schema: SetSchema = set_output_format
) -> None:
    """``structured_outputs`` is whether the model enforces JSON schemas, which may not refer to
    themselves."""
    raw = draft.parameters.pop("response_format", None)
    wanted = None if raw is None else msgspec.json.decode(raw, type=ResponseFormat)
    if wanted is None or wanted.type == "text":
        return
    described = wanted.json_schema or JsonSchema()
    if described.schema is None:
        draft.instructions.append(JSON_OBJECT)
        draft.note_emulated("response_format", AS_INSTRUCTION)
    elif not structured_outputs or is_recursive(described.schema):
        draft.instructions.append(schema_instruction(described.schema))
        draft.note_emulated("response_format", AS_INSTRUCTION)
    elif keywords := set_schema(draft, described, described.schema):
        draft.note_emulated("response_format", unenforced(keywords))
