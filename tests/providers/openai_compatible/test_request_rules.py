"""Rules that need more than a line of the table in test_vendors.py."""

from __future__ import annotations

import json

import pytest

from headway.providers import KINDS
from support.adapter_requests import chat

HI = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("kind", ["deepseek", "zai"])
def test_a_schema_is_sent_in_a_system_message_where_there_is_json_mode_only(kind: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    adapted, transformations = KINDS[kind].adapt(chat("m", HI, response_format=wanted))
    assert bytes(adapted.parameters["response_format"]) == b'{"type":"json_object"}'
    assert [str(one) for one in transformations] == [
        "emulated response_format: as JSON mode, with the schema in a system message"
    ]
    first, last = json.loads(bytes(adapted.messages))
    assert first == HI[0]
    assert json.loads(last["content"].partition("\n")[2]) == schema
    json_mode = {"type": "json_object"}
    assert KINDS[kind].adapt(chat("m", HI, response_format=json_mode))[1] == ()


def test_a_clamped_value_is_listed_with_the_bound() -> None:
    _, transformations = KINDS["zai"].adapt(chat("glm-5", HI, temperature=1.5, top_p=0))
    assert [str(one) for one in transformations] == [
        "clamped temperature: 1.5 -> 1 (maximum)",
        "clamped top_p: 0 -> 0.01 (minimum)",
    ]
