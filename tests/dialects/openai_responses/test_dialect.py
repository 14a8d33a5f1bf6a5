from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import Recall
from headway.errors import InvalidField, RequestError, UpstreamRejected
from headway.events import (
    Event,
    ExtraFields,
    Finished,
    Logprobs,
    Reasoning,
    ReasoningDetail,
    Refusal,
    ServiceTierReported,
    Started,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import ChatRequest, Usage
from support.dialect_samples import METRICS, fold
from support.responses_samples import DIALECT, NOW, client_request, new_context

COUNTS = Usage(input_tokens=11, output_tokens=7, cache_read_tokens=3, reasoning_tokens=2)


def encode(*events: Event, **body: Any) -> Any:
    return json.loads(DIALECT.encode(new_context(**body), fold(*events), METRICS, NOW))


# --- Requests -------------------------------------------------------------------------------------


def test_a_request_keeps_its_fields_as_they_are() -> None:
    headers = [(b"openai-beta", b"x=1"), (b"x-codex-window-id", b"w"), (b"authorization", b"no")]
    call = DIALECT.decode(client_request(*headers, input=[], stream=True, strict=True, top_p=1.50))
    request = call.request
    assert isinstance(request, ChatRequest)
    assert (call.provider, request.model, call.model_name) == ("openai", "gpt-5", "openai/gpt-5")
    assert (call.stream, call.strict, call.shows_metrics) == (True, True, False)
    assert request.native is not None
    assert request.native.wire == DIALECT.wire
    assert {k: bytes(v) for k, v in request.native.fields.items()} == {
        "input": b"[]",
        "top_p": b"1.5",
    }
    assert request.native.headers == (("openai-beta", "x=1"), ("x-codex-window-id", "w"))
    assert bytes(request.messages) == b"[]"


def test_a_key_is_in_a_header_and_metrics_are_asked_for_in_the_streams_options() -> None:
    headers = ((b"x-headway-provider-key", b"k"),)
    options = {"include_metrics": True}
    call = DIALECT.decode(client_request(*headers, stream=True, stream_options=options))
    assert (call.api_key, call.shows_metrics) == ("k", True)
    assert isinstance(call.request, ChatRequest)
    assert call.request.native is not None
    assert "stream_options" not in call.request.native.fields


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"model": 7}, "model"),
        ({"input": None}, "input"),
        ({"stream": "yes"}, "stream"),
        ({"base_url": "http://a.example"}, "base_url"),
    ],
)
def test_a_wrong_field_is_named(body: Any, named: str) -> None:
    with pytest.raises(InvalidField) as caught:
        DIALECT.decode(client_request(**body))
    assert caught.value.param == named


def test_a_wrong_field_is_a_bad_request_as_openai_says_it() -> None:
    assert DIALECT.status_of(InvalidField("no")) == 400
    assert DIALECT.status_of(UpstreamRejected("no", status=422)) == 422


def test_a_request_says_what_it_refers_to_and_whether_it_is_stored() -> None:
    assert DIALECT.decode(client_request()).recall is None
    assert DIALECT.decode(client_request()).reply_storage is not None
    asked = DIALECT.decode(client_request(previous_response_id="resp_1", store=False))
    context = replace(new_context(previous_response_id="resp_1"), is_stored=True)
    said = json.loads(DIALECT.encode(context, fold(Text("Hi"), Finished("stop")), METRICS, NOW))
    assert (said["store"], said["previous_response_id"]) == (True, "resp_1")
    assert asked.recall == Recall(previous_response_id="resp_1")
    assert asked.reply_storage is None


def test_a_request_becomes_one_of_chat() -> None:
    request = DIALECT.decode(client_request(stream=True)).request
    assert isinstance(request, ChatRequest)
    converted, transformations = DIALECT.convert_request(request)
    assert json.loads(bytes(converted.messages)) == [{"role": "user", "content": "Hi"}]
    assert transformations == ()


# --- Responses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "passes"),
    [
        (b'{"id":"r","object":"response","output":[{"type":"odd"}],"more":1}', True),
        (b'{"id":"r","object":"response"}', False),
        (b'{"id":"r","object":"chat.completion","output":[]}', False),
        (b"no", False),
    ],
)
def test_a_response_of_the_same_format_passes_through(body: bytes, passes: bool) -> None:
    assert DIALECT.passes_through(body) is passes


