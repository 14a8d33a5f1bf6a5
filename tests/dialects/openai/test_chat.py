from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.dialects.openai.chat import CHAT_STORAGE, OpenAIChat
from headway.errors import InvalidBody, InvalidField, UpstreamOverloaded
from headway.events import (
    Event,
    Finished,
    Logprobs,
    Reasoning,
    StreamEnd,
    Text,
    ToolArguments,
    ToolStarted,
    UsageReported,
)
from headway.types import ChatRequest, Frame, Usage
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

CHAT = OpenAIChat()
MESSAGES = [{"role": "user", "content": "Hi"}]
ASKED = {"model": "openai/gpt-4o", "messages": MESSAGES}
END = b"data: [DONE]\n\n"


def decode(*headers: tuple[bytes, bytes], **fields: Any) -> Any:
    return CHAT.decode(inbound({**ASKED, **fields}, "", *headers))


def test_a_minimal_request_is_decoded() -> None:
    call = decode()
    assert (call.provider, call.request.model) == ("openai", "gpt-4o")
    assert json.loads(bytes(call.request.messages)) == MESSAGES
    assert dict(call.request.parameters) == {}
    assert not call.request.uses_default_parameters
    assert (call.stream, call.request.stream, call.sse) == (False, False, True)
    assert (call.api_key, call.base_url, call.retries) == (None, None, None)


@pytest.mark.parametrize(
    ("model", "provider", "name"),
    [
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("together/meta-llama/Llama-3", "together", "meta-llama/Llama-3"),
        ("local/x", "local", "x"),
    ],
)
def test_the_model_is_named_behind_its_provider(model: str, provider: str, name: str) -> None:
    call = decode(model=model)
    assert (call.provider, call.request.model) == (provider, name)


def test_all_other_fields_go_on_verbatim() -> None:
    body = b'{"model":"p/m","messages":[],"n": 2,"zeal":{ "a":1}}'
    with pytest.raises(InvalidField):
        CHAT.decode(inbound(body))
    call = CHAT.decode(inbound(body.replace(b"[]", b'[{"role":"user"}]')))
    assert dict(call.request.parameters) == {
        "n": Raw(b"2"),
        "zeal": Raw(b'{ "a":1}'),
    }
    assert call.api_key is None


def test_a_stream_is_asked_for_upstream_too() -> None:
    call = decode(stream=True)
    assert (call.stream, call.request.stream) == (True, True)
    assert "stream" not in call.request.parameters


@pytest.mark.parametrize(
    ("options", "shows"),
    [
        (None, False),
        ({}, False),
        ({"include_usage": False}, False),
        ({"include_usage": True}, True),
    ],
)
def test_usage_is_returned_on_request(options: Any, shows: bool) -> None:
    assert decode(stream=True, stream_options=options).shows_usage is shows


def test_metrics_are_returned_on_request() -> None:
    for asked, shows in ((True, True), (False, False), (None, False)):
        options = {"include_usage": True, "include_metrics": asked}
        call = decode(stream=True, stream_options=options)
        assert (call.shows_usage, call.shows_metrics) == (True, shows)
        assert isinstance(call.request, ChatRequest)
        left = bytes(call.request.parameters["stream_options"])
        assert left == b'{"include_usage":true}', "the provider gets only its own options"


def test_the_key_of_a_prompts_cache_tells_sessions_apart() -> None:
    for key, hint in (("thread-1", "thread-1"), (7, None), (None, None), ([[]], None)):
        assert decode(prompt_cache_key=key).session_hint == hint
    assert decode().session_hint is None


def test_the_field_strict_is_not_sent_to_the_provider() -> None:
    call = decode(strict=True)
    assert call.strict
    assert "strict" not in call.request.parameters


# field, a value of the wrong kind
WRONG: list[tuple[str, Any]] = [
    ("model", 7),
    ("model", None),
    ("messages", "Hi"),
    ("messages", None),
    ("messages", []),
    ("messages", ["Hi"]),
    ("messages", [{"content": "Hi"}]),
    ("messages", [{"role": None}]),
    ("stream", "yes"),
    ("stream_options", True),
    ("strict", 1),
]


