"""Recorded traffic of the Responses API, of OpenAI and of vendors that copied it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from headway import errors
from headway.events import Event, Finished, Started, UsageReported
from headway.providers.openai_responses.provider import PROVIDER
from headway.types import ChatRequest, Target
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each


def is_ours(recording: Recording) -> bool:
    return recording.api == "responses"


RESPONSES = chosen(lambda r: is_ours(r) and r.status == 200)
ERRORS = chosen(lambda r: is_ours(r) and r.status != 200)
STREAMS = [recording for recording in RESPONSES if recording.stream]
REQUESTS = chosen(lambda r: is_ours(r) and r.request is not None)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDER, recording, *pieces)


# --- A naive reader -------------------------------------------------------------------------------


def objects(recording: Recording) -> Iterator[Any]:
    for line in recording.body.decode().splitlines():
        if line.startswith("data:"):
            yield json.loads(line[5:])


def response(recording: Recording) -> Any:
    """The whole response, which is in the last event of a stream. OpenAI encrypts reasoning anew
    each time; the expected text is the one in the item's own event."""
    if not recording.stream:
        return json.loads(recording.body)
    decoded = [*objects(recording)]
    whole = decoded[-1]["response"]
    for event in decoded:
        if event["type"] == "response.output_item.done" and "encrypted_content" in event["item"]:
            encrypted = event["item"]["encrypted_content"]
            whole["output"][event["output_index"]]["encrypted_content"] = encrypted
    return whole


def items(recording: Recording, *types: str) -> list[Any]:
    return [item for item in response(recording)["output"] if item["type"] in types]


def parts(recording: Recording, kind: str) -> list[Any]:
    messages = items(recording, "message")
    return [part for item in messages for part in item["content"] if part["type"] == kind]


KNOWN = ("message", "reasoning", "function_call", "custom_tool_call")


@each(RESPONSES)
def test_a_recorded_response_has_its_text_and_a_finish(recording: Recording) -> None:
    answer, whole = fold(events(recording)), response(recording)
    calls = items(recording, "function_call", "custom_tool_call")
    assert answer.failed is None
    assert answer.is_finished
    assert answer.done
    assert answer.started is not None
    assert (answer.started.id, answer.started.model) == (whole["id"], whole["model"])
    assert answer.started.created == int(whole["created_at"])
    choice = answer.choices[0]
    assert "".join(choice.text) == "".join(p["text"] for p in parts(recording, "output_text"))
    assert "".join(choice.refusal) == "".join(p["refusal"] for p in parts(recording, "refusal"))
    ended = ("tool_calls" if calls else "stop") if whole["status"] == "completed" else "length"
    assert answer.finish_reason == ended
    assert (whole["incomplete_details"] or {}).get("reason") in (None, "max_output_tokens")


