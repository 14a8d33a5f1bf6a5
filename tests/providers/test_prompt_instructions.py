"""Instructions are system messages at the end of a conversation."""

from __future__ import annotations

import json

from headway.providers.prompt_instructions import append_system_messages, schema_instruction
from support.adapter_requests import raw

MESSAGES = raw([{"role": "user", "content": "Hi"}])


def test_without_instructions_the_messages_are_the_same_object() -> None:
    assert append_system_messages(MESSAGES, []) is MESSAGES


def test_instructions_are_appended_in_their_order() -> None:
    assert json.loads(bytes(append_system_messages(MESSAGES, ["a", "b"]))) == [
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": "a"},
        {"role": "system", "content": "b"},
    ]


def test_an_instruction_for_a_schema_ends_with_the_schema() -> None:
    assert schema_instruction({"type": "object"}).endswith('\n{"type":"object"}')
