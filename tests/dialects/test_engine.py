from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, ResponseContext
from headway.dialects.engine import DEFAULTS, Engine
from headway.errors import InvalidBody, InvalidField, UpstreamOverloaded
from headway.events import Event, Finished, Text, ToolArguments, ToolStarted, UsageReported
from headway.types import Transformation, Usage
from support.dialect_samples import (
    ENCODED_METRICS,
    HELLO,
    METRICS,
    NO_FRAME,
    STARTED,
    USAGE,
    context,
    fold,
    inbound,
)
from support.for_each import for_each

ENGINE = Engine()
ASKED = {"model": "gpt-4o", "chat_input": "Hi"}
CALLED = [{"role": "user", "content": "Hi"}]


def decode(**fields: Any) -> Any:
    return ENGINE.decode(inbound({**ASKED, **fields}))


def plain(parameters: Any) -> dict[str, Any]:
    return {name: json.loads(bytes(value)) for name, value in parameters.items()}


def test_a_minimal_request_has_the_contracts_defaults() -> None:
    call = decode()
    assert call.provider == "openai"
    assert call.request.model == "gpt-4o"
    assert json.loads(bytes(call.request.messages)) == CALLED
    assert bytes(call.chat_input) == b'"Hi"'
    assert dict(call.request.parameters) == DEFAULTS
    assert call.request.uses_default_parameters
    assert call.request.stream  # upstream always
    assert not call.stream
    assert not call.sse
    assert not call.strict
    assert (call.api_key, call.base_url, call.session_id, call.retries) == (None, None, None, None)
    assert call.options == {}


def test_escapes_in_a_text_are_passed_on_verbatim() -> None:
    call = ENGINE.decode(inbound(b'{"model":"m","chat_input":"\\u00e9\\n"}'))
    assert bytes(call.request.messages) == b'[{"role":"user","content":"\\u00e9\\n"}]'


def test_messages_go_on_verbatim_and_the_last_is_the_input() -> None:
    messages = b'[{"role":"system","content":"x"}, {"role":"user","content":[ {"a":1} ],"z":2}]'
    call = ENGINE.decode(inbound(b'{"model":"m","chat_input":' + messages + b"}"))
    assert bytes(call.request.messages) == messages
    assert bytes(call.chat_input) == b'[ {"a":1} ]'


def test_a_last_message_without_content_shows_null() -> None:
    call = decode(chat_input=[{"role": "assistant", "tool_calls": []}])
    assert bytes(call.chat_input) == b"null"


# fields, the parameters that are sent, whether they are our defaults
GIVEN: list[tuple[dict[str, Any], dict[str, Any] | None, bool]] = [
    ({"parameters": None}, None, True),
    ({"parameters": {}}, {}, False),
    ({"parameters": {"top_p": 0.5}}, {"top_p": 0.5}, False),
    ({"top_p": 0.5}, {"top_p": 0.5}, False),
    ({"parameters": {"top_p": 0.5}, "seed": 7}, {"top_p": 0.5, "seed": 7}, False),
    ({"parameters": {"top_p": 0.5}, "top_p": 0.7}, {"top_p": 0.7}, False),
    ({"parameters": {"top_p": None}}, {"top_p": None}, False),
    ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}, False),
    ({"parameters": {"tools": [1]}}, {"tools": [1]}, False),
]


@pytest.mark.parametrize(("fields", "sent", "uses_default_parameters"), GIVEN)
def test_given_parameters_are_not_merged_with_defaults(
    fields: dict[str, Any], sent: dict[str, Any] | None, uses_default_parameters: bool
) -> None:
    request = decode(**fields).request
    assert plain(request.parameters) == (plain(DEFAULTS) if sent is None else sent)
    assert request.uses_default_parameters is uses_default_parameters


@pytest.mark.parametrize("name", ["functions", "tools", "tool_choice", "response_format"])
def test_fields_outside_parameters_leave_the_defaults_in_effect(name: str) -> None:
    request = decode(**{name: {"a": 1}}).request
    assert plain(request.parameters) == {**plain(DEFAULTS), name: {"a": 1}}
    assert request.uses_default_parameters
    assert plain(decode(**{name: None}).request.parameters) == plain(DEFAULTS)