@each(RESPONSES)
def test_a_recorded_response_has_its_tool_calls(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools
    made = [(tool.id, tool.name, "".join(tool.arguments)) for tool in tools.values()]
    assert made == [
        (item["call_id"], item["name"], item.get("arguments") or item.get("input"))
        for item in items(recording, "function_call", "custom_tool_call")
    ]
    assert list(tools) == list(range(len(made)))


@each(RESPONSES)
def test_recorded_reasoning_is_decoded_with_its_details(recording: Recording) -> None:
    choice = fold(events(recording)).choices[0]
    reasoning = items(recording, "reasoning")
    texts_by_item = [
        [p["text"] for p in [*t["summary"], *(t.get("content") or ())]] for t in reasoning
    ]
    assert "".join(choice.reasoning) == "".join("\n\n".join(texts) for texts in texts_by_item)
    details = choice.extra.get("reasoning_details", ())
    kept = [(d["id"], d.get("text") or d.get("summary")) for d in details if "data" not in d]
    assert kept == [
        (t["id"], text) for t, texts in zip(reasoning, texts_by_item, strict=True) for text in texts
    ]
    assert [(d["id"], d["data"]) for d in details if "data" in d] == [
        (t["id"], t["encrypted_content"]) for t in reasoning if t.get("encrypted_content")
    ]


@each(RESPONSES)
def test_other_items_and_annotations_of_a_recorded_response_are_kept(recording: Recording) -> None:
    """Items of other types whole, annotations with their positions in the joined text."""
    whole = response(recording)
    choice = fold(events(recording)).choices[0]
    extra, text = choice.extra, "".join(choice.text)
    others = [{**i, "index": n} for n, i in enumerate(whole["output"]) if i["type"] not in KNOWN]
    assert extra.get("output_items", []) == others
    cited = [
        (note, part["text"])
        for part in parts(recording, "output_text")
        for note in part["annotations"]
    ]
    notes = [note.get("url_citation") or note for note in extra.get("annotations", ())]
    assert [n.get("url") for n in notes] == [n.get("url") for n, _ in cited]
    spans = [text[n["start_index"] : n["end_index"]] for n in notes if "start_index" in n]
    assert spans == [
        whole_text[n["start_index"] : n["end_index"]]
        for n, whole_text in cited
        if "start_index" in n
    ]
    for name in ("content_filters", "moderation"):
        assert extra.get(name) == (whole.get(name) or None)
    phases = [item.get("phase") for item in items(recording, "message")]
    assert extra.get("phase") == (phases[-1] if phases else None)
    spaces = [item for item in items(recording, "function_call") if "namespace" in item]
    assert extra.get("tool_namespaces", {}) == {i["call_id"]: i["namespace"] for i in spaces}


@each(RESPONSES)
def test_a_recorded_response_has_its_usage(recording: Recording) -> None:
    counted = response(recording)["usage"]
    seen = fold(events(recording)).usage
    assert seen is not None
    usage, given = seen.usage, counted["input_tokens_details"]
    assert usage.input_tokens == counted["input_tokens"]
    assert usage.output_tokens == counted["output_tokens"]
    assert usage.cache_read_tokens == given["cached_tokens"]
    assert usage.cache_write_tokens == given.get("cache_write_tokens")
    assert usage.reasoning_tokens == counted["output_tokens_details"]["reasoning_tokens"]
    assert seen.openai_usage["prompt_tokens"] == counted["input_tokens"]
    assert seen.openai_usage["completion_tokens"] == counted["output_tokens"]
    assert seen.openai_usage["total_tokens"] == counted["total_tokens"]
    assert seen.openai_usage["prompt_tokens_details"] == given


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_however_it_is_cut(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, *recording.cut()) == whole
    assert events(recording, *recording.chunks) == whole


@each(STREAMS)
def test_a_stream_and_its_whole_response_give_the_same_message(recording: Recording) -> None:
    streamed = fold(events(recording))
    whole = fold(PROVIDER.decode_response(json.dumps(response(recording)).encode()))
    assert streamed.choices[0].message() == whole.choices[0].message()
    assert streamed.usage == whole.usage
    assert streamed.finish_reason == whole.finish_reason
    one, other = streamed.started, whole.started
    assert one is not None
    assert other is not None
    # The tier that serves is known when the answer is whole.
    assert (one.id, one.model, one.created) == (other.id, other.model, other.created)


@each(STREAMS)
def test_each_delta_of_a_stream_is_an_event_at_once(recording: Recording) -> None:
    """As many content events as deltas: nothing is held back to the end."""
    deltas = [o for o in objects(recording) if o["type"].endswith(DELTAS) and o["delta"]]
    found = [e for e in events(recording) if type(e).__name__ in TOLD]
    assert len(found) == len(deltas)


DELTAS = ("text.delta", "refusal.delta", "arguments.delta", "tool_call_input.delta")
TOLD = ("Text", "Reasoning", "Refusal", "ToolArguments")


@each(RESPONSES)
def test_a_recorded_response_starts_once_and_reports_usage_at_its_end(
    recording: Recording,
) -> None:
    found = events(recording)
    assert type(found[0]) is Started
    assert [type(event) for event in found[-3:-1]] == [Finished, UsageReported]


# --- Errors ---------------------------------------------------------------------------------------

CLASSES = {400: errors.UpstreamRejected, 401: errors.UpstreamAuth}
EXCEPTIONS = {
    "context_length_exceeded": errors.UpstreamContextWindow,
    "model_not_found": errors.UpstreamNotFound,
    "unsupported_parameter": errors.UpstreamUnsupported,
}


@each(ERRORS)
def test_a_recorded_error_keeps_its_message(recording: Recording) -> None:
    error = PROVIDER.decode_error(recording.status, recording.headers, recording.body)
    body = json.loads(recording.body)
    fields = body["error"] if isinstance(body["error"], dict) else {"message": body["error"]}
    code = fields.get("code")
    is_key = error.message.startswith("Incorrect API key")  # xAI says it with a 400
    cls = EXCEPTIONS.get(code, CLASSES[401 if is_key else recording.status])
    assert type(error) is cls
    assert error.message == fields["message"]
    assert code is None or error.code == code
    assert error.param == fields.get("param")
    assert not error.retryable
    request_id = dict(recording.headers).get(b"x-request-id")
    assert error.request_id == (None if request_id is None else request_id.decode())


# --- Requests -------------------------------------------------------------------------------------

WAIVED = {
    "openai/responses-sync-vision-document-reasoning-tokens": (
        "it has a stored prompt with variables and no messages"
    ),
    "openai/responses-stream-error-400-missing-required-parameter-tools-gpt-5": (
        "it has tools in chat's shape, which is why it was refused"
    ),
    "openai/responses-stream-error-400-invalid-request-error-tools-o3": (
        "its tools have chat's function within this API's shape"
    ),
    "openai/responses-stream-tool-choice-function-tool-call-reasoning-tokens-o1": (
        "its tools have chat's function within this API's shape"
    ),
    "openai/responses-sync-prefill-reasoning-tokens-o1": (
        "it has a turn of the assistant that says nothing, which we leave out"
    ),
    "openai/responses-sync-error-400-integer-below-min-value-o1": (
        "its max_output_tokens is less than 16, which we raise"
    ),
    "openai/responses-sync-error-400-unsupported-parameter-gpt-5": (
        "it has a temperature for a model that takes none, which we drop"
    ),
}
ENCODED = [recording for recording in REQUESTS if recording.name not in WAIVED]
FOUND = [recording for recording in REQUESTS if recording.name in WAIVED]


def canonical(recording: Recording) -> ChatRequest:
    """The recorded request in the format of chat completions."""
    body = dict(recording.request)
    given = body.pop("input")
    wires = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [*turns(wires)]
    if body.get("instructions") is not None:
        messages.insert(0, {"role": "system", "content": body.pop("instructions")})
    body.pop("stream", None)
    model = body.pop("model")
    parameters: dict[str, Any] = {}
    for name, value in body.items():
        parameters.update(TRANSLATED.get(name, lambda v, n=name: {n: v})(value))
    return ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=recording.stream,
    )


