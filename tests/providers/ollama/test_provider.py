"""Ollama's two wires in tables: requests, answers, streams and errors."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway import errors
from headway.errors import RequestError
from headway.providers.ollama.provider import PROVIDER, decode_embeddings, encode_embeddings
from headway.response_accumulator import ResponseAccumulator
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    Event,
    Failed,
    Finished,
    Logprobs,
    Reasoning,
    Started,
    StreamEnd,
    Target,
    Text,
    ToolArguments,
    ToolStarted,
    Usage,
    UsageReported,
)

BASE = "http://127.0.0.1:11434"
NATIVE = Target(provider="ollama", base_url=BASE)
OPENAI = Target(provider="ollama", base_url=f"{BASE}/v1")
USER: list[Any] = [{"role": "user", "content": "a"}]


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def chat(messages: Any, uses_default_parameters: bool = False, **parameters: Any) -> ChatRequest:
    given_ = {name: raw(value) for name, value in parameters.items()}
    return ChatRequest(
        model="m",
        messages=raw(messages),
        parameters=given_,
        uses_default_parameters=uses_default_parameters,
        stream=True,
    )


def sent(request: ChatRequest, target: Target = NATIVE) -> Any:
    return json.loads(PROVIDER.encode_request(PROVIDER.adapt(request)[0], target).body)


def changes(request: ChatRequest) -> list[str]:
    return [str(change) for change in PROVIDER.adapt(request)[1]]


# --- Messages -------------------------------------------------------------------------------------


def file(content: bytes, kind: str = "text/plain", **more: str) -> Any:
    data = f"data:{kind};base64,{b64encode(content).decode()}"
    return {"type": "file", "file": {"file_data": data, **more}}


def text(words: str) -> Any:
    return {"type": "text", "text": words}


PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50}'}}
MADE = {"id": "c1", "function": {"name": "f", "arguments": {"a": 1.5}}}

MESSAGES: list[tuple[str, Any, Any]] = [
    ("a developer is the system", {"role": "developer", "content": "a"},
     {"role": "system", "content": "a"}),
    ("parts of text are lines", {"role": "user", "content": [text("a"), text(""), text("b")]},
     {"role": "user", "content": "a\nb"}),
    ("pictures stand beside the text", {"role": "user", "content": [
        text("a"), PNG, {"type": "image_url", "image_url": "data:;base64,eQ=="},
        file(b"z", "image/png")]},
     {"role": "user", "content": "a", "images": ["eA==", "eQ==", "eg=="]}),
    ("and so does sound", {"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}}]},
     {"role": "user", "content": "", "images": ["eA=="]}),
    ("a refusal is what was said", {"role": "assistant", "content": None, "refusal": "no"},
     {"role": "assistant", "content": "no"}),
    ("and so is a part of one",
     {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
     {"role": "assistant", "content": "no"}),
    ("a thought goes back", {"role": "assistant", "content": "b", "reasoning_content": "hm"},
     {"role": "assistant", "content": "b", "thinking": "hm"}),
    ("and under its other name", {"role": "assistant", "content": "b", "reasoning": "hm"},
     {"role": "assistant", "content": "b", "thinking": "hm"}),
    ("arguments are an object", {"role": "assistant", "content": None, "tool_calls": [CALL]},
     {"role": "assistant", "content": "", "tool_calls": [MADE]}),
    ("and none are an empty one", {"role": "assistant", "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
     {"role": "assistant", "content": "", "tool_calls": [
         {"id": "c", "function": {"name": "f", "arguments": {}}}]}),
    ("a result whose tool is known", {"role": "tool", "tool_call_id": "c1", "content": "1",
                                      "name": "f"},
     {"role": "tool", "content": "1", "tool_name": "f", "tool_call_id": "c1"}),
    ("and one whose tool is not", {"role": "tool", "tool_call_id": "c1", "content": "1"},
     {"role": "tool", "content": "1", "tool_call_id": "c1"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "expected"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES]
)
def test_a_message_is_sent_as_ollama_takes_it(message: Any, expected: Any) -> None:
    request = chat([message])
    assert sent(request)["messages"] == [expected]
    assert changes(request) == []


def test_a_result_is_told_from_which_tool_it_came() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": "1"}
    call = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    assert sent(chat([call, result]))["messages"][1]["tool_name"] == "f"


def test_texts_in_files_are_part_of_the_message() -> None:
    bare = {"type": "file", "file": {"filename": "b.md", "file_data": b64encode(b"two").decode()}}
    request = chat([{"role": "user", "content": [text("a"), file(b"one"), bare]}])
    assert sent(request)["messages"] == [{"role": "user", "content": "a\none\nb.md:\ntwo"}]
    assert changes(request) == ["emulated messages: documents are part of the message's text"]


def with_arguments(arguments: str) -> Any:
    call = {**CALL, "function": {"name": "f", "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


UNSAYABLE: list[Any] = [
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]},
    {"role": "user", "content": [{"type": "video_url", "video_url": "http://x/a.mp4"}]},
    {"role": "user", "content": [file(b"%PDF", "application/pdf")]},
    {"role": "user", "content": [file(b"\xff")]},
    with_arguments("[1]"),
    with_arguments('{"a":'),
]


@pytest.mark.parametrize("message", UNSAYABLE)
def test_what_ollama_cannot_be_given_is_refused(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        PROVIDER.adapt(chat([message]))
    assert caught.value.param == "messages"


LOST: list[tuple[Any, str]] = [
    ({"role": "user", "content": "a", "name": "Ann"}, "messages[].name"),
    ({"role": "tool", "tool_call_id": "c", "content": "a", "is_error": True},
     "messages[].is_error"),
    ({"role": "assistant", "content": "a", "audio": {"id": "x"}}, "messages[].audio"),
    ({"role": "user", "content": [{**text("a"), "cache_control": {"type": "ephemeral"}}]},
     "cache_control"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "lost"), LOST)
def test_what_of_a_message_is_lost_is_told(message: Any, lost: str) -> None:
    (change,) = PROVIDER.adapt(chat([message]))[1]
    assert (change.action, change.parameter) == ("dropped", lost)


@given(st.text(), st.text(), st.dictionaries(st.text(), st.integers(-(2**53), 2**53) | st.text()))
def test_what_the_wire_can_carry_comes_back(said: str, thought: str, arguments: Any) -> None:
    """Canonical to wire to canonical: an answer sent back is the message that it was."""
    call = {"id": "c", "function": {"name": "f", "arguments": arguments}}
    message = {"role": "assistant", "content": said, "thinking": thought, "tool_calls": [call]}
    answer = ResponseAccumulator()
    answer.add(PROVIDER.decode_response(json.dumps({"message": message, "done": True}).encode()))
    back = sent(chat([answer.choices[0].message()]))["messages"][0]
    assert {"thinking": "", **back} == message


# --- Parameters -----------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


F, G = tool("f"), tool("g")
NAMED = {"type": "function", "function": {"name": "f"}}
OWN = "whether it calls a tool is the model's own choice"
SAMPLING = {"temperature": 0.5, "top_p": 0.9, "top_k": 5, "min_p": 0.1, "seed": 1,
            "frequency_penalty": 0.5, "presence_penalty": 0}  # fmt: skip

PARAMETERS: list[tuple[Any, Any, list[str]]] = [
    (SAMPLING, {"options": SAMPLING}, []),
    ({"max_tokens": 5, "repetition_penalty": 1.1, "stop": "x"},
     {"options": {"num_predict": 5, "repeat_penalty": 1.1, "stop": ["x"]}},
     ["renamed max_tokens: it is options.num_predict there",
      "renamed repetition_penalty: it is options.repeat_penalty there"]),
    ({"max_completion_tokens": 5, "max_tokens": 6}, {"options": {"num_predict": 5}},
     ["renamed max_completion_tokens: it is options.num_predict there"]),
    ({"temperature": 1, "num_ctx": 8192, "options": {"temperature": 0, "mirostat": 1}},
     {"options": {"temperature": 0, "num_ctx": 8192, "mirostat": 1}}, []),
    ({"keep_alive": "5m", "truncate": False, "format": "json", "logprobs": True,
      "top_logprobs": 2},
     {"keep_alive": "5m", "truncate": False, "format": "json", "logprobs": True,
      "top_logprobs": 2}, []),
    ({"n": 1, "stream_options": {}, "store": False, "seed": None}, {}, []),
    ({"n": 2, "user": "u"}, {}, ["dropped n: Ollama has no such parameter",
                                 "dropped user: Ollama has no such parameter"]),
    ({"response_format": {"type": "text"}}, {}, []),
    ({"response_format": {"type": "json_object"}}, {"format": "json"}, []),
    ({"response_format": FORMAT}, {"format": SCHEMA}, []),
    ({"tools": [F], "tool_choice": "auto"}, {"tools": [F]}, []),
    ({"tools": [F], "tool_choice": "none"}, {}, ["emulated tool_choice: the tools are not sent"]),
    ({"tools": [F], "tool_choice": "required"}, {"tools": [F]}, [f"dropped tool_choice: {OWN}"]),
    ({"tools": [F, G], "tool_choice": NAMED}, {"tools": [F]},
     ["emulated tool_choice: by offering only the tools that it names",
      f"dropped tool_choice: {OWN}"]),
    ({"tools": [tool("f", strict=True)]}, {"tools": [F]},
     ["dropped tools[].function.strict: arguments are not held to the schema"]),
    ({"reasoning_effort": "none"}, {"think": False},
     ["renamed reasoning_effort: it is think there: false"]),
    ({"reasoning_effort": "minimal"}, {"think": "low"},
     ["renamed reasoning_effort: it is think there: low"]),
    ({"reasoning": {"effort": "high", "max_tokens": 9}}, {"think": "high"},
     ["dropped reasoning: thought has no budget there",
      "renamed reasoning: it is think there: high"]),
    ({"reasoning": {"enabled": False}}, {"think": False},
     ["renamed reasoning: it is think there: false"]),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, {"think": True},
     ["dropped thinking: thought has no budget there",
      "renamed thinking: it is think there: true"]),
    ({"thinking": {"type": "disabled"}, "think": "max"}, {"think": "max"}, []),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "expected", "told"), PARAMETERS)
def test_a_parameter_stands_where_ollama_looks_for_it_and_every_change_is_told(
    parameters: Any, expected: Any, told: list[str]
) -> None:
    request = chat(USER, **parameters)
    assert sent(request) == {"model": "m", "messages": USER, "stream": True, **expected}
    assert changes(request) == told


def test_our_own_defaults_are_fitted_without_a_word() -> None:
    given_ = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
              "presence_penalty": 0}  # fmt: skip
    request = chat(USER, uses_default_parameters=True, **given_)
    assert changes(request) == []
    assert sent(request)["options"]["num_predict"] == 2048


@pytest.mark.parametrize(
    "request_",
    [
        chat([{"role": "user", "content": 5}]),
        chat(USER, tools=5),
        chat(USER, reasoning="high"),
        chat([{"role": "user", "content": [{"type": "input_audio"}]}]),
    ],
)
def test_what_is_no_request_is_refused(request_: ChatRequest) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(request_)


def test_every_model_is_listed_with_all_parameters() -> None:
    assert PROVIDER.parameters_of("m") == PROVIDER.parameters


# --- Two wires at one address ---------------------------------------------------------------------

PATHS: list[tuple[str, dict[str, str], str]] = [
    ("http://h:1", {}, "/api/chat"),
    ("http://h:1/", {}, "/api/chat"),
    ("http://h:1/api", {}, "/api/chat"),
    ("http://h:1/api/", {"api": "openai"}, "/v1/chat/completions"),
    ("http://h:1/v1", {}, "/v1/chat/completions"),
    ("http://h:1/v1/", {"api": "native"}, "/api/chat"),
    ("http://h:1/proxied", {"api": "openai"}, "/proxied/v1/chat/completions"),
]


@pytest.mark.parametrize(("base", "options", "path"), PATHS)
def test_the_address_or_the_option_chooses_the_wire(
    base: str, options: dict[str, str], path: str
) -> None:
    target = Target(provider="ollama", base_url=base, options=options)
    assert PROVIDER.encode_request(chat(USER), target).url.path == path


def test_there_are_two_wires_and_no_third() -> None:
    target = Target(provider="ollama", base_url=BASE, options={"api": "grpc"})
    with pytest.raises(RequestError, match="`api` is native or openai, not 'grpc'") as caught:
        PROVIDER.encode_request(chat(USER), target)
    assert caught.value.param == "api"


def test_a_key_is_sent_where_there_is_one() -> None:
    target = Target(provider="o", base_url="https://ollama.com", api_key="k", headers={"a": "b"})
    http = PROVIDER.encode_request(chat(USER), target)
    assert http.headers[2:] == (("authorization", "Bearer k"), ("a", "b"))
    assert "authorization" not in dict(PROVIDER.encode_request(chat(USER), NATIVE).headers)


COPIES: list[tuple[Any, Any]] = [
    ({"max_completion_tokens": 5}, {"max_tokens": 5}),
    ({"think": True}, {}),
    ({"think": "max"}, {"reasoning_effort": "max"}),
    ({"reasoning_effort": "none"}, {"reasoning_effort": "none"}),
    ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ({"response_format": FORMAT, "stop": "x"}, {"response_format": FORMAT, "stop": ["x"]}),
]


@pytest.mark.parametrize(("parameters", "expected"), COPIES)
def test_the_openai_wire_has_openais_words(parameters: Any, expected: Any) -> None:
    plain = {"model": "m", "messages": USER, "stream": True}
    plain["stream_options"] = {"include_usage": True}
    assert sent(chat(USER, **parameters), OPENAI) == {**plain, **expected}


def test_the_openai_wire_is_told_thoughts_by_the_name_that_it_reads() -> None:
    said = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
    both = {**said, "reasoning": "ha"}
    assert sent(chat([said, both]), OPENAI)["messages"] == [{**said, "reasoning": "hm"}, both]


# --- Answers --------------------------------------------------------------------------------------


def streamed(*pieces: bytes) -> list[Event]:
    framer, state = PROVIDER.framer(), {}  # type: ignore[var-annotated]
    frames = [frame for piece in pieces for frame in framer.feed(piece)] + framer.end()
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def line(**fields: Any) -> bytes:
    message = fields.pop("message", {"role": "assistant", "content": ""})
    at = "2024-05-24T20:01:31.01558Z"
    return json.dumps({"model": "m", "created_at": at, "message": message, **fields}).encode()


BEGUN = Started(model="m", created=1716580891)
LOGPROB = {"token": "a", "logprob": -1.0, "bytes": [97]}
UNNAMED = {"function": {"name": "f", "arguments": {"b": 1, "a": "ö"}}}
SHOWN = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
COUNTED = UsageReported(Usage(input_tokens=3, output_tokens=2), SHOWN)
LINES: list[tuple[str, bytes, list[Event]]] = [
    ("a beginning", line(done=False), [BEGUN]),
    ("a time that is none", b'{"model":"m","message":{},"created_at":"now"}', [Started(model="m")]),
    ("a thought, a text", line(message={"content": "a", "thinking": "hm"}),
     [BEGUN, Reasoning("hm"), Text("a")]),
    ("probabilities", line(logprobs=[LOGPROB]), [BEGUN, Logprobs({"content": [LOGPROB]})]),
    ("an end with counts", line(done=True, done_reason="length", prompt_eval_count=3, eval_count=2),
     [BEGUN, Finished("length"), COUNTED]),
    ("an end of old", line(done=True), [BEGUN, Finished("stop")]),
    ("a load without a word", line(done=True, done_reason="load"), [BEGUN, Finished("stop")]),
    ("an end that is new", line(done=True, done_reason="bored"), [BEGUN, Finished("bored")]),
    ("a prompt that is not counted", line(done=True, eval_count=2),
     [BEGUN, Finished("stop"), UsageReported(Usage(output_tokens=2), {
         "prompt_tokens": None, "completion_tokens": 2, "total_tokens": None})]),
    ("calls without ids", line(message={"tool_calls": [UNNAMED, UNNAMED]}, done=True),
     [BEGUN, ToolStarted(0, "call_2024052420013101558_0", "f"),
      ToolArguments(0, '{"b":1,"a":"ö"}'),
      ToolStarted(1, "call_2024052420013101558_1", "f"), ToolArguments(1, '{"b":1,"a":"ö"}'),
      Finished("tool_calls")]),
    ("a call with an id and no arguments",
     line(message={"tool_calls": [{"id": "x", "function": {"name": "f"}}]}),
     [BEGUN, ToolStarted(0, "x", "f"), ToolArguments(0, "{}")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"), [row[1:] for row in LINES], ids=[row[0] for row in LINES]
)
def test_a_line_is_read_alone_and_as_a_whole(body: bytes, expected: list[Event]) -> None:
    assert streamed(body + b"\n") == expected
    assert streamed(b"\n", body) == expected
    assert PROVIDER.decode_response(body) == expected


def test_calls_are_numbered_through_and_a_later_stop_is_theirs() -> None:
    call = line(message={"tool_calls": [UNNAMED]}) + b"\n"
    found = streamed(call, call, line(done=True, done_reason="stop"))
    names = [event.id for event in found if isinstance(event, ToolStarted)]
    assert names == ["call_2024052420013101558_0", "call_2024052420013101558_1"]
    assert found[-1] == Finished("tool_calls")


def test_a_last_line_may_have_no_message() -> None:
    assert streamed(line() + b"\n", b'{"done":true}') == [BEGUN, Finished("stop")]


def test_an_answer_that_was_cut_by_its_length_is_no_call() -> None:
    found = streamed(line(message={"tool_calls": [UNNAMED]}, done=True, done_reason="length"))
    assert found[-1] == Finished("length")


@pytest.mark.parametrize("said", ["out of luck", {"message": "out of luck", "type": "api_error"}])
def test_an_error_in_a_stream_or_in_a_body_of_status_200_is_an_error(said: Any) -> None:
    body = json.dumps({"error": said}).encode()
    told = [
        streamed(line() + b"\n", body)[-1],
        streamed(body)[0],
        PROVIDER.decode_response(body)[0],
    ]
    for event in told:
        assert isinstance(event, Failed)
        assert str(event.error) == "out of luck"


def test_a_stream_of_the_openai_wire_is_read_by_its_own_rules() -> None:
    chunk = {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"content": "a"}}]}
    body = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    expected = [Started("1", "m"), Text("a"), StreamEnd()]
    assert streamed(body) == expected
    assert streamed(*[body[at : at + 1] for at in range(len(body))]) == expected
    failed = streamed(body[:-14], b'{"error":"gone"}\n\n')[-1]
    assert isinstance(failed, Failed)


def test_a_whole_answer_of_the_openai_wire_is_read_by_its_own_rules() -> None:
    choice = {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"}
    body = json.dumps({"id": "1", "model": "m", "choices": [choice]}).encode()
    expected = [Started("1", "m"), Text("a"), Finished("stop"), StreamEnd()]
    assert PROVIDER.decode_response(body) == expected


def test_nothing_is_nothing() -> None:
    assert streamed() == []
    assert streamed(b"", b"\n") == []


ERRORS: list[tuple[int, Any, type[errors.UpstreamError]]] = [
    (400, {"error": '"m" does not support tools'}, errors.UpstreamRejected),
    (401, {"error": "unauthorized", "signin_url": "https://x"}, errors.UpstreamAuth),
    (404, {"error": "model 'm' not found"}, errors.UpstreamNotFound),
    (429, {"error": "too many requests"}, errors.UpstreamRateLimited),
    (500, {"error": "llama runner process has terminated"}, errors.UpstreamError),
    (502, {"error": "upstream error"}, errors.UpstreamError),
    (503, {"error": "server busy, please try again"}, errors.UpstreamOverloaded),
]


@pytest.mark.parametrize(("status", "body", "cls"), ERRORS)
def test_an_error_is_told_for_what_it_is(
    status: int, body: Any, cls: type[errors.UpstreamError]
) -> None:
    error = PROVIDER.decode_error(status, [], json.dumps(body).encode())
    assert type(error) is cls
    assert error.message == body["error"]


# --- Embeddings -----------------------------------------------------------------------------------


def test_embeddings_are_asked_for_on_either_wire() -> None:
    parameters = {"dimensions": 8, "encoding_format": "float", "user": "u", "keep_alive": "5m"}
    request = EmbeddingsRequest(
        model="m",
        input=raw(["a"]),
        parameters={name: raw(value) for name, value in parameters.items()},
    )
    native, copy = encode_embeddings(request, NATIVE), encode_embeddings(request, OPENAI)
    assert (native.url.path, copy.url.path) == ("/api/embed", "/v1/embeddings")
    body = {"model": "m", "input": ["a"], "dimensions": 8, "keep_alive": "5m"}
    assert json.loads(native.body) == body
    assert json.loads(copy.body) == {"model": "m", "input": ["a"], **parameters}


def test_embeddings_of_either_wire_are_read() -> None:
    native = decode_embeddings(b'{"model":"m","embeddings":[[1.5]],"prompt_eval_count":4}')
    copy = decode_embeddings(
        b'{"model":"m","data":[{"index":0,"embedding":[1.5]}],"usage":{"prompt_tokens":4}}'
    )
    assert native == copy
    assert native.vectors == [[1.5]]
    assert native.usage == Usage(input_tokens=4)
