from __future__ import annotations

import json
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from headway.policy.cache_key import (
    CacheControl,
    is_deterministic,
    is_stateless,
    make_cache_key,
    names_ttl,
    offers_tools,
    read_cache_control,
)
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    FormBody,
    NativeRequest,
    RelayedRequest,
    Request,
)
from support.for_each import for_each

MESSAGES = Raw(b'[{"role":"user","content":"Hi"}]')


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def chat(messages: Raw = MESSAGES, **parameters: Any) -> ChatRequest:
    given = {name: raw(value) for name, value in parameters.items()}
    return ChatRequest(model="gpt-4o", messages=messages, parameters=given)


def native(wire: str = "anthropic_messages", **fields: Any) -> ChatRequest:
    given = {name: raw(value) for name, value in fields.items()}
    return ChatRequest(model="m", messages=Raw(b"[]"), native=NativeRequest(wire, given))


def key(request: Request, **changes: str) -> bytes | None:
    named = {"tenant": "anonymous", "target": "openai/gpt-4o", "wire": "openai_chat", **changes}
    return make_cache_key(request, **named)


@for_each(
    ("one", "other"),
    [
        (chat(), chat(Raw(b'[ {"content" : "\\u0048i", "role":"user"} ]'))),
        (chat(temperature=0, seed=1), chat(seed=1, temperature=0)),
        (chat(), chat(user="u-1", metadata={"a": "b"}, stream_options={}, store=True)),
        (chat(), chat(prompt_cache_key="s", safety_identifier="x", service_tier="flex")),
        (native(system="S"), native(system="S", metadata={"user_id": "u"}, stream=True)),
    ],
)
def test_requests_with_the_same_answer_have_the_same_key(one, other) -> None:
    assert key(one) == key(other) != None  # noqa: E711


DIFFERENT: list[Request] = [
    chat(),
    chat(Raw(b'[{"role":"user","content":"Hi!"}]')),
    chat(Raw(b'[{"role":"system","content":"Hi"}]')),
    chat(temperature=0),
    chat(temperature=1),
    chat(seed=1),
    chat(max_tokens=5),
    chat(unknown_field=1),
    chat(tools=[{"type": "function", "function": {"name": "f"}}]),
    chat(response_format={"type": "json_object"}),
    native(),
    native(system="S"),
    replace(native(), native=NativeRequest("anthropic_messages", {}, headers=(("beta", "x"),))),
    replace(native(), native=NativeRequest("anthropic_messages", {}, query="beta=true")),
    EmbeddingsRequest(model="e", input=raw("Hi")),
    EmbeddingsRequest(model="e", input=raw(["Hi"])),
    EmbeddingsRequest(model="e", input=raw("Hi"), parameters={"dimensions": raw(8)}),
    RelayedRequest(operation="moderations", model="m", parameters={"input": raw("Hi")}),
    RelayedRequest(operation="rerank", model="m", parameters={"input": raw("Hi")}),
]


def test_whatever_determines_the_answer_is_in_the_key() -> None:
    keys = [key(request) for request in DIFFERENT]
    assert None not in keys
    assert len(set(keys)) == len(DIFFERENT)


@for_each("changed", ["tenant", "target", "wire"])
def test_no_other_tenant_target_or_format_has_the_key(changed) -> None:
    assert key(chat(), **{changed: "other"}) != key(chat())


@for_each(
    "request_",
    [
        chat(Raw(b"[")),
        chat(Raw(b'["\xff"]')),
        replace(chat(), parameters={"a": Raw(b"[" * 100_000)}),
    ],
    ids=["cut", "not UTF-8", "deep"],
)
def test_a_request_that_is_no_json_has_no_key(request_) -> None:
    assert key(request_) is None


FORM = FormBody("multipart/form-data; boundary=b", b"--b", 0, 0)


@for_each(
    ("request_", "expected"),
    [
        (chat(), True),
        (native("openai_responses", previous_response_id="r"), False),
        (native("openai_responses", conversation="c"), False),
        (native("anthropic_messages", container="c"), False),
        (EmbeddingsRequest(model="e", input=raw("Hi")), True),
        (RelayedRequest(operation="rerank", model="m"), True),
        (RelayedRequest(operation="transcriptions", model="m", form=FORM), False),
    ],
)
def test_a_request_that_refers_to_something_else_is_not_stateless(request_, expected) -> None:
    assert is_stateless(request_) is expected


@for_each(
    ("request_", "expected"),
    [
        (chat(), False),
        (chat(tools=[]), True),
        (chat(functions=[]), True),
        (native("gemini", toolConfig={}), True),
        (EmbeddingsRequest(model="e", input=raw("Hi")), False),
    ],
)
def test_tools_are_found_in_every_format(request_, expected) -> None:
    assert offers_tools(request_) is expected


@for_each(
    ("request_", "expected"),
    [
        (chat(), False),
        (chat(temperature=0), True),
        (chat(temperature=0.0), True),
        (chat(temperature=0.1), False),
        (chat(temperature="0"), False),
        (replace(chat(), parameters={"temperature": Raw(b"[" * 100_000)}), False),
        (native(temperature=0), True),
    ],
)
def test_a_request_is_deterministic_at_temperature_0(request_, expected) -> None:
    assert is_deterministic(request_) is expected


@for_each(
    ("value", "expected"),
    [
        (b"no-store", CacheControl(no_store=True)),
        (b"No-Cache", CacheControl(no_cache=True)),
        (b"no-cache, no-store", CacheControl(no_store=True, no_cache=True)),
        (b"max-age=60", CacheControl(max_age=60.0)),
        (b'max-age="60" , private', CacheControl(max_age=60.0)),
        (b"max-age=0", CacheControl(max_age=0.0)),
        (b"max-age=-1", CacheControl()),
        (b"max-age=1e3", CacheControl()),
        (b"max-age=99999999999", CacheControl()),
        (b"max-age", CacheControl()),
        (b"", CacheControl()),
    ],
)
def test_directives_of_cache_control_are_read(value, expected) -> None:
    assert read_cache_control([(b"accept", b"*/*"), (b"cache-control", value)]) == expected


def test_a_time_to_live_has_a_header_of_its_own() -> None:
    ttl = (b"x-headway-cache-ttl", b"30")
    assert read_cache_control([ttl]) == CacheControl(ttl=30.0)
    both = [ttl, (b"cache-control", b"no-cache")]
    assert read_cache_control(both) == CacheControl(no_cache=True, ttl=30.0)
    assert read_cache_control([]) == CacheControl()
    assert [names_ttl(headers) for headers in (both, both[1:], [])] == [True, False, False]
    assert read_cache_control([(b"x-headway-cache-ttl", b"soon")]) == CacheControl()