def turns(wires: list[Any]) -> Iterator[Any]:
    """Items as messages: consecutive items of an assistant are one message."""
    turn: dict[str, Any] = {}
    index = 0
    for wire in wires:
        kind = wire.get("type", "message")
        if kind.endswith("_output") and kind != "tool_search_output":
            role = "tool"
        else:
            role = wire.get("role", "assistant")
        if turn and (role != "assistant" or (kind == "message" and "content" in turn)):
            yield turn
            turn = {}
        if role == "tool":
            yield {"role": "tool", "tool_call_id": wire["call_id"], "content": wire["output"]}
        elif role != "assistant":
            yield {"role": role, "content": content(wire["content"])}
        else:
            index = 0 if not turn else index + 1
            turn.setdefault("role", "assistant")
            ADDS.get(kind, add_other)(turn, wire, index)
    if turn:
        yield turn


def add_message(turn: Any, wire: Any, index: int) -> None:
    turn["content"] = content(wire["content"])
    if "phase" in wire:
        turn["phase"] = wire["phase"]


def add_call(turn: Any, wire: Any, index: int) -> None:
    function = {"name": wire["name"], "arguments": wire["arguments"]}
    call = {"id": wire["call_id"], "type": "function", "function": function}
    turn.setdefault("tool_calls", []).append(call)
    if "namespace" in wire:
        turn.setdefault("tool_namespaces", {})[wire["call_id"]] = wire["namespace"]


def add_thought(turn: Any, wire: Any, index: int) -> None:
    same = {"id": wire.get("id"), "format": "openai-responses-v1", "index": index}
    details = turn.setdefault("reasoning_details", [])
    for piece in wire["summary"]:
        details.append({"type": "reasoning.summary", "summary": piece["text"], **same})
    details.append({"type": "reasoning.encrypted", "data": wire["encrypted_content"], **same})


def add_other(turn: Any, wire: Any, index: int) -> None:
    turn.setdefault("output_items", []).append({**wire, "index": index})


ADDS = {"message": add_message, "function_call": add_call, "reasoning": add_thought}


def content(wire: Any) -> Any:
    return wire if isinstance(wire, str) else [part(one) for one in wire]


def part(wire: Any) -> Any:
    rest = {k: v for k, v in wire.items() if k not in ("type", "annotations")}
    if wire["type"] == "input_file":
        return {"type": "file", "file": rest}
    return {"type": "text", **rest}