# field, value, what of the call it becomes, and that
FIELDS: list[tuple[str, Any, str, Any]] = [
    ("is_stream", True, "stream", True),
    ("is_stream", False, "stream", False),
    ("is_stream", None, "stream", False),
    ("api_key", "k", "api_key", "k"),
    ("api_key", None, "api_key", None),
    ("api_key", "", "api_key", None),
    ("session_id", "s", "session_id", "s"),
    ("session_id", None, "session_id", None),
    ("retries", 3, "retries", 3),
    ("retries", 10, "retries", 10),
    ("retries", None, "retries", None),
    ("base_url", "http://b", "base_url", "http://b"),
    ("base_url", "", "base_url", None),
    ("api_endpoint", "http://e", "base_url", "http://e"),
    ("api_version", "v", "options", {"api_version": "v"}),
    ("api_version", None, "options", {}),
    ("strict", True, "strict", True),
    ("strict", None, "strict", False),
    ("has_end_token", True, "options", {}),
]


@for_each(("field", "value", "attribute", "found"), FIELDS)
def test_a_field_is_read_and_is_no_parameter(
    field: str, value: Any, attribute: str, found: Any
) -> None:
    call = decode(**{field: value})
    assert getattr(call, attribute) == found
    assert dict(call.request.parameters) == DEFAULTS


def test_base_url_wins_over_its_other_name() -> None:
    assert decode(base_url="http://b", api_endpoint="http://e").base_url == "http://b"


@pytest.mark.parametrize(
    ("headers", "sse"),
    [
        ([], False),
        ([(b"accept", b"*/*")], False),
        ([(b"accept", b"text/event-stream")], True),
        ([(b"accept", b"application/json, text/event-stream;q=0.9")], True),
        ([(b"x-accept", b"text/event-stream")], False),
    ],
)
def test_the_framing_follows_what_the_client_accepts(
    headers: list[tuple[bytes, bytes]], sse: bool
) -> None:
    assert ENGINE.decode(inbound(ASKED, "p", *headers)).sse is sse


# field, a value of the wrong kind, what it must be
WRONG: list[tuple[str, Any, str]] = [
    ("model", 7, "a string"),
    ("model", None, "a string"),
    ("chat_input", 7, "a string, or a list"),
    ("chat_input", None, "a string, or a list"),
    ("chat_input", [], "a string, or a list"),
    ("chat_input", ["Hi"], "a string, or a list"),
    ("chat_input", [{"content": "Hi"}], "each with a role"),
    ("chat_input", [{"role": 7}], "each with a role"),
    ("chat_input", {"role": "user"}, "a string, or a list"),
    ("parameters", "x", "an object or null"),
    ("parameters", [], "an object or null"),
    ("is_stream", "yes", "true, false or null"),
    ("is_stream", 1, "true, false or null"),
    ("api_key", 7, "a string or null"),
    ("session_id", 7, "a string or null"),
    ("retries", "3", "a whole number from 0 to 10"),
    ("retries", 1.5, "a whole number from 0 to 10"),
    ("retries", True, "a whole number from 0 to 10"),
    ("retries", -1, "a whole number from 0 to 10"),
    ("retries", 11, "a whole number from 0 to 10"),
    ("base_url", 7, "a string or null"),
    ("api_endpoint", [], "a string or null"),
    ("api_version", 7, "a string or null"),
    ("strict", 7, "true, false or null"),
    ("has_end_token", "no", "true, false or null"),
    ("session", "s", "an object with `remember`"),
    ("session", {"remember": 1}, "an object with `remember`"),
    ("session", {"remeber": True}, "an object with `remember`"),
    ("session", {"remember": True, "max_turns": 0}, "from 1 to 1000"),
]


@for_each(
    ("session", "turns"),
    [
        (None, None),
        ({}, None),
        ({"remember": False, "max_turns": 3}, None),
        ({"remember": True}, 50),
        ({"remember": True, "max_turns": 3}, 3),
    ],
)
def test_a_session_is_remembered_where_the_client_asks_for_it(
    session: Any, turns: int | None
) -> None:
    recall = decode(session=session).recall
    assert (None if recall is None else recall.session_turns) == turns
    assert "session" not in decode(session=session).request.parameters


