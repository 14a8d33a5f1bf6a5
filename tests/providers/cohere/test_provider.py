"""Cohere's wire in tables: requests, answers, streams and errors."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from headway import errors
from headway.dialects.answer import Answer
from headway.errors import RequestError
from headway.providers.cohere.provider import PROVIDER, decode_embeddings, encode_embeddings
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
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

OLD, NEW, REASONING = "command-r-plus-08-2024", "command-a-03-2025", "command-a-reasoning-08-2025"
TARGET = Target(provider="cohere", base_url="https://api.cohere.com", api_key="k")
USER: list[Any] = [{"role": "user", "content": "a"}]


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def chat(
    model: str, messages: Any, uses_default_parameters: bool = False, **parameters: Any
) -> ChatRequest:
    given = {name: raw(value) for name, value in parameters.items()}
    return ChatRequest(
        model=model,
        messages=raw(messages),
        parameters=given,
        uses_default_parameters=uses_default_parameters,
    )


def sent(request: ChatRequest) -> Any:
    return json.loads(PROVIDER.encode_request(PROVIDER.adapt(request)[0], TARGET).body)


def changes(request: ChatRequest) -> list[str]:
    return [str(change) for change in PROVIDER.adapt(request)[1]]


# --- Messages -------------------------------------------------------------------------------------


def file(content: bytes, kind: str = "text/plain", **more: str) -> Any:
    data = f"data:{kind};base64,{b64encode(content).decode()}"
    return {"type": "file", "file": {"file_data": data, **more}}


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1.50}'}}
THOUGHT = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
PLANNED = {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]}

MESSAGES: list[tuple[str, str, Any, Any]] = [
    ("a developer is the system", NEW, {"role": "developer", "content": "a"},
     {"role": "system", "content": "a"}),
    ("parts stay parts", NEW, {"role": "user", "content": [{"type": "text", "text": "a"}]},
     {"role": "user", "content": [{"type": "text", "text": "a"}]}),
    ("what is not known stays", NEW,
     {"role": "tool", "tool_call_id": "c1", "content": [{"type": "document", "document": {}}]},
     {"role": "tool", "content": [{"type": "document", "document": {}}], "tool_call_id": "c1"}),
    ("an image by its address", NEW,
     {"role": "user", "content": [{"type": "image_url", "image_url": "http://x/a.png"}]},
     {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/a.png"}}]}),
    ("an image in a file", NEW, {"role": "user", "content": [file(b"x", "image/png")]},
     {"role": "user", "content": [
         {"type": "image_url", "image_url": {"url": "data:image/png;base64,eA=="}}]}),
    ("a refusal is what was said", NEW, {"role": "assistant", "content": None, "refusal": "no"},
     {"role": "assistant", "content": "no"}),
    ("and so is a part of one", NEW,
     {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
     {"role": "assistant", "content": [{"type": "text", "text": "no"}]}),
    ("a thought goes back to who reasons", REASONING, THOUGHT,
     {"role": "assistant", "content": [
         {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "b"}]}),
    ("and is forgotten by who does not", NEW, THOUGHT, {"role": "assistant", "content": "b"}),
    ("a plan goes back with its call", NEW, PLANNED,
     {"role": "assistant", "tool_plan": "hm", "tool_calls": [CALL]}),
    ("and as a thought to who reasons", REASONING, PLANNED,
     {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}],
      "tool_calls": [CALL]}),
    ("a call without arguments has none", NEW,
     {"role": "assistant", "tool_calls": [
         {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}]},
     {"role": "assistant", "tool_calls": [
         {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "message", "expected"), [row[1:] for row in MESSAGES], ids=[m[0] for m in MESSAGES]
)
def test_a_message_is_sent_as_cohere_takes_it(model: str, message: Any, expected: Any) -> None:
    assert sent(chat(model, [message]))["messages"] == [expected]


def test_texts_in_files_are_documents_behind_those_that_were_given() -> None:
    content = [
        {"type": "text", "text": "a"},
        file(b"one", filename="a.txt"),
        {"type": "file", "file": {"filename": "b.md", "file_data": b64encode(b"two").decode()}},
        file(b"three"),
    ]
    body = sent(chat(NEW, [{"role": "user", "content": content}], documents=["zero"]))
    assert body["messages"][0]["content"] == content[:1]
    assert body["documents"] == [
        "zero",
        {"id": "doc:0", "data": {"title": "a.txt", "text": "one"}},
        {"id": "doc:1", "data": {"title": "b.md", "text": "two"}},
        {"id": "doc:2", "data": {"text": "three"}},
    ]


def test_deprecated_calls_are_calls_of_tools() -> None:
    call = {"name": "f", "arguments": "{}"}
    messages = [
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "1"},
    ] * 2
    assert sent(chat(NEW, messages))["messages"][2:] == [
        {
            "role": "assistant",
            "tool_calls": [{"id": "function_call_1", "type": "function", "function": call}],
        },
        {"role": "tool", "content": "1", "tool_call_id": "function_call_1"},
    ]


UNSAYABLE: list[Any] = [
    {"role": "narrator", "content": "a"},
    {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": {"data": "", "format": ""}}],
    },
    {"role": "user", "content": [{"type": "video_url", "video_url": "http://x/a.mp4"}]},
    {"role": "user", "content": [file(b"%PDF", "application/pdf")]},
    {"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]},
    {"role": "user", "content": [file(b"\xff")]},
]


@pytest.mark.parametrize("message", UNSAYABLE)
def test_what_cohere_cannot_be_given_is_refused(message: Any) -> None:
    with pytest.raises(RequestError) as caught:
        sent(chat(NEW, [message]))
    assert caught.value.param == "messages"


LOST: list[tuple[str, Any, list[str]]] = [
    (NEW, {"role": "user", "content": "a", "name": "Ann"}, ["messages[].name"]),
    (NEW, {"role": "tool", "tool_call_id": "c", "content": "a", "name": "f"}, []),
    (NEW, {"role": "tool", "tool_call_id": "c", "content": "a", "is_error": True},
     ["messages[].is_error"]),
    (NEW, {"role": "assistant", "content": "a", "audio": {"id": "x"}}, ["messages[].audio"]),
    (NEW, {"role": "user", "content": [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]}, ["cache_control"]),
    (NEW, THOUGHT, ["messages[].reasoning_content"]),
    (REASONING, THOUGHT, []),
    (NEW, PLANNED, []),
]  # fmt: skip


@pytest.mark.parametrize(("model", "message", "lost"), LOST)
def test_what_of_a_message_is_lost_is_told(model: str, message: Any, lost: list[str]) -> None:
    request = chat(model, [message])
    told = PROVIDER.adapt(request)[1]
    assert [(change.action, change.parameter) for change in told] == [("dropped", n) for n in lost]
    assert "cache_control" not in json.dumps(sent(request))


@given(st.lists(st.text(), min_size=1), st.text(), st.dictionaries(st.text(), st.text()))
def test_what_the_wire_can_carry_comes_back(texts: list[str], said: str, given_: Any) -> None:
    """Canonical to wire to canonical: an answer sent back is the message that it was."""
    arguments = json.dumps(given_)
    answer = {
        "id": "1",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": text} for text in texts],
            "tool_plan": said,
            "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
            ],
        },
    }
    whole = Answer()
    whole.add(PROVIDER.decode_response(json.dumps(answer).encode()))
    back = sent(chat(NEW, [whole.choices[0].message()]))["messages"][0]
    assert back.get("content", "") == "".join(texts)
    assert back.get("tool_plan", "") == said
    assert back["tool_calls"] == answer["message"]["tool_calls"]  # type: ignore[index]


# --- Parameters -----------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
EMPTY = {"type": "object", "properties": {}}


def tool(name: str, **more: Any) -> Any:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


F, G = tool("f"), tool("g")
NAMED = {"type": "function", "function": {"name": "f"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}

PARAMETERS: list[tuple[str, Any, Any, list[str]]] = [
    (NEW, {"top_p": 0.5, "top_k": 5, "stop": "x"}, {"p": 0.5, "k": 5, "stop_sequences": ["x"]},
     ["renamed top_p: it is p there", "renamed top_k: it is k there",
      "renamed stop: it is stop_sequences there"]),
    (NEW, {"stop": ["x", "y"]}, {"stop_sequences": ["x", "y"]},
     ["renamed stop: it is stop_sequences there"]),
    (NEW, {"temperature": 1.5, "frequency_penalty": -1},
     {"temperature": 1},
     ["clamped frequency_penalty: 0 is the nearest to -1 there",
      "clamped temperature: 1 is the nearest to 1.5 there"]),
    (NEW, {"max_completion_tokens": 5}, {"max_tokens": 5},
     ["renamed max_completion_tokens: it is max_tokens there"]),
    (NEW, {"max_tokens": 5, "seed": 1, "logprobs": True, "safety_mode": "OFF", "priority": 1},
     {"max_tokens": 5, "seed": 1, "logprobs": True, "safety_mode": "OFF", "priority": 1}, []),
    (NEW, {"n": 1, "frequency_penalty": 0, "stream_options": {}, "store": False, "seed": None},
     {}, []),
    (NEW, {"n": 2, "user": "u"}, {},
     ["dropped n: Cohere's chat has no such parameter",
      "dropped user: Cohere's chat has no such parameter"]),
    (NEW, {"response_format": {"type": "text"}}, {}, []),
    (NEW, {"response_format": {"type": "json_object"}},
     {"response_format": {"type": "json_object"}}, []),
    (NEW, {"response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "schema": SCHEMA, "description": "d"}}},
     {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
     ["dropped response_format.json_schema.description: the schema stands alone there"]),
    (NEW, {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
     {"response_format": {"type": "json_object", "json_schema": SCHEMA}}, []),
    # Tools, and the choice among them.
    (NEW, {"tools": [F], "tool_choice": "auto", "parallel_tool_calls": True}, {"tools": [F]}, []),
    (NEW, {"tools": [F], "tool_choice": "required"}, {"tools": [F], "tool_choice": "REQUIRED"}, []),
    (NEW, {"tools": [F], "tool_choice": "none"}, {"tools": [F], "tool_choice": "NONE"}, []),
    (NEW, {"tools": [F, G], "tool_choice": NAMED}, {"tools": [F], "tool_choice": "REQUIRED"},
     ["emulated tool_choice: only the tools that it names are sent"]),
    (NEW, {"tools": [F, G], "tool_choice": ALLOWED}, {"tools": [F]},
     ["emulated tool_choice: only the tools that it names are sent"]),
    (NEW, {"tool_choice": "required", "tools": []}, {}, []),
    (OLD, {"tools": [F], "tool_choice": "required"}, {"tools": [F]},
     [f"dropped tool_choice: {OLD} does not take it"]),
    (NEW, {"tools": [F, tool("g", strict=True)], "parallel_tool_calls": False},
     {"tools": [F, G], "strict_tools": True},
     ["dropped parallel_tool_calls: the model may always call several at once",
      "renamed tools[].function.strict: it is strict_tools there, for all tools"]),
    (NEW, {"tools": [{"type": "web_search"}]}, {}, ["dropped tools: there are no tools of type"
     " web_search"]),
    (NEW, {"tools": [{"type": "function", "function": {"name": "f"}, "cache_control": {}}]},
     {"tools": [{"type": "function", "function": {"name": "f", "parameters": EMPTY}}]},
     ["dropped cache_control: there are no markers for a cache"]),
    (NEW, {"functions": [F["function"]], "function_call": "auto"}, {"tools": [F]},
     ["renamed functions: they are tools there",
      "renamed function_call: it is the choice of a tool there"]),
    (NEW, {"functions": [F["function"]], "function_call": {"name": "f"}},
     {"tools": [F], "tool_choice": "REQUIRED"},
     ["renamed functions: they are tools there",
      "renamed function_call: it is the choice of a tool there",
      "emulated tool_choice: only the tools that it names are sent"]),
    # Thought.
    (REASONING, {"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}},
     ["renamed reasoning_effort: it is thinking there: disabled"]),
    (REASONING, {"reasoning": {"enabled": False}}, {"thinking": {"type": "disabled"}},
     ["renamed reasoning: it is thinking there: disabled"]),
    (REASONING, {"reasoning_effort": "low"},
     {"thinking": {"type": "enabled", "token_budget": 2048}},
     ["emulated reasoning_effort: it is thinking there, of at most 2048 tokens"]),
    (REASONING, {"reasoning": {"max_tokens": 7}},
     {"thinking": {"type": "enabled", "token_budget": 7}},
     ["emulated reasoning: it is thinking there, of at most 7 tokens"]),
    (REASONING, {"reasoning": {"effort": "high"}}, {"thinking": {"type": "enabled"}},
     ["emulated reasoning: it is thinking there, with no limit"]),
    (REASONING, {"reasoning": {}}, {}, []),
    (REASONING, {"thinking": {"token_budget": 5}},
     {"thinking": {"type": "enabled", "token_budget": 5}}, []),
    (REASONING, {"thinking": {"type": "enabled", "budget_tokens": 5}},
     {"thinking": {"type": "enabled", "token_budget": 5}},
     ["renamed thinking.budget_tokens: it is thinking.token_budget there"]),
    (NEW, {"reasoning_effort": "high"}, {},
     ["emulated reasoning_effort: it is thinking there, with no limit",
      f"dropped reasoning_effort: {NEW} does not reason"]),
    (NEW, {"thinking": {"type": "disabled"}}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("model", "parameters", "expected", "told"), PARAMETERS)
def test_a_parameter_is_sent_as_cohere_takes_it_and_every_change_is_told(
    model: str, parameters: Any, expected: Any, told: list[str]
) -> None:
    request = chat(model, USER, **parameters)
    plain = {"model": model, "messages": USER, "stream": False}
    assert sent(request) == {**plain, **expected}
    assert changes(request) == told


def test_our_own_defaults_are_fitted_without_a_word() -> None:
    given_ = {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0,
              "presence_penalty": 0}  # fmt: skip
    request = chat(NEW, USER, uses_default_parameters=True, **given_)
    assert changes(request) == []
    body = sent(request)
    assert (body["temperature"], body["max_tokens"], body["p"]) == (1, 2048, 0.99)
    assert not {"frequency_penalty", "presence_penalty"} & body.keys()


def test_every_model_is_listed_with_all_parameters() -> None:
    assert PROVIDER.parameters_of(NEW) == PROVIDER.parameters


@pytest.mark.parametrize(
    "request_",
    [
        chat(NEW, [{"role": "user", "content": 5}]),
        chat(NEW, USER, tools=5),
        chat(NEW, USER, response_format="json"),
        chat(NEW, USER, tool_choice={"type": "function"}),
    ],
)
def test_what_is_no_request_is_refused(request_: ChatRequest) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        PROVIDER.adapt(request_)


@pytest.mark.parametrize("base", ["http://h", "http://h/", "http://h/v1", "http://h/v2/"])
def test_an_address_may_have_its_version_or_not(base: str) -> None:
    target = Target(provider="cohere", base_url=base, api_key="k", headers={"x-client-name": "us"})
    request = ChatRequest(model=NEW, messages=raw(USER), stream=True)
    http = PROVIDER.encode_request(request, target)
    assert http.url.path == "/v2/chat"
    assert json.loads(http.body)["stream"] is True
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("authorization", "Bearer k"),
        ("x-client-name", "us"),
    )


# --- Answers --------------------------------------------------------------------------------------


def streamed(*payloads: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [
        Frame(payload if isinstance(payload, bytes) else json.dumps(payload).encode(), None, b"")
        for payload in payloads
    ]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def delta(kind: str, index: int | None = None, **message: Any) -> Any:
    return {"type": kind, "index": index or 0, "delta": {"message": message}}


def end(**fields: Any) -> Any:
    return {"type": "message-end", "delta": fields}


def cited(start: int, stop: int, index: int | None, url: Any, **more: Any) -> Any:
    place = {} if index is None else {"content_index": index}
    source = {"type": "document", "id": "d", "document": {"url": url, "title": "T"}}
    return {"start": start, "end": stop, "text": "x", "sources": [source], **place, **more}


def note(start: int, stop: int, url: str) -> Any:
    span = {"start_index": start, "end_index": stop}
    return {"type": "url_citation", "url_citation": {**span, "url": url, "title": "T"}}


WEB = "https://x"
STREAMS: list[tuple[str, list[Any], list[Event]]] = [
    ("its end mark", [b"[DONE]"], [StreamEnd()]),
    ("silence", [b""], []),
    ("an event that is not known", [{"type": "new", "delta": {}}, {"type": "debug"}], []),
    ("empty pieces", [
        delta("content-start", content={"type": "text", "text": ""}),
        delta("content-delta", content={"thinking": ""}), delta("tool-plan-delta", tool_plan=""),
        delta("tool-call-delta", tool_calls={"function": {"arguments": ""}}),
        delta("content-delta"), delta("tool-call-start"), delta("citation-start"),
        {"type": "tool-plan-delta", "delta": {}}, {"type": "content-delta", "delta": {}},
    ], []),
    ("two calls", [
        delta("tool-call-start", tool_calls={
            "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        delta("tool-call-delta", tool_calls={"function": {"arguments": "{}"}}),
        delta("tool-call-end"),
        delta("tool-call-start", 1, tool_calls={
            "id": "b", "type": "function", "function": {"name": "g", "arguments": "{"}}),
    ], [ToolStarted(0, "a", "f"), ToolArguments(0, "{}"), ToolStarted(1, "b", "g"),
        ToolArguments(1, "{")]),
    ("citations are counted from their block", [
        delta("content-delta", 0, content={"text": "ab"}),
        delta("content-delta", 1, content={"text": "cd"}),
        delta("citation-start", citations=cited(0, 2, 1, WEB)),
        delta("citation-start", 1, citations=cited(0, 1, None, "file:x")),
        delta("citation-start", 2, citations=cited(0, 1, None, WEB, type="PLAN")),
    ], [Text("ab"), Text("cd"),
        ExtraFields({"citations": [cited(0, 2, 1, WEB)], "annotations": [note(2, 4, WEB)]}),
        ExtraFields({"citations": [cited(0, 1, None, "file:x")]}),
        ExtraFields({"citations": [cited(0, 1, None, WEB, type="PLAN")]})]),
    ("probabilities", [
        {**delta("content-delta", content={"text": "ab"}),
         "logprobs": {"text": "ab", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}}],
     [Text("ab"), Logprobs({"content": [
         {"token": "ab", "logprob": -0.75, "top_logprobs": []}]})]),
    ("an end of a call", [end(finish_reason="TOOL_CALL")], [Finished("tool_calls")]),
    ("an end by a word", [end(finish_reason="STOP_SEQUENCE", usage=None)], [Finished("stop")]),
    ("an end that is new", [end(finish_reason="BORED")], [Finished("stop")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payloads", "expected"), [row[1:] for row in STREAMS], ids=[row[0] for row in STREAMS]
)
def test_an_event_of_a_stream_is_read(payloads: list[Any], expected: list[Event]) -> None:
    assert streamed(*payloads) == expected


FAILURES: list[tuple[Any, type[Exception], str]] = [
    (end(finish_reason="ERROR"), errors.UpstreamError, "Cohere broke off its answer (ERROR)."),
    (end(finish_reason="ERROR", error="no luck"), errors.UpstreamError, "no luck"),
    (
        end(finish_reason="TIMEOUT"),
        errors.UpstreamTimeout,
        "Cohere broke off its answer (TIMEOUT).",
    ),
    ({"id": "1", "message": "too bad"}, errors.UpstreamError, "too bad"),
]


@pytest.mark.parametrize(("payload", "cls", "message"), FAILURES)
def test_an_error_in_a_stream_is_an_error(payload: Any, cls: type[Exception], message: str) -> None:
    (event,) = streamed(payload)
    assert isinstance(event, Failed)
    assert (type(event.error), str(event.error)) == (cls, message)


def test_a_whole_answer_is_read_in_the_order_of_its_stream() -> None:
    body = {
        "id": "1",
        "message": {
            "tool_plan": "plan",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "ab"},
                {"type": "text", "text": ""},
                {"type": "text", "text": "cd"},
            ],
            "citations": [cited(0, 1, 3, WEB)],
        },
        "logprobs": [{"text": "ab", "logprobs": [-1.0]}, {"text": "c"}],
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {"input_tokens": 5.0, "output_tokens": 3.0}},
    }
    shown = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    assert PROVIDER.decode_response(json.dumps(body).encode()) == [
        Started("1"),
        Reasoning("plan"),
        Reasoning("hm"),
        Text("ab"),
        Text("cd"),
        ExtraFields({"citations": [cited(0, 1, 3, WEB)], "annotations": [note(2, 3, WEB)]}),
        Logprobs({"content": [{"token": "ab", "logprob": -1.0, "top_logprobs": []}]}),
        Finished("stop"),
        UsageReported(Usage(input_tokens=5, output_tokens=3), {**shown, **body["usage"]}),  # type: ignore[dict-item]
        StreamEnd(),
    ]


def test_a_stream_begins_with_its_id_and_ends_with_what_is_billed() -> None:
    usage = {
        "billed_units": {"input_tokens": 4, "output_tokens": 9},
        "tokens": {"input_tokens": 500, "output_tokens": 20, "reasoning_tokens": 7},
        "cached_tokens": 480,
    }
    begun, _, seen = streamed(
        {"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant"}}},
        end(finish_reason="MAX_TOKENS", usage=usage),
    )
    assert begun == Started("1")
    shown = {"prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13}
    shown["completion_tokens_details"] = {"reasoning_tokens": 7}  # type: ignore[assignment]
    counted = Usage(input_tokens=4, output_tokens=9, reasoning_tokens=7)
    assert seen == UsageReported(counted, {**shown, **usage})


def test_what_is_not_counted_is_not_known() -> None:
    seen = streamed(end(finish_reason="COMPLETE", usage={}))[1]
    assert isinstance(seen, UsageReported)
    assert seen.usage == Usage()
    assert seen.openai_usage["total_tokens"] is None


def test_an_error_in_a_body_of_status_200_is_an_error() -> None:
    (event,) = PROVIDER.decode_response(b'{"id":"1","message":"overloaded"}')
    assert isinstance(event, Failed)
    assert str(event.error) == "overloaded"


ERRORS: list[tuple[int, bytes, type[errors.UpstreamError], str | None]] = [
    (400, b'{"message":"invalid request"}', errors.UpstreamRejected, None),
    (401, b'{"id":"1","message":"no api key supplied"}', errors.UpstreamAuth, "1"),
    (402, b'{"message":"Please add a payment method"}', errors.UpstreamQuota, None),
    (404, b'{"id":"1","message":"model not found"}', errors.UpstreamNotFound, "1"),
    (422, b'{"id":5,"message":"bad"}', errors.UpstreamRejected, None),
    (429, b'{"message":"limited to 20 API calls / minute"}', errors.UpstreamRateLimited, None),
    (429, b'{"message":"limited to 1000 API calls / month"}', errors.UpstreamQuota, None),
    (498, b'{"message":"invalid token"}', errors.UpstreamAuth, None),
    (499, b'{"message":"request cancelled"}', errors.UpstreamTimeout, None),
    (500, b"oops", errors.UpstreamError, None),
    (503, b"[]", errors.UpstreamOverloaded, None),
    (504, b"", errors.UpstreamTimeout, None),
]


@pytest.mark.parametrize(("status", "body", "cls", "request_id"), ERRORS)
def test_an_error_is_told_for_what_it_is(
    status: int, body: bytes, cls: type[errors.UpstreamError], request_id: str | None
) -> None:
    error = PROVIDER.decode_error(status, [(b"retry-after", b"2")], body)
    assert type(error) is cls
    assert (error.request_id, error.retry_after_s) == (request_id, 2.0)


# --- Embeddings -----------------------------------------------------------------------------------


def embed(given_: Any, **parameters: Any) -> Any:
    values = {name: raw(value) for name, value in parameters.items()}
    request = EmbeddingsRequest(model="embed-v4.0", input=raw(given_), parameters=values)
    return json.loads(encode_embeddings(request, TARGET).body)


def test_embeddings_are_asked_for_in_floats_and_to_be_searched() -> None:
    plain = {"model": "embed-v4.0", "texts": ["a"], "input_type": "search_document",
             "embedding_types": ["float"]}  # fmt: skip
    assert embed("a", encoding_format="base64", user="u") == plain
    asked = embed(["a"], dimensions=256, input_type="search_query", truncate="NONE")
    more = {"output_dimension": 256, "input_type": "search_query", "truncate": "NONE"}
    assert asked == {**plain, **more}


@pytest.mark.parametrize("given_", [[1, 2], [[1], [2]], {"a": 1}])
def test_only_texts_are_embedded(given_: Any) -> None:
    with pytest.raises(RequestError, match="texts, not tokens"):
        embed(given_)


def test_embeddings_of_another_type_are_handed_on() -> None:
    found = decode_embeddings(b'{"embeddings":{"int8":[[1,2]]}}')
    assert found.vectors == [[1.0, 2.0]]
    assert found.usage == Usage()


def test_embeddings_of_the_first_version_are_bare() -> None:
    found = decode_embeddings(b'{"embeddings":[[0.5]],"meta":{"billed_units":{"input_tokens":2}}}')
    assert (found.vectors, found.usage) == ([[0.5]], Usage(input_tokens=2))
