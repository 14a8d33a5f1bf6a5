"""Requests to OpenAI's chat completions."""

from __future__ import annotations

import pytest
from msgspec import DecodeError, Raw

from headway.providers.openai.request import encode_request
from headway.types import ChatRequest, Target, Url

TARGET = Target(provider="openai", base_url="https://api.openai.com/v1", api_key="sk-planted")
MESSAGES = b'[{"role":"user","content":"Hi"}]'


def chat(
    model: str = "gpt-4o",
    parameters: dict[str, bytes] | None = None,
    *,
    stream: bool = False,
) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(MESSAGES),
        parameters={name: Raw(value) for name, value in (parameters or {}).items()},
        stream=stream,
    )


HEAD = b'{"model":"gpt-4o","messages":' + MESSAGES
STREAMED = b',"stream":true,"stream_options":'

# what it shows, parameters, streamed, the body's bytes
BODIES: list[tuple[str, dict[str, bytes], bool, bytes]] = [
    ("nothing but messages", {}, False, b"}"),
    ("parameters verbatim", {"temperature": b"0.70"}, False, b',"temperature":0.70}'),
    ("unknown parameters", {"zeal": b'{ "a": [1]}'}, False, b',"zeal":{ "a": [1]}}'),
    ("their order", {"seed": b"1", "n": b"2"}, False, b',"seed":1,"n":2}'),
    ("tools", {"tools": b'[{"type":"function"}]'}, False, b',"tools":[{"type":"function"}]}'),
    ("usage requested", {}, True, STREAMED + b'{"include_usage":true}}'),
    (
        "null options",
        {"stream_options": b"null"},
        True,
        b',"stream_options":{"include_usage":true},"stream":true}',
    ),
    (
        "other stream options",
        {"stream_options": b'{"include_usage":false,"include_obfuscation":false}'},
        True,
        b',"stream_options":{"include_usage":true,"include_obfuscation":false},"stream":true}',
    ),
    ("stream options without a stream", {"stream_options": b"{}"}, False, b',"stream_options":{}}'),
]


@pytest.mark.parametrize(
    ("parameters", "stream", "rest"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES]
)
def test_the_body_is_the_callers_own_json(
    parameters: dict[str, bytes], stream: bool, rest: bytes
) -> None:
    request = encode_request(chat(parameters=parameters, stream=stream), TARGET)
    assert request.body == HEAD + rest


def test_stream_options_that_are_no_object_cannot_be_encoded() -> None:
    with pytest.raises(DecodeError):
        encode_request(chat(parameters={"stream_options": b"7"}, stream=True), TARGET)


def test_messages_with_content_parts_are_sent_verbatim() -> None:
    messages = (
        b'[{"role":"user","content":[{"type":"text","text":"What is this?"},'
        b'{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]'
    )
    request = encode_request(ChatRequest(model="m", messages=Raw(messages)), TARGET)
    assert request.body == b'{"model":"m","messages":' + messages + b"}"


@pytest.mark.parametrize(
    ("stream", "accept"), [(False, "application/json"), (True, "text/event-stream")]
)
def test_the_headers_name_the_content_type_and_the_accepted_type(stream: bool, accept: str) -> None:
    request = encode_request(chat(stream=stream), TARGET)
    assert request.method == "POST"
    assert request.headers == (
        ("content-type", "application/json"),
        ("accept", accept),
        ("authorization", "Bearer sk-planted"),
    )


def test_without_a_key_there_is_no_authorization_header() -> None:
    target = Target(provider="box", base_url="http://gpu-box:8000/v1/", headers={"x-team": "a"})
    request = encode_request(chat(), target)
    assert request.url == Url("http", "gpu-box", 8000, "/v1/chat/completions")
    assert [name for name, _ in request.headers] == ["content-type", "accept", "x-team"]


def test_a_base_url_without_a_scheme_is_an_error() -> None:
    with pytest.raises(ValueError, match="scheme"):
        encode_request(chat(), Target(provider="p", base_url=""))