@for_each(("field", "value", "expected"), WRONG)
def test_a_field_of_the_wrong_kind_is_named(field: str, value: Any, expected: str) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(**{field: value})
    assert caught.value.param == field
    assert caught.value.message.startswith(f"`{field}` must be ")
    assert expected in caught.value.message


def test_the_error_for_a_wrong_message_has_its_location() -> None:
    with pytest.raises(InvalidField, match=r"\$\[1\]"):
        decode(chat_input=[{"role": "user"}, {}])


@pytest.mark.parametrize("field", ["model", "chat_input"])
def test_a_missing_field_is_named(field: str) -> None:
    fields = {name: value for name, value in ASKED.items() if name != field}
    with pytest.raises(InvalidField) as caught:
        ENGINE.decode(inbound(fields))
    assert caught.value.param == field
    assert "is missing" in caught.value.message


@pytest.mark.parametrize(
    ("name", "instead"),
    [("model", "model"), ("messages", "chat_input"), ("stream", "is_stream")],
)
def test_a_parameter_with_its_own_field_is_refused_among_the_parameters(
    name: str, instead: str
) -> None:
    with pytest.raises(InvalidField, match=f"use `{instead}`") as caught:
        decode(parameters={name: "x"})
    assert caught.value.param == name


def test_openais_field_stream_is_refused() -> None:
    with pytest.raises(InvalidField, match="use `is_stream`"):
        decode(stream=True)


# body, what is said of it
BODIES: list[tuple[bytes, str]] = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b'{"model":"m"}x', "not valid JSON"),
    (b'{"model":"\xff"}', "not valid JSON"),
    (b"[]", "must be a JSON object"),
    (b'"x"', "must be a JSON object"),
    (b"null", "must be a JSON object"),
    (b'{"a":' + b"[" * 100_000, "nested too deeply"),
    (b'{"model":7,"model":"m","chat_input":"x"}', "not what this route takes"),
]


@pytest.mark.parametrize(("body", "said"), BODIES)
def test_a_body_that_is_no_object_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(InvalidBody, match=said) as caught:
        ENGINE.decode(inbound(body))
    assert caught.value.status == 400


# --- Encoding -------------------------------------------------------------------------------------

WHOLE = (
    b'{"id":"id-1","choices":[{"finish_reason":"stop","index":0,"logprobs":null,"message":'
    b'{"content":"Hello!","role":"assistant","function_call":null,"tool_calls":null}}],'
    b'"created":1700000000,"model":"gpt-4o","object":"chat.completion","system_fingerprint":"fp_1",'
    b'"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8},"session_id":"s","chat_input":"Hi",'
    b'"chat_output":"Hello!","context":[{"role":"user","content":"Hi"}],"provider":"openai",'
    b'"timestamp":1700000001.5,"parameters":{"top_p":0.5},"metrics":' + ENCODED_METRICS + b","
    b'"deployment":"gpt-4o-2024-08-06","transformations":[]}'
)


def test_a_whole_reply_has_the_contracts_keys_in_its_order() -> None:
    answer = fold(*HELLO)
    assert ENGINE.encode(context(session_id="s"), answer, METRICS, 1700000001.5) == WHOLE


def test_values_that_the_provider_did_not_report_are_null() -> None:
    reply = json.loads(ENGINE.encode(context(), fold(Text("a"), Finished("stop")), METRICS, 1.0))
    assert [
        reply[name] for name in ("usage", "system_fingerprint", "deployment", "session_id")
    ] == [None] * 4


def test_transformations_of_the_request_are_listed() -> None:
    changes = (Transformation("dropped", "top_p", "no"),)
    encoded = ENGINE.encode(context(transformations=changes), fold(*HELLO), METRICS, 1.0)
    assert json.loads(encoded)["transformations"] == [
        {"action": "dropped", "parameter": "top_p", "reason": "no"}
    ]


def test_choices_are_in_the_order_of_their_index() -> None:
    events: list[Event] = [Text("b", 1), Text("a", 0), Finished("stop", 1), Finished("stop", 0)]
    reply = json.loads(ENGINE.encode(context(), fold(*events), METRICS, 1.0))
    assert [choice["message"]["content"] for choice in reply["choices"]] == ["a", "b"]
    assert reply["chat_output"] == "a"