def tool(wire: Any) -> Any:
    kind = wire["type"]
    if kind not in ("function", "custom"):
        return wire
    outer = {k: v for k, v in wire.items() if k in ("type", "defer_loading")}
    inner = {k: v for k, v in wire.items() if k not in outer}
    if "format" in inner:
        grammar = {k: v for k, v in inner["format"].items() if k != "type"}
        inner["format"] = {"type": "grammar", "grammar": grammar}
    return {**outer, kind: inner}


def choice(wire: Any) -> Any:
    if isinstance(wire, str) or "function" in wire:
        return wire
    return {"type": "function", "function": {"name": wire["name"]}}


def text(wire: Any) -> dict[str, Any]:
    described = {k: v for k, v in wire["format"].items() if k != "type"}
    kind = wire["format"]["type"]
    return {"response_format": {"type": kind, **({kind: described} if described else {})}}


TRANSLATED = {
    "tools": lambda wire: {"tools": [tool(one) for one in wire]},
    "tool_choice": lambda wire: {"tool_choice": choice(wire)},
    "text": text,
    "max_output_tokens": lambda wire: {"max_completion_tokens": wire},
}


def plain(body: Any) -> Any:
    """The body without differences that mean the same: a text is one text part, items need no ids,
    null and false are defaults, and ``store`` and encrypted reasoning are the gateway's choice."""
    body = {k: v for k, v in body.items() if v is not None and (k, v) != ("stream", False)}
    body.pop("store", None)
    given = body["input"]
    body["input"] = [item(one) for one in given] if isinstance(given, list) else [
        item({"role": "user", "content": given})
    ]  # fmt: skip
    body["include"] = set(body.get("include", ())) - {"reasoning.encrypted_content"}
    body["tools"] = [{"strict": False, **one} for one in body.get("tools", ())]
    if "reasoning" in body:
        body["reasoning"] = {k: v for k, v in body["reasoning"].items() if v is not None}
    if "format" in body.get("text", {}):
        body["text"]["format"] = {"strict": False, **body["text"]["format"]}
    return body


def item(wire: Any) -> Any:
    wire = {"type": "message", **wire}
    if wire["type"] != "reasoning" and wire["type"] in (*KNOWN, "function_call_output"):
        wire = {k: v for k, v in wire.items() if k not in ("id", "status")}
    if wire["type"] != "message":
        return wire
    pieces = wire["content"]
    kind = "output_text" if wire["role"] == "assistant" else "input_text"
    if isinstance(pieces, str):
        pieces = [{"type": kind, "text": pieces}]
    pieces = [{k: v for k, v in piece.items() if k != "annotations"} for piece in pieces]
    return {**wire, "content": pieces}


@each(ENCODED)
def test_the_encoded_request_is_the_recorded_one(recording: Recording) -> None:
    transformations, body = sent(recording)
    assert transformations <= {"max_completion_tokens"}
    assert plain(body) == plain(recording.request)
    assert body["store"] is recording.request.get("store", False)


@each(FOUND)
def test_each_known_difference_is_still_recorded_and_still_differs(recording: Recording) -> None:
    if "input" not in recording.request:
        return
    _, body = sent(recording)
    assert plain(body) != plain(recording.request)


def sent(recording: Recording) -> tuple[set[str], Any]:
    request, transformations = PROVIDER.adapt(canonical(recording))
    target = Target(provider="responses", base_url="https://api.openai.com/v1", api_key="sk-x")
    body = json.loads(PROVIDER.encode_request(request, target).body)
    return {each.parameter for each in transformations}, body


@each(STREAMS)
def test_a_recorded_response_is_sent_back_unchanged(recording: Recording) -> None:
    """On the next turn: items in their order, reasoning and other items whole."""
    message = fold(events(recording)).choices[0].message()
    request = ChatRequest(model="gpt-5", messages=Raw(json.dumps([message]).encode()))
    target = Target(provider="responses", base_url="https://api.openai.com/v1")
    sent = json.loads(PROVIDER.encode_request(request, target).body)["input"]
    whole = [i for i in response(recording)["output"] if i["type"] != "reasoning" or is_whole(i)]
    assert [i["type"] for i in sent] == [i["type"] for i in whole]
    for one, other in zip(sent, whole, strict=True):
        names = set(one) - {"content"} if one["type"] == "message" else set(one)
        assert {n: one[n] for n in names} == {n: other[n] for n in names}


def is_whole(item: Any) -> bool:
    return bool(item.get("encrypted_content") or item.get("content"))
