"""What is kept of messages, by key, and what is removed from it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from msgspec import Raw

from headway.pipeline.content_rules import (
    NOTHING_KEPT,
    REMOVED,
    ContentRules,
    RedactionError,
    clean,
    clean_fields,
    hash_of,
    remove_secrets,
)
from support.for_each import for_each


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def cleaned(value: Any) -> Any:
    return json.loads(bytes(clean(raw(value))))


def test_nothing_is_kept_by_default() -> None:
    assert NOTHING_KEPT.is_off
    assert NOTHING_KEPT.mode_for("anonymous") == "off"


def test_a_key_has_its_own_mode_and_any_other_that_of_all() -> None:
    rules = ContentRules("hash", {"aa": "full", "bb": "off"})
    assert [rules.mode_for(key) for key in ("aa", "bb", "cc", None)] == [
        "full", "off", "hash", "hash",
    ]  # fmt: skip
    assert not rules.is_off
    assert not ContentRules("off", {"aa": "hash"}).is_off
    assert ContentRules("off", {"aa": "off"}).is_off


SERVER = {"type": "mcp", "server_url": "https://tools.test"}


@for_each(
    "given, kept",
    [
        ({**SERVER, "authorization": "tok-1"}, {**SERVER, "authorization": REMOVED}),
        ({**SERVER, "authorization_token": "t"}, {**SERVER, "authorization_token": REMOVED}),
        (
            [{**SERVER, "headers": {"Authorization": "Bearer x", "X-Team": "a"}}],
            [{**SERVER, "headers": {"Authorization": REMOVED, "X-Team": REMOVED}}],
        ),
        ({"a": [{"Api_Key": "sk-1"}]}, {"a": [{"Api_Key": REMOVED}]}),
    ],
)
def test_a_secret_of_a_tool_is_removed_by_the_name_of_its_field(given: Any, kept: Any) -> None:
    assert cleaned(given) == kept


@for_each(
    "given",
    [
        {"name": "fetch", "parameters": {"properties": {"headers": {"type": "object"}}}},
        {"type": "tool_use", "input": {"headers": {"accept": "text/html"}, "api_key": "none"}},
        {"role": "user", "content": 'Set "authorization": to what?'},
        {"headers": "a text", "authorization": {"type": "object"}},
    ],
)
def test_what_a_client_calls_by_such_a_name_stays(given: Any) -> None:
    assert cleaned(given) == given


def test_json_with_nothing_to_remove_stays_as_it_was_written() -> None:
    written = Raw(b'[ {"role": "user",\t"content": "Hi"} ]')
    assert bytes(clean(written)) == bytes(written)


def test_a_parameter_that_is_a_key_or_headers_is_left_out() -> None:
    fields = {"api_key": raw("sk"), "extra_headers": raw({}), "seed": raw(1), "tools": raw([])}
    assert clean_fields(fields) == {"seed": raw(1), "tools": raw([])}


def test_the_hook_gets_each_text_and_no_name() -> None:
    given: list[str] = []

    def hook(text: str) -> str:
        given.append(text)
        return text.upper()

    rules = ContentRules("full", redact=hook)
    found = clean(raw([{"content": ["a", {"text": "b"}], "n": 1, "x": None}]), rules.redact)
    assert json.loads(bytes(found)) == [{"content": ["A", {"text": "B"}], "n": 1, "x": None}]
    assert given == ["a", "b"]


def test_the_hook_does_not_get_images_signatures_and_ids() -> None:
    message = {
        "id": "msg_1",
        "content": [
            {"type": "image", "source": {"data": "aGVsbG8="}, "signature": "c2ln"},
            {"image_url": {"url": "data:image/png;base64,aGVsbG8="}},
            {"data": "a text", "url": "https://a.test", "id": "a b"},
        ],
    }
    rules = ContentRules("full", redact=lambda text: "*")
    found = json.loads(bytes(clean(raw(message), rules.redact)))
    assert found["id"] == "msg_1"
    image, url, text = found["content"]
    assert (image["source"]["data"], image["signature"]) == ("aGVsbG8=", "c2ln")
    assert url["image_url"]["url"].startswith("data:")
    assert text == {"data": "*", "url": "*", "id": "*"}


def test_a_hook_that_fails_is_named_without_what_it_was_given() -> None:
    def broken(text: str) -> str:
        raise ValueError(f"cannot read {text}")

    with pytest.raises(RedactionError) as caught:
        clean(raw("secret"), ContentRules("full", redact=broken).redact)
    assert str(caught.value) == "ledger.redact raised ValueError"
    assert caught.value.__cause__ is None
    with pytest.raises(RedactionError, match="returned NoneType, and no text"):
        clean(raw("x"), ContentRules("full", redact=lambda text: None).redact)


def test_the_hash_of_a_message_does_not_depend_on_white_space() -> None:
    digest = sha256(b'{"role":"user","content":"a b"}').hexdigest()
    assert hash_of(b'{ "role": "user",\n "content": "a b" }') == digest


def test_known_secrets_are_removed_wherever_they_are() -> None:
    line = b'{"a":"sk-secret-1 and sk-secret-1","b":"short"}\n'
    kept = remove_secrets(line, ["sk-secret-1", "short", ""])
    assert kept == b'{"a":"[removed] and [removed]","b":"short"}\n'