FIRST = (
    b'{"id":"id-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},'
    b'"logprobs":null,"finish_reason":null}],"created":1700000000,"model":"gpt-4o",'
    b'"object":"chat.completion.chunk","system_fingerprint":"fp_1","usage":null,"session_id":null,'
    b'"provider":"openai","timestamp":1.0,"chat_output_stream":"Hello","chat_output":null,'
    b'"metrics":null,"chat_input":"Hi","context":[{"role":"user","content":"Hi"}],'
    b'"parameters":{"top_p":0.5}}'
)
SECOND = (
    b'{"id":"id-1","choices":[{"index":0,"delta":{"content":"!"},"logprobs":null,'
    b'"finish_reason":null}],"created":1700000000,"model":"gpt-4o",'
    b'"object":"chat.completion.chunk","system_fingerprint":"fp_1","usage":null,"session_id":null,'
    b'"provider":"openai","timestamp":2.0,"chat_output_stream":"!","chat_output":null,'
    b'"metrics":null}'
)
LAST = (
    b'{"id":"id-1","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],'
    b'"created":1700000000,"model":"gpt-4o","object":"chat.completion.chunk",'
    b'"system_fingerprint":"fp_1","usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8},'
    b'"session_id":null,"provider":"openai","timestamp":3.0,"chat_output_stream":"",'
    b'"chat_output":"Hello!","metrics":' + ENCODED_METRICS + b',"deployment":"gpt-4o-2024-08-06",'
    b'"transformations":[]}'
)


@pytest.mark.parametrize(
    ("sse", "content_type", "before", "after", "end"),
    [
        (False, b"application/x-ndjson", b"", b"\n", []),
        (True, b"text/event-stream; charset=utf-8", b"data: ", b"\n\n", [b"data: [DONE]\n\n"]),
    ],
    ids=["ndjson", "sse"],
)
def test_a_stream_has_the_input_first_and_the_metrics_last(
    sse: bool, content_type: bytes, before: bytes, after: bytes, end: list[bytes]
) -> None:
    stream = ENGINE.stream(context(sse=sse))
    assert stream.content_type == content_type
    assert stream.encode(NO_FRAME, [STARTED], 0.5) is None
    assert stream.encode(NO_FRAME, [Text("Hello")], 1.0) == before + FIRST + after
    assert stream.encode(NO_FRAME, [Text("!")], 2.0) == before + SECOND + after
    assert stream.encode(NO_FRAME, [Finished("stop"), USAGE], 2.5) is None
    assert stream.end(fold(*HELLO), METRICS, 3.0) == [before + LAST + after, *end]


def test_a_stream_without_content_has_everything_in_its_last_object() -> None:
    answer = fold(Finished("stop"))
    (last,) = ENGINE.stream(context(sse=False)).end(answer, METRICS, 1.0)
    shown = json.loads(last)
    assert shown["chat_input"] == "Hi"
    assert (shown["chat_output"], shown["usage"], shown["deployment"]) == ("", None, None)
    assert list(shown)[-2:] == ["deployment", "transformations"]


def test_each_choice_has_its_role_once() -> None:
    stream = ENGINE.stream(context(sse=False))
    pieces = [stream.encode(NO_FRAME, [Text("x", index)], 1.0) for index in (0, 1, 0, 1)]
    roles = [json.loads(piece or b"")["choices"][0]["delta"].get("role") for piece in pieces]
    assert roles == ["assistant", "assistant", None, None]


def test_a_tool_call_streams_its_arguments() -> None:
    stream = ENGINE.stream(context(sse=False))
    stream.encode(NO_FRAME, [ToolStarted(0, "1", "a")], 1.0)
    piece = json.loads(stream.encode(NO_FRAME, [ToolArguments(0, "{}")], 1.0) or b"")
    assert piece["chat_output_stream"] == "{}"
    assert piece["choices"][0]["delta"]["tool_calls"] == [
        {"index": 0, "function": {"arguments": "{}"}}
    ]