@for_each(("field", "value"), WRONG)
def test_a_field_of_the_wrong_kind_is_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(**{field: value})
    assert caught.value.param == field
    assert caught.value.message.startswith(f"`{field}` must be ")
    assert caught.value.status == 422


@pytest.mark.parametrize("field", ["model", "messages"])
def test_a_missing_field_is_named(field: str) -> None:
    fields = {name: value for name, value in ASKED.items() if name != field}
    with pytest.raises(InvalidField, match="is missing") as caught:
        CHAT.decode(inbound(fields))
    assert caught.value.param == field


TWICE = b'{"model":7,"model":"openai/m","messages":[{"role":"user"}]}'


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", TWICE])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidBody):
        CHAT.decode(inbound(body))


# --- Answers of a provider that speaks another wire -----------------------------------------------


def test_a_complete_reply_has_openais_shape() -> None:
    assert CHAT.encode(context(), fold(*HELLO), METRICS, 1.0) == (
        b'{"id":"chatcmpl-1","object":"chat.completion","created":1718622757,'
        b'"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"content":"Hello!",'
        b'"role":"assistant"},"logprobs":null,"finish_reason":"stop"}],'
        b'"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8},"system_fingerprint":"fp_1"}'
    )


def test_values_that_the_provider_did_not_report_come_from_the_gateway() -> None:
    reply = json.loads(CHAT.encode(context(), fold(Text("a"), Finished("stop")), METRICS, 1.0))
    assert (reply["id"], reply["created"], reply["model"]) == ("id-1", 1700000000, "gpt-4o")
    assert reply["usage"] is None


def test_an_absent_text_is_null_and_calls_that_were_not_made_are_absent() -> None:
    answer = fold(ToolStarted(0, "1", "a"), ToolArguments(0, "{}"), Finished("tool_calls"))
    (choice,) = json.loads(CHAT.encode(context(), answer, METRICS, 1.0))["choices"]
    assert choice["message"] == {
        "content": None,
        "role": "assistant",
        "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
        ],
    }


def piece(choices: str, more: str = "") -> bytes:
    return (
        'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1718622757,'
        f'"model":"gpt-4o-2024-08-06","system_fingerprint":"fp_1","choices":[{choices}]{more}}}\n\n'
    ).encode()


def delta(said: str, finish: str = "null") -> str:
    return f'{{"index":0,"delta":{said},"logprobs":null,"finish_reason":{finish}}}'


@pytest.mark.parametrize("shows_usage", [False, True])
@pytest.mark.parametrize("shows_metrics", [False, True])
def test_a_translated_stream_has_openais_shape(shows_usage: bool, shows_metrics: bool) -> None:
    stream = CHAT.stream(context(shows_usage=shows_usage, shows_metrics=shows_metrics))
    assert stream.content_type == b"text/event-stream; charset=utf-8"
    pieces = [stream.encode(NO_FRAME, [event], 1.0) for event in HELLO]
    first = '{"role":"assistant","content":"Hello"}'
    assert pieces == [None, piece(delta(first)), piece(delta('{"content":"!"}')), None, None, None]
    ended = [piece(delta("{}", '"stop"'))]
    if shows_usage:
        ended.append(
            piece("", ',"usage":{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8}')
        )
    if shows_metrics:
        ended.append(piece("", f',"metrics":{ENCODED_METRICS.decode()}'))
    assert stream.end(fold(*HELLO), METRICS, 2.0) == [*ended, END]


def test_each_choice_has_its_role_once() -> None:
    stream = CHAT.stream(context())
    pieces = [stream.encode(NO_FRAME, [Text("x", index)], 1.0) or b"" for index in (0, 1, 0, 1)]
    assert [b'"role":"assistant"' in piece for piece in pieces] == [True, True, False, False]


def test_reasoning_and_logprobs_are_translated() -> None:
    stream = CHAT.stream(context())
    events: list[Event] = [Reasoning("hm"), Logprobs({"content": []})]
    (choice,) = json.loads((stream.encode(NO_FRAME, events, 1.0) or b"")[6:])["choices"]
    assert choice["delta"] == {"role": "assistant", "reasoning_content": "hm"}
    assert choice["logprobs"] == {"content": []}


