from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway.dialects.base import decode_object
from headway.dialects.input_items.convert import (
    CONVERTERS,
    WIRE,
    check_fields,
    convert_fields,
    prompt_messages,
)
from headway.dialects.input_items.messages import CONVERTERS as ITEM_CONVERTERS
from headway.dialects.input_items.tools import CONVERTERS as TOOL_CONVERTERS
from headway.dialects.input_items.tools import read_names
from headway.errors import InvalidField, RequestError
from headway.types import ChatRequest, NativeRequest
from support.for_each import for_each

FIELDS = (*CONVERTERS, "input", "instructions", "metadata", "text", "truncation", "odd")
TYPES = (*ITEM_CONVERTERS, *TOOL_CONVERTERS, "allowed_tools", "web_search_call")
NAMES = st.sampled_from(
    ("type", "name", "tools", "content", "output", "call_id", "text", "format", "summary", "role")
)
TOOL = {"type": "function", "name": "f"}
NAMED = {"name": "n", "schema": {}}
CHAT_TOOL = {"type": "function", "function": {"name": "f"}}


def fields_of(body: Any) -> dict[str, Any]:
    return dict(decode_object(json.dumps(body).encode()))


def convert(**body: Any) -> tuple[list[Any], dict[str, Any], list[str]]:
    fields = fields_of({"input": "Hi", **body})
    native = NativeRequest(WIRE, fields)
    request = ChatRequest(model="m", messages=fields["input"], stream=True, native=native)
    converted, transformations = convert_fields(request)
    assert converted.native is None
    assert converted.stream
    parameters = {name: json.loads(bytes(raw)) for name, raw in converted.parameters.items()}
    return (
        json.loads(bytes(converted.messages)),
        parameters,
        [str(each) for each in transformations],
    )


def test_a_text_is_a_message_after_the_instructions() -> None:
    messages, parameters, notes = convert(instructions="Be brief.")
    assert messages == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert (parameters, notes) == ({}, [])


@for_each(
    ("fields", "parameters"),
    [
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        (
            {"temperature": 0.5, "top_p": 1, "user": "u", "prompt_cache_key": "k"},
            {"temperature": 0.5, "top_p": 1, "user": "u", "prompt_cache_key": "k"},
        ),
        ({"service_tier": "flex", "a_field_of_tomorrow": [1]}, None),
        ({"temperature": None, "tools": None, "include": None, "text": None}, {}),
        ({"store": True}, {}),
        ({"store": False, "truncation": "disabled", "metadata": {}, "background": False}, {}),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, {"reasoning_effort": "high"}),
        ({"reasoning": {"effort": None, "generate_summary": "auto"}}, {}),
        ({"text": {"format": {"type": "text"}, "verbosity": "medium"}}, {}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        (
            {"text": {"format": {"type": "json_object"}}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {
                "text": {
                    "format": {"type": "json_schema", "name": "n", "schema": {}, "strict": None}
                }
            },
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {}},
                }
            },
        ),
        (
            {"text": {"format": {"type": "json_schema", "json_schema": {"name": "n"}}}},
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
        ),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"top_logprobs": 0}, {}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "name": "f"}},
            {"tools": [CHAT_TOOL], "tool_choice": CHAT_TOOL},
        ),
        (
            {"tools": [TOOL], "parallel_tool_calls": False},
            {"tools": [CHAT_TOOL], "parallel_tool_calls": False},
        ),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, {}),
    ],
)
def test_parameters_become_those_of_chat(fields: Any, parameters: Any) -> None:
    _, found, notes = convert(**fields)
    assert found == (fields if parameters is None else parameters)
    assert notes == []


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"client_metadata": {"a": "b"}}, "dropped client_metadata: only providers with"),
        ({"metadata": {"a": "b"}}, "dropped metadata: the provider does not get it"),
        ({"truncation": "auto"}, "dropped truncation: a conversation that is too long is refused"),
        ({"max_tool_calls": 3}, "dropped max_tool_calls: no tools run at the provider"),
        ({"include": ["web_search_call.results"]}, "dropped include.web_search_call.results: only"),
        ({"text": {"odd": 1}}, "dropped text.odd: only"),
        ({"reasoning": {"mode": "pro", "context": None}}, "dropped reasoning.mode: only"),
        ({"tools": [{"type": "web_search"}]}, "dropped tools[].web_search: only"),
    ],
)
def test_what_chat_does_not_have_is_said(fields: Any, note: str) -> None:
    _, parameters, notes = convert(**fields)
    assert parameters == {}
    assert [each[: len(note)] for each in notes] == [note]


