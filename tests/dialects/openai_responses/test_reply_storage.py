"""What is kept of a response, and how it is shown again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.openai_responses.reply_storage import (
    RESPONSE_STORAGE,
    input_list,
    is_kept_by_provider,
    output_items,
    whole_response,
)
from headway.response_accumulator import ResponseAccumulator
from support.responses_samples import new_context

CALL = "0b0a4fd1-93b5-4c3e-9b1e-58f1f6b0c1de"
OWN = CALL.replace("-", "")
RESPONSE: Any = {
    "id": f"resp_{OWN}",
    "output": [{"id": f"msg_{OWN}0000"}, {"type": "x"}],
    "instructions": "Be kind",
    "tools": [],
    "store": True,
}


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def whole(last_piece: bytes) -> bytes:
    return RESPONSE_STORAGE.whole_reply(new_context(), ResponseAccumulator(), last_piece)


def test_a_response_is_the_body_or_in_the_last_event_of_a_stream() -> None:
    body = json.dumps(RESPONSE).encode()
    assert whole(body) == body
    event = b'event: response.completed\ndata: {"type":"response.completed","response":%b}\n\n'
    assert whole(b"event: a\ndata: {}\n\n" + event % body) == body


def test_long_fields_of_the_request_are_not_kept_with_the_response() -> None:
    kept, aliases = RESPONSE_STORAGE.prepare(json.dumps(RESPONSE).encode())
    assert json.loads(kept) == {k: RESPONSE[k] for k in ("id", "output", "store")}
    assert aliases == ()


def test_ids_of_a_provider_are_aliases() -> None:
    theirs = {"id": "resp_a", "output": [{"id": "rs_a"}, {"id": "msg_a"}, {"id": "rs_a"}]}
    kept, aliases = RESPONSE_STORAGE.prepare(json.dumps(theirs).encode())
    assert json.loads(kept) == theirs
    assert aliases == ("resp_a", "rs_a", "msg_a")


def test_a_kept_response_is_whole_again() -> None:
    tool = {"type": "function", "name": "f"}
    parameters = {"tools": raw([tool]), "instructions": raw("Be kind")}
    found = json.loads(whole_response(raw({"id": "r", "store": None}), parameters))
    described = {"description": None, "parameters": None, "strict": None, **tool}
    assert found == {"id": "r", "store": True, "instructions": "Be kind", "tools": [described]}
    assert json.loads(whole_response(raw({}), {}))["instructions"] is None


def test_the_provider_says_whether_it_keeps_a_response() -> None:
    assert is_kept_by_provider(raw(RESPONSE)) is True
    assert is_kept_by_provider(raw({"store": False})) is False
    assert is_kept_by_provider(raw({})) is False
    assert [bytes(item) for item in output_items(raw({"output": [1]}))] == [b"1"]


def test_the_input_is_listed_in_pages() -> None:
    items = [
        raw({"role": "user", "content": "Hi"}),
        raw({"role": "assistant", "id": "msg_own", "content": [{"type": "output_text"}]}),
        raw({"type": "function_call", "id": "fc_1"}),
    ]

    def page(limit: int, after: str | None, newest_first: bool = False) -> Any:
        listed = input_list(CALL, items, limit=limit, after=after, newest_first=newest_first)
        return json.loads(listed)

    first = page(2, None)
    assert [item["id"] for item in first["data"]] == [f"msg_{OWN}i0", "msg_own"]
    assert first["data"][0]["content"] == [{"type": "input_text", "text": "Hi"}]
    assert first["data"][1]["type"] == "message"
    assert first["has_more"] is True
    rest = page(2, first["last_id"])
    assert rest["data"] == [{"type": "function_call", "id": "fc_1"}]
    assert (rest["first_id"], rest["has_more"]) == ("fc_1", False)
    assert page(1, None, True)["first_id"] == "fc_1"
    assert page(1, "fc_1")["data"] == []
    with pytest.raises(KeyError):
        page(1, "unknown")