# --- Answers of a provider that speaks the same wire ----------------------------------------------


def frame(raw: bytes) -> Frame:
    return Frame(raw.removeprefix(b"data: ").strip(), None, raw)


HEAD = b'"id":"c-1","object":"chat.completion.chunk","created":7,"model":"m"'
ROLE_DATA = b'{%b,"choices":[{"index":0,"delta":{"role":"assistant"}}], "odd" : 1}' % HEAD
ROLE = frame(b"data: " + ROLE_DATA + b"\n\n")
WORD_DATA = b'{%b,"choices":[{"index":0,"delta":{"content":"Hi"}}]}' % HEAD
WORD = frame(b"data: " + WORD_DATA + b"\r\n\r\n")
COMMENT = Frame(b"", None, b": hello\n\n")
USAGE_TEXT = b'{"prompt_tokens":6,"completion_tokens":2,"total_tokens":8}'
COUNT = frame(b'data: {%b,"choices":[],"usage":%b}\n\n' % (HEAD, USAGE_TEXT))
OVER = frame(END)


def relayed(stream: Any, *pairs: tuple[Frame, list[Event]]) -> list[bytes | None]:
    return [stream.encode(each, events, 1.0) for each, events in pairs]


@pytest.mark.parametrize("shows_usage", [False, True])
def test_the_providers_own_bytes_are_relayed(shows_usage: bool) -> None:
    stream = CHAT.stream(context(is_passthrough=True, shows_usage=shows_usage))
    found = relayed(
        stream,
        (ROLE, [STARTED]),
        (COMMENT, []),
        (WORD, [Text("Hi")]),
        (COUNT, [USAGE]),
        (OVER, [StreamEnd()]),
    )
    shown = COUNT.raw if shows_usage else None
    assert found == [ROLE.raw, None, WORD.raw, shown, None]
    assert stream.end(fold(*HELLO), METRICS, 2.0) == [END]


def test_usage_that_comes_with_the_finish_is_relayed_with_it() -> None:
    stream = CHAT.stream(context(is_passthrough=True))
    assert relayed(stream, (WORD, [Finished("stop"), USAGE])) == [WORD.raw]


def test_metrics_follow_what_was_relayed() -> None:
    stream = CHAT.stream(context(is_passthrough=True, shows_metrics=True))
    relayed(stream, (WORD, [Text("Hi")]))
    metrics, end = stream.end(fold(*HELLO), METRICS, 2.0)
    assert json.loads(metrics[6:])["choices"] == []
    assert b'"metrics":' + ENCODED_METRICS in metrics
    assert end == END


@pytest.mark.parametrize(
    ("raw", "closed"),
    [
        (b"data: %b\n\n", True),
        (b"data: %b\r\n\r\n", True),
        (b"data: %b\r\r", True),
        (b"data: %b", False),
        (b"data: %b\n", False),
        (b"data: %b\r\n", False),
    ],
)
def test_added_events_are_separated_from_a_stream_without_its_last_blank_line(
    raw: bytes, closed: bool
) -> None:
    stream = CHAT.stream(context(is_passthrough=True))
    raw %= WORD_DATA
    piece = stream.encode(Frame(WORD_DATA, None, raw), [Finished("stop")], 1.0)
    assert piece == raw + (b"" if closed else b"\n\n")
    assert stream.end(fold(*HELLO), METRICS, 2.0) == [END]
    assert len(stream.fail(UpstreamOverloaded("Busy."))) == 1


def test_a_complete_response_to_a_streaming_request_is_translated() -> None:
    stream = CHAT.stream(context(is_passthrough=True))
    said = stream.encode(NO_FRAME, HELLO, 1.0)
    assert said == piece(delta('{"role":"assistant","content":"Hello!"}'))
    assert stream.end(fold(*HELLO), METRICS, 2.0) == [piece(delta("{}", '"stop"')), END]


def test_a_failure_is_an_event_with_no_end_mark() -> None:
    error = UpstreamOverloaded("Busy.")
    assert CHAT.stream(context()).fail(error) == [
        b'data: {"error":{"type":"overloaded_error","message":"Busy.","provider":"openai",'
        b'"param":null,"code":null,"request_id":"id-1","retry_after_s":null}}\n\n'
    ]