def test_items_may_add_tools() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [TOOL]}
    messages, parameters, notes = convert(
        input=[{"role": "user", "content": "Hi"}, added], tools=[{**TOOL, "name": "g"}]
    )
    assert messages == [{"role": "user", "content": "Hi"}]
    assert [each["function"]["name"] for each in parameters["tools"]] == ["g", "f"]
    assert notes == ["emulated input[].additional_tools: as tools of the whole request"]


@for_each(
    ("fields", "named"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"tools": [{"type": "mcp"}], "tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"input": [7]}, "input"),
        ({"tools": 7}, "tools"),
        ({"instructions": 7}, "instructions"),
        ({"reasoning": "high"}, "reasoning"),
        ({"text": "short"}, "text"),
        ({"include": "all"}, "include"),
        ({"tool_choice": 7}, "tool_choice"),
    ],
)
def test_what_cannot_be_converted_is_refused(fields: Any, named: str) -> None:
    with pytest.raises(RequestError) as caught:
        convert(**fields)
    assert caught.value.param == named


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4))
def test_values_of_any_form_are_converted_or_refused(fields: dict[str, Any]) -> None:
    with suppress(RequestError):
        convert(**fields)


@given(ANY, st.sampled_from(TYPES))
def test_items_and_tools_of_any_form_are_converted_or_refused(value: Any, kind: str) -> None:
    fields = value if isinstance(value, dict) else {"content": value, "name": "n", "call_id": "1"}
    with suppress(RequestError):
        convert(input=[{**fields, "type": kind}])
    with suppress(RequestError):
        convert(tools=[{"name": "n", "tools": [value], **fields, "type": kind}])


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep = b'{"type":"namespace","name":"n","tools":[' * 100_000
    fields = {"input": Raw(b'"Hi"'), "tools": Raw(b"[" + deep)}
    request = ChatRequest(model="m", messages=Raw(b"[]"), native=NativeRequest(WIRE, fields))
    with pytest.raises(RequestError):
        convert_fields(request)
    assert read_names(b"[" + deep) == {}


@pytest.mark.parametrize(
    "fields",
    [{"background": True}, {"conversation": {"id": "conv_1"}}],
)
def test_what_refers_to_what_is_not_kept_is_refused(fields: Any) -> None:
    with pytest.raises(RequestError, match="is not supported: the gateway") as caught:
        check_fields(fields_of({"input": "Hi", **fields}))
    assert caught.value.param == next(iter(fields))
    assert caught.value.status == 400


def test_input_is_required_unless_there_is_a_prompt() -> None:
    check_fields(fields_of({"prompt": {"id": "pmpt_1"}, "background": False}))
    with pytest.raises(InvalidField, match="`input` is missing"):
        check_fields({})


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"input": "Hi"}, [{"role": "user", "content": "Hi"}]),
        ({"input": [{"role": "user", "content": "Hi"}]}, [{"role": "user", "content": "Hi"}]),
        ({}, []),
    ],
)
def test_the_input_can_be_counted(body: Any, messages: Any) -> None:
    assert json.loads(bytes(prompt_messages(fields_of(body)))) == messages


def test_a_value_that_cannot_be_read_is_a_client_error() -> None:
    native = NativeRequest(WIRE, {"input": Raw(b'"Hi"'), "text": Raw(b'{"format":7}')})
    request = ChatRequest(model="m", messages=Raw(b"[]"), native=native)
    with pytest.raises(RequestError):
        convert_fields(request)