def test_a_whole_response_has_everything_that_a_stream_has() -> None:
    detail = {"type": "reasoning.text", "text": "Hm", "signature": "S"}
    found = encode(
        Started("x", "gpt-5-2025", 7, service_tier="flex"),
        Reasoning("Hm"),
        ReasoningDetail(detail),
        Text("A"),
        Logprobs({"content": [{"token": "A"}]}),
        Refusal("No"),
        ExtraFields({"annotations": [{"type": "file_citation"}]}),
        ToolStarted(0, "c0", "f"),
        ToolArguments(0, "{}"),
        Finished("tool_calls"),
        UsageReported(COUNTS),
        ServiceTierReported("priority"),
    )
    reasoning, message, call = found.pop("output")
    assert reasoning["encrypted_content"]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][0]["logprobs"] == [{"token": "A"}]
    assert call["call_id"] == "c0"
    assert found == {
        "id": "resp_a1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "background": False,
        "completed_at": 1700000009,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5-2025",
        "previous_response_id": None,
        "service_tier": "priority",
        "store": False,
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 18,
        },
        "frequency_penalty": 0.0,
        "instructions": None,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {},
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "prompt_cache_key": None,
        "safety_identifier": None,
        "temperature": 1.0,
        "tool_choice": "auto",
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": None,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "reasoning": {"effort": None, "summary": None},
        "tools": [],
    }


def test_the_response_repeats_the_request() -> None:
    given = {
        "instructions": "Be brief.",
        "metadata": {"a": "b"},
        "temperature": 0.5,
        "text": {"verbosity": "low"},
        "reasoning": {"effort": "low"},
        "tools": [{"type": "function", "name": "f"}, {"type": "web_search"}],
    }
    found = encode(Text("A"), Finished("stop"), **given)
    assert {name: found[name] for name in ("instructions", "metadata", "temperature")} == {
        name: given[name] for name in ("instructions", "metadata", "temperature")
    }
    assert found["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert found["reasoning"] == {"effort": "low", "summary": None}
    function = {"type": "function", "name": "f", "description": None, "parameters": None}
    assert found["tools"] == [{**function, "strict": None}, {"type": "web_search"}]
    assert encode(Text("A"), text=7, tools="odd")["text"]["verbosity"] == "medium"


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_a_response_that_was_cut_is_incomplete(reason: str, status: str, details: Any) -> None:
    found = encode(Text("A"), Finished(reason))
    assert (found["status"], found["incomplete_details"]) == (status, details)
    assert found["output"][0]["status"] == status
    assert (found["completed_at"] is None) == (status == "incomplete")


def test_unknown_usage_is_null_and_cache_writes_are_said() -> None:
    assert encode(Text("A"))["usage"] is None
    known = Usage(input_tokens=1, output_tokens=2, cache_write_tokens=1)
    usage = encode(Text("A"), UsageReported(known))["usage"]
    assert usage["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 1}


def test_what_is_nested_too_deeply_is_not_repeated() -> None:
    context = new_context()
    native = context.call.request.native  # type: ignore[union-attr]
    native.fields["reasoning"] = Raw(b"[" * 100_000)
    found = json.loads(DIALECT.encode(context, fold(Text("A")), METRICS, NOW))
    assert found["reasoning"] == {"effort": None, "summary": None}


def test_the_ordinary_tier_has_openais_name() -> None:
    assert encode(Started(service_tier="standard"))["service_tier"] == "default"
    assert encode(Started(), ServiceTierReported("standard"))["service_tier"] == "default"


def test_a_response_without_a_choice_has_no_output() -> None:
    assert encode(Started("x"))["output"] == []
    assert encode(Started("x"))["model"] == "gpt-5"


@pytest.mark.parametrize("name", ["summary", "generate_summary"])
def test_reasoning_is_a_summary_where_one_was_asked_for(name: str) -> None:
    (item,) = encode(Reasoning("Hm"), reasoning={name: "auto"})["output"]
    assert item["summary"] == [{"type": "summary_text", "text": "Hm"}]
    assert "content" not in item


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
FIELDS = ("input", "instructions", "metadata", "reasoning", "text", "tool_choice", "tools")


@given(st.dictionaries(st.sampled_from(FIELDS), ANY, max_size=4), st.booleans())
def test_a_request_of_any_form_gets_a_response(fields: dict[str, Any], is_same: bool) -> None:
    """A provider of the same wire format judges the fields itself."""
    try:
        context = new_context(is_passthrough=is_same, **fields)
    except RequestError:
        return
    answer = fold(Reasoning("Hm"), Text("A"), Finished("stop"))
    assert json.loads(DIALECT.encode(context, answer, METRICS, NOW))["output"]
    assert DIALECT.stream(context).end(answer, METRICS, NOW)