def test_an_indented_usage_breaks_no_line_of_a_stream() -> None:
    stream = CHAT.stream(context(shows_usage=True))
    usage = UsageReported(Usage(input_tokens=6, output_tokens=2), Raw(b'{\n"prompt_tokens":\r\n6}'))
    _, piece, _ = stream.end(fold(Text("Hi"), usage, Finished("stop")), METRICS, 2.0)
    assert len(piece.splitlines()) == 2
    assert json.loads(piece.removeprefix(b"data: "))["usage"]["prompt_tokens"] == 6


def test_a_whole_response_is_passed_through_if_its_shape_is_openais() -> None:
    assert not CHAT.passes_through(b"{}")
    choice = b'{"index":0,"message":{"role":"assistant"},"finish_reason":"stop"}'
    head = b'"id":"c-1","object":"chat.completion","created":7,"model":"m"'
    assert CHAT.passes_through(b'{%b,"choices":[%b]}' % (head, choice))


def test_a_clients_own_key_is_in_a_header() -> None:
    call = decode((b"x-headway-provider-key", b"sk-own"))
    assert (call.api_key, call.key_field) == ("sk-own", "x-headway-provider-key")
    assert dict(call.request.parameters) == {}


@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_key_or_an_address_in_the_body_is_refused(name: str) -> None:
    with pytest.raises(InvalidField) as caught:
        decode(**{name: "planted"})
    assert caught.value.param == name


@pytest.mark.parametrize("model", ["gpt-4o", "/gpt-4o", "openai/", ""])
def test_a_model_without_a_provider_is_left_to_the_pipeline(model: str) -> None:
    call = decode(model=model)
    assert (call.provider, call.request.model, call.model_name) == ("", model, model)
    call = decode(model="openai/ft:gpt/4o")
    assert (call.provider, call.request.model) == ("openai", "ft:gpt/4o")
    assert call.model_name == "openai/ft:gpt/4o"


# --- Items of the Responses API -------------------------------------------------------------------


def test_a_request_with_items_in_place_of_messages_is_converted() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    body = {
        "model": "openai/gpt-4o",
        "input": [{"role": "user", "content": "Hi"}],
        "instructions": "Be brief.",
        "tools": [tool],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    call = CHAT.decode(inbound(body, "", (b"x-headway-provider-key", b"sk-own")))
    assert (call.provider, call.request.model, call.model_name) == (
        "openai",
        "gpt-4o",
        "openai/gpt-4o",
    )
    assert (call.stream, call.shows_usage, call.api_key) == (True, True, "sk-own")
    converted, told = CHAT.convert_request(call.request)
    assert json.loads(bytes(converted.messages)) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert json.loads(bytes(converted.parameters["tools"])) == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]
    assert told == ()


def test_a_request_of_its_own_format_is_not_converted() -> None:
    request = decode().request
    assert CHAT.convert_request(request) == (request, ())


def test_a_wrong_field_beside_items_is_named() -> None:
    with pytest.raises(InvalidField) as caught:
        CHAT.decode(inbound({"model": 7, "input": "Hi"}, ""))
    assert caught.value.param == "model"


def test_a_completion_is_stored_only_where_its_client_says_so() -> None:
    for store, is_stored in ((True, True), (False, False), (None, False)):
        body = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hi"}]}
        call = OpenAIChat().decode(inbound({**body, "store": store}))
        assert (call.reply_storage is not None) is is_stored


def test_a_stored_completion_is_the_body_or_what_the_stream_said() -> None:
    body = b'{"id":"chatcmpl-9","choices":[]}'
    response = fold(*HELLO)
    assert CHAT_STORAGE.whole_reply(context(), response, body) == body
    assert CHAT_STORAGE.prepare(body) == (body, ("chatcmpl-9",))
    made = json.loads(CHAT_STORAGE.whole_reply(context(), response, b"data: [DONE]\n\n"))
    assert made["id"] == "chatcmpl-1"
    assert made["choices"][0]["message"]["content"] == "Hello!"
