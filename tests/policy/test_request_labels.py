from __future__ import annotations

import json

import msgspec
from msgspec import Raw

from headway.policy.request_labels import (
    LABEL_HEADERS,
    MAX_TAG_LENGTH,
    MAX_TAGS,
    MAX_USER_LENGTH,
    find_tags,
    find_user,
    parameters_in,
    tags_in,
    user_in,
)
from headway.types import Headers
from support.for_each import for_each


def fields(value: object) -> dict[str, Raw]:
    return msgspec.json.decode(json.dumps(value), type=dict[str, Raw])


# headers, user
USERS: list[tuple[Headers, str | None]] = [
    ([], None),
    ([(b"x-headway-user", b" ann ")], "ann"),
    ([(b"x-litellm-end-user-id", b"bob"), (b"x-headway-user", b"ann")], "ann"),
    ([(b"x-litellm-end-user-id", b"bob"), (b"x-headway-user", b" ")], "bob"),
    ([(b"x-headway-user", "Zoë".encode())], "Zoë"),
    ([(b"x-headway-user", b"a\x07b\xff")], "a?b�"),
    ([(b"x-headway-user", b"u" * 999)], "u" * MAX_USER_LENGTH),
]


@for_each("headers, user", USERS)
def test_a_header_names_the_user(headers: Headers, user: str | None) -> None:
    assert find_user(headers) == user


# body, user
BODIES: list[tuple[dict[str, object], str | None]] = [
    ({}, None),
    ({"user": "ann", "safety_identifier": "hash"}, "ann"),
    ({"user": "", "safety_identifier": "hash"}, "hash"),
    ({"user": 5}, None),
    ({"user": {"name": "ann"}}, None),
    ({"user": " a\nb "}, "a?b"),
    ({"metadata": {"user_id": "ann"}}, "ann"),
    ({"metadata": {"user_id": 7}}, None),
    ({"metadata": {"user_id": '{"device_id":"d","session_id":"s"}'}}, None),
    ({"metadata": {"user_id": "user_ab12_account__session_1-2"}}, None),
    ({"metadata": "ann"}, None),
    ({"metadata": {"user_id": "x" * 20_000}}, None),
]


@for_each("body, user", BODIES)
def test_the_body_names_the_user_where_it_is_no_session(
    body: dict[str, object], user: str | None
) -> None:
    assert user_in(fields(body)) == user


# headers, tags
TAGGED: list[tuple[Headers, tuple[str, ...]]] = [
    ([], ()),
    ([(b"x-headway-tags", b"a, team:blue ,,a")], ("a", "team:blue")),
    ([(b"x-headway-tags", b"a"), (b"x-litellm-tags", b"b"), (b"x-other", b"c")], ("a", "b")),
    ([(b"x-headway-tags", b"t" * 999)], ("t" * MAX_TAG_LENGTH,)),
]


@for_each("headers, tags", TAGGED)
def test_headers_have_tags(headers: Headers, tags: tuple[str, ...]) -> None:
    assert find_tags(headers) == tags


# body, tags
METADATA: list[tuple[dict[str, object], tuple[str, ...]]] = [
    ({"metadata": {"team": "blue", "n": 5, "x": 0.5, "paid": True}},
     ("team:blue", "n:5", "x:0.5", "paid:true")),
    ({"metadata": {"tags": ["a", "b", 7], "nested": {"a": 1}, "none": None}}, ("a", "b")),
    ({"metadata": {"user_id": "ann", "a": "b,c"}}, ("a:b;c",)),
    ({"labels": {"env": "prod"}}, ("env:prod",)),
    ({"metadata": [1]}, ()),
    ({"metadata": {"long": "x" * 200}}, ("long:" + "x" * (MAX_TAG_LENGTH - 5),)),
]  # fmt: skip


@for_each("body, tags", METADATA)
def test_metadata_are_tags(body: dict[str, object], tags: tuple[str, ...]) -> None:
    assert tags_in(fields(body)) == tags
    assert tags_in(fields(body), ("first",)) == ("first", *tags)


def test_tags_are_bounded_in_number() -> None:
    many = {"metadata": {f"n{at}": "v" for at in range(50)}}
    assert len(tags_in(fields(many))) == MAX_TAGS


def test_what_is_no_text_and_no_json_has_no_labels() -> None:
    broken = {"user": Raw(b'"\\ud800'), "metadata": Raw(b'{"a":tru}'), "labels": Raw(b'{"a":tru}')}
    assert (user_in(broken), tags_in(broken)) == (None, ())
    assert tags_in({"metadata": Raw(b'{"a":"' + b"x" * 20_000 + b'"}')}) == ()
    assert user_in({"user": Raw(b'"' + b"x" * 20_000 + b'"')}) is None


def test_parameters_are_numbers_booleans_and_short_words_under_known_names() -> None:
    body = {
        "temperature": 0.5, "max_tokens": 100, "logprobs": True, "reasoning_effort": "low",
        "seed": None, "top_p": "a " * 40, "stop": ["x"], "user": "ann", "tool_choice": "auto",
        "unknown": 1, "top_k": [1],
    }  # fmt: skip
    found = parameters_in(fields(body))
    assert {name: json.loads(bytes(raw)) for name, raw in found.items()} == {
        "temperature": 0.5, "max_tokens": 100, "logprobs": True, "reasoning_effort": "low",
        "tool_choice": "auto",
    }  # fmt: skip


def test_parameters_in_objects_have_paths() -> None:
    body = {
        "generationConfig": {"topK": 3, "thinkingConfig": {"thinkingBudget": 0, "text": {"n": 1}}},
        "thinking": {"type": "enabled", "budget_tokens": 2048},
        "response_format": {"type": "json_schema", "json_schema": {"name": "secret"}},
        "reasoning": "no object",
    }
    found = parameters_in(fields(body))
    assert {name: json.loads(bytes(raw)) for name, raw in found.items()} == {
        "generationConfig.topK": 3,
        "generationConfig.thinkingConfig.thinkingBudget": 0,
        "thinking.type": "enabled",
        "thinking.budget_tokens": 2048,
        "response_format.type": "json_schema",
    }


def test_all_label_headers_are_in_lower_case() -> None:
    assert all(name == name.lower() for name in LABEL_HEADERS)


def test_objects_with_long_schemas_and_many_tags_are_read_too() -> None:
    schema = {"type": "json_schema", "schema": {"description": "x" * 2000}}
    found = parameters_in(fields({"text": {"verbosity": "low", "format": schema}}))
    assert {name: bytes(raw) for name, raw in found.items()} == {"text.verbosity": b'"low"'}
    body = fields({"metadata": {"user_id": "ann", "note": "x" * 1000, "team": "blue"}})
    assert (user_in(body), tags_in(body)[1]) == ("ann", "team:blue")


def test_parameters_are_in_the_order_of_the_body_with_those_of_objects_last() -> None:
    body = {"thinking": {"type": "enabled"}, "top_p": 1, "options": {"seed": 1}, "temperature": 0}
    assert list(parameters_in(fields(body))) == [
        "top_p", "temperature", "thinking.type", "options.seed"
    ]  # fmt: skip


def test_a_body_without_objects_has_parameters_too() -> None:
    assert parameters_in({"temperature": Raw(b"0.5")}) == {"temperature": Raw(b"0.5")}
