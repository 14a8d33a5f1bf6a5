from __future__ import annotations

import json

import pytest
from msgspec import Raw

from headway.dialects.base import (
    KEY_HEADER,
    DecodedRequest,
    OpenAIFormat,
    decode_object,
    encode_error,
    field,
    read_key_header,
    refuse_target_fields,
)
from headway.errors import InvalidField, UpstreamRateLimited
from headway.types import ChatRequest, EmbeddingsRequest

SIZE = field("size", list[int] | None, "a list of numbers or null")


def test_a_missing_or_null_field_is_none() -> None:
    assert SIZE.read({"size": Raw(b"[1]")}) == [1]
    assert SIZE.read({"size": Raw(b"null")}) is None
    assert SIZE.read({}) is None


def test_the_error_for_a_wrong_value_has_its_location() -> None:
    with pytest.raises(InvalidField) as caught:
        SIZE.read({"size": Raw(b'[1,"x"]')})
    assert caught.value.param == "size"
    assert caught.value.message == (
        "`size` must be a list of numbers or null (Expected `int`, got `str` - at `$[1]`)."
    )


def test_a_value_nested_too_deeply_is_named() -> None:
    anything = field("anything", object, "anything")
    with pytest.raises(InvalidField, match="`anything` is nested too deeply") as caught:
        anything.read({"anything": Raw(b"[" * 100_000 + b"]" * 100_000)})
    assert caught.value.param == "anything"


def test_a_required_field_is_neither_absent_nor_null() -> None:
    assert SIZE.require({"size": Raw(b"[]")}) == []
    with pytest.raises(InvalidField, match="`size` is missing: it must be a list"):
        SIZE.require({})
    with pytest.raises(InvalidField, match="`size` must be a list"):
        SIZE.require({"size": Raw(b"null")})


def test_the_fields_of_an_object_are_kept_verbatim() -> None:
    fields = decode_object(b'{ "b" : 1.50, "a":[ 1 ], "b": "\xc3\xa9" }')
    assert {name: bytes(raw) for name, raw in fields.items()} == {
        "b": b'"\xc3\xa9"',
        "a": b"[ 1 ]",
    }


def test_an_error_shows_its_seven_fields_in_order() -> None:
    error = UpstreamRateLimited("Wait.", param="p", code="c", retry_after_s=1.5)
    assert encode_error(error, "openai", "id-1") == (
        b'{"error":{"type":"rate_limit_error","message":"Wait.","provider":"openai","param":"p",'
        b'"code":"c","request_id":"id-1","retry_after_s":1.5}}'
    )


def test_an_error_before_any_provider_names_none() -> None:
    shown = json.loads(encode_error(InvalidField("No.", param="p"), None, "id-1"))
    assert shown["error"]["provider"] is None
    assert shown["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_asks_for_a_stream_where_the_request_does(stream: bool) -> None:
    chat = ChatRequest(model="m", messages=Raw(b"[]"), stream=stream)
    assert DecodedRequest(provider="p", request=chat).asks_stream is stream


def test_embeddings_never_ask_for_a_stream() -> None:
    request = EmbeddingsRequest(model="m", input=Raw(b'"a"'))
    assert DecodedRequest(provider="p", request=request).asks_stream is False


@pytest.mark.parametrize(
    ("value", "key"), [(b"sk-1", "sk-1"), (b" sk-1\t", "sk-1"), (b"", None), (b"  ", None)]
)
def test_a_client_sends_its_own_key_for_the_provider_in_a_header(
    value: bytes, key: str | None
) -> None:
    assert read_key_header([(b"accept", b"*/*"), (KEY_HEADER.encode(), value)]) == key
    assert read_key_header([(b"x-api-key", b"hw-1")]) is None


@pytest.mark.parametrize("value", [b"sk 1", b"schl\xfcssel", b"sk\x00"], ids=["blank", "ü", "nul"])
def test_a_header_that_holds_no_key_is_refused_without_its_value(value: bytes) -> None:
    with pytest.raises(InvalidField, match="visible ASCII") as caught:
        read_key_header([(KEY_HEADER.encode(), value)])
    assert caught.value.param == KEY_HEADER
    assert "sk" not in caught.value.message


@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_body_that_is_sent_on_holds_neither_key_nor_address(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        refuse_target_fields({"user": Raw(b'"me"'), name: Raw(b'"planted"')})
    assert caught.value.param == name
    assert "planted" not in caught.value.message
    refuse_target_fields({"user": Raw(b'"me"')})


def test_a_request_in_openais_format_needs_no_conversion() -> None:
    request = ChatRequest(model="m", messages=Raw(b"[]"))
    assert OpenAIFormat().convert_request(request) == (request, ())