@pytest.mark.parametrize(
    ("sse", "before", "after"), [(False, b"", b"\n"), (True, b"data: ", b"\n\n")]
)
def test_a_failure_is_an_object_in_the_same_framing(sse: bool, before: bytes, after: bytes) -> None:
    error = UpstreamOverloaded("Busy.", code="c", retry_after_s=2.0)
    assert ENGINE.stream(context(sse=sse)).fail(error) == [
        before
        + b'{"error":{"type":"overloaded_error","message":"Busy.","provider":"openai","param":null,'
        b'"code":"c","request_id":"id-1","retry_after_s":2.0}}' + after
    ]


def test_the_providers_own_names_win_in_an_error() -> None:
    error = UpstreamOverloaded("Busy.", provider="other", request_id="req-9")
    (piece,) = ENGINE.stream(context(sse=False)).fail(error)
    assert json.loads(piece)["error"]["provider"] == "other"
    assert json.loads(piece)["error"]["request_id"] == "req-9"


def test_raw_json_of_the_caller_is_shown_as_it_was_sent() -> None:
    call = ENGINE.decode(inbound(b'{"model":"m","chat_input":"x","top_p":0.50}'))
    assert call.request.parameters["top_p"] == Raw(b"0.50")


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("accept", [b"*/*", b"text/event-stream"])
def test_an_indented_request_and_an_indented_usage_break_no_line_of_a_stream(
    accept: bytes, line_break: str
) -> None:
    body = '{"model":"m",\n"chat_input":[\n{"role":"user",\n"content":"Hi"}],\n"n":[\n1]}'
    sent = ClientRequest("openai", ((b"accept", accept),), body.replace("\n", line_break).encode())
    call = ENGINE.decode(sent)
    stream = ENGINE.stream(
        ResponseContext(
            id="id-1",
            request_id="id-1",
            created=7,
            call=call,
            sent=call.request,
            transformations=(),
        )
    )
    usage = UsageReported(Usage(), Raw(b'{"prompt_tokens":' + line_break.encode() + b"6}"))
    first = stream.encode(NO_FRAME, [Text("Hello")], 1.0) or b""
    last = stream.end(fold(Text("Hello"), usage, Finished("stop")), METRICS, 2.0)[0]
    for piece in (first, last):
        (line,) = piece.splitlines() if accept == b"*/*" else piece.splitlines()[:-1]
        json.loads(line.removeprefix(b"data: "))
    assert json.loads(last.removeprefix(b"data: "))["usage"] == {"prompt_tokens": 6}


def test_a_response_is_never_passed_through() -> None:
    assert not ENGINE.passes_through(WHOLE)


def test_calls_of_custom_tools_are_custom() -> None:
    made = context()
    tools = Raw(b'[{"type":"custom","custom":{"name":"patch"}}]')
    request = replace(made.call.request, parameters={"tools": tools})
    made = replace(made, call=replace(made.call, request=request))
    odd = '{"input":7}'
    for arguments, pieces in (('{"input":"a"}', ["", "a"]), (odd, ["", "", odd])):
        events: list[Event] = [
            ToolStarted(0, "c1", "patch"),
            ToolArguments(0, arguments),
            Finished("tool_calls"),
        ]
        whole = json.loads(Engine().encode(made, fold(*events), METRICS, 1.0))
        [call] = whole["choices"][0]["message"]["tool_calls"]
        assert (call["type"], call["custom"]["input"]) == ("custom", pieces[-1])
        stream = Engine().stream(made)
        sent = [stream.encode(NO_FRAME, [event], 1.0) for event in events]
        sent += stream.end(fold(*events), METRICS, 1.0)
        chunks = [json.loads(piece.removeprefix(b"data: ")) for piece in sent[:-1] if piece]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
        assert [call["custom"]["input"] for call in calls] == pieces


def test_the_model_is_named_as_on_other_routes_where_the_path_says_route() -> None:
    body = b'{"model":"smart","chat_input":"Hi"}'
    decoded = ENGINE.decode(ClientRequest("route", (), body))
    assert (decoded.provider, decoded.model_name, decoded.request.model) == ("", "smart", "smart")
    body = b'{"model":"openai/gpt-5","chat_input":"Hi"}'
    decoded = ENGINE.decode(ClientRequest("route", (), body))
    named = (decoded.provider, decoded.model_name, decoded.request.model)
    assert named == ("openai", "openai/gpt-5", "gpt-5")
    assert ENGINE.decode(ClientRequest("openai", (), body)).model_name is None
