"""What a request refers to of earlier responses is found, and put in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.base import Recall
from headway.dialects.input_items.stored import (
    complete,
    find_recall,
    head_of,
    is_provable,
    items_of,
)
from headway.errors import InvalidField
from support.for_each import for_each

REFERENCE = {"type": "item_reference", "id": "msg_1"}
SAID = {"role": "user", "content": "Hi"}
OWN = "rs_" + "0" * 32 + "0001"


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def fields(**values: Any) -> dict[str, Raw]:
    return {name: raw(value) for name, value in values.items()}


@for_each(
    "given, found",
    [
        ({"input": "Hi"}, None),
        ({}, None),
        ({"input": [SAID], "previous_response_id": None}, None),
        ({"input": [SAID], "previous_response_id": ""}, None),
        ({"input": "Hi", "previous_response_id": "resp_1"},
         Recall(previous_response_id="resp_1")),
        ({"input": [SAID, REFERENCE]}, Recall(item_ids=("msg_1",))),
        ({"input": [{"id": "msg_2"}, SAID]}, Recall(item_ids=("msg_2",))),
        ({"input": [{"id": "fc_1", "type": "function_call"}, {"id": "msg_2"}]},
         Recall(item_ids=("msg_2",))),
        ({"input": [{"id": "m", "type": "message"}, {"id": "n", "role": "user"}]}, None),
        ({"input": 'He said "item_reference"'}, None),
    ],
)  # fmt: skip
def test_a_request_refers_to_a_response_or_to_items(given: Any, found: Recall | None) -> None:
    assert find_recall(fields(**given)) == found


@for_each("data", [b'[{"id":', b'[{"id":"', b'[{"id":"a"', b'{"id":"a"}'])
def test_input_that_is_no_list_refers_to_nothing(data: bytes) -> None:
    assert find_recall({"input": Raw(data)}) is None


def test_a_reference_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidField, match="a text or null"):
        find_recall(fields(input="Hi", previous_response_id=7))


def test_items_are_put_before_the_input_and_in_place_of_references() -> None:
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
    given = fields(input=[REFERENCE, {"id": "rs_1"}, SAID], previous_response_id="resp_1", top_p=1)
    done = complete(given, [raw({"a": 1})], {"msg_1": raw(item), "rs_1": None})
    assert json.loads(bytes(done["input"])) == [{"a": 1}, item, SAID]
    assert set(done) == {"input", "top_p"}
    kept = complete(fields(input="Hi", previous_response_id="r"), [], {}, keeps_previous=True)
    assert json.loads(bytes(kept["input"])) == [SAID]
    assert kept["previous_response_id"] == raw("r")


def test_what_is_no_item_has_no_head() -> None:
    assert [bytes(item) for item in items_of(Raw(b"null"))] == []
    assert head_of(Raw(b"[1]")).refers_to is None
    assert head_of(Raw(b'{"type":7}')).refers_to is None
    assert head_of(Raw(b"[" * 100_000)).refers_to is None


@for_each(
    "item, provable",
    [
        (SAID, True),
        ({"type": "message", "content": "reasoning"}, True),
        ({"type": "message", "name": "reasoning"}, True),
        ({"type": "reasoning", "id": OWN}, False),
        ({"type": "reasoning", "id": OWN, "encrypted_content": "x"}, True),
        ({"type": "reasoning", "id": "rs_theirs"}, True),
    ],
)
def test_reasoning_needs_a_proof_of_the_provider(item: Any, provable: bool) -> None:
    assert is_provable(raw(item)) is provable
