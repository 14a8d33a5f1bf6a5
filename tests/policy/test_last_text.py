from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway.policy.last_text import split_last_text
from headway.types import ChatRequest, NativeRequest
from support.for_each import for_each

SYSTEM = {"role": "system", "content": "Be brief."}


def chat(*messages: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=Raw(json.dumps(messages).encode()))


def native(**fields: Any) -> ChatRequest:
    given = {name: Raw(json.dumps(value).encode()) for name, value in fields.items()}
    return ChatRequest(model="m", messages=Raw(b"[]"), native=NativeRequest("w", given))


@for_each(
    ("request_", "rest"),
    [
        (chat({"role": "user", "content": "Hi"}), [{"role": "user", "content": ""}]),
        (
            chat(SYSTEM, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}),
            [SYSTEM, {"role": "user", "content": ""}],
        ),
        (
            native(system="S", messages=[{"role": "user", "content": "Hi"}]),
            {"system": "S", "messages": [{"role": "user", "content": ""}]},
        ),
        (native(input="Hi", temperature=0), {"input": "", "temperature": 0}),
        (
            native(input=[{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}]),
            {"input": [{"role": "user", "content": ""}]},
        ),
        (
            native(contents=[{"parts": [{"text": "Hi"}]}]),
            {"contents": [{"parts": ""}]},
        ),
    ],
)
def test_the_last_text_is_taken_out_of_every_format(request_, rest) -> None:
    found = split_last_text(request_)
    assert found is not None
    left, text = found
    assert text == "Hi"
    if left.native is None:
        assert json.loads(bytes(left.messages)) == rest
    else:
        assert {name: json.loads(bytes(raw)) for name, raw in left.native.fields.items()} == rest


@for_each(
    "request_",
    [
        chat(),
        chat("Hi"),
        chat({"role": "user"}),
        chat({"role": "assistant", "content": "Hi"}),
        chat({"role": "user", "content": 7}),
        chat({"role": "user", "content": []}),
        chat({"role": "user", "content": ["Hi"]}),
        chat({"role": "user", "content": [{"type": "text"}]}),
        chat({"role": "user", "content": [{"type": "image_url", "text": "Hi"}]}),
        chat({"role": "user", "content": [{"type": "text", "text": "a"}] * 2}),
        ChatRequest(model="m", messages=Raw(b"[")),
        ChatRequest(model="m", messages=Raw(b'{"role": "user"}')),
        native(other=1),
    ],
)
def test_a_request_that_does_not_end_with_one_text_is_compared_with_none(request_) -> None:
    assert split_last_text(request_) is None
