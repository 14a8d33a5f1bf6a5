"""Recorded traffic of Cohere."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from headway import errors
from headway.events import Event, Started
from headway.providers.cohere import provider as cohere
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each, require_recordings

WAIVED = {
    "cohere/chat-v1-sync-error-404-command": "v1 is another wire; its error is read all the same",
    "cohere/embed-v1-sync-batch-input": "v1 is asked otherwise; its answer is read all the same",
    "cohere/embed-v1-sync-vision-image-out": "pictures are embedded, which OpenAI has no words for",
    "cohere/generate-v1-sync-finish-complete-command": "text completions, before chat",
    "cohere/rerank-v1-sync-req-documents": "a ranking of documents is no chat",
    "cohere/rerank-v2-sync-req-documents": "a ranking of documents is no chat",
}
ANSWERS = chosen(lambda r: r.provider == "cohere" and r.api == "chat_v2" and r.status == 200)
STREAMS = [recording for recording in ANSWERS if recording.stream]
REFUSALS = chosen(lambda r: r.provider == "cohere" and r.status != 200)
REQUESTS = chosen(lambda r: r.provider == "cohere" and r.api == "chat_v2")
VECTORS = chosen(lambda r: r.provider == "cohere" and r.api.startswith("embed") and r.status == 200)
TARGET = Target(provider="cohere", base_url=cohere.PROVIDER.base_url or "", api_key="k")


def events(recording: Recording, size: int | None = None) -> list[Event]:
    """What the adapter makes of it, cut at ``size`` or in one piece."""
    return read(cohere.PROVIDER, recording, *(recording.cut(size) if size else [recording.body]))


# --- The same, read in the plainest way: lines, JSON, concatenation. ------------------------------


def objects(recording: Recording) -> Iterator[Any]:
    for line in recording.body.decode().split("\n"):
        if line.startswith("data:") and line != "data: [DONE]":
            yield json.loads(line[5:])


def whole_of(recording: Recording) -> Any:
    """The whole answer, put together from the stream's events where it was one."""
    if not recording.stream:
        return json.loads(recording.body)
    blocks: dict[int, dict[str, str]] = {}
    message: Any = {"role": "assistant", "tool_plan": "", "tool_calls": [], "citations": []}
    whole: Any = {"message": message}
    for event in objects(recording):
        delta = event.get("delta", {}).get("message", {})
        whole["id"] = event.get("id") or whole.get("id")
        if event["type"] in ("content-start", "content-delta"):
            block = blocks.setdefault(event["index"], {})
            for name, value in delta["content"].items():
                block[name] = value if name == "type" else block.get(name, "") + value
        elif event["type"] == "tool-plan-delta":
            message["tool_plan"] += delta["tool_plan"]
        elif event["type"] == "tool-call-start":
            message["tool_calls"].append(delta["tool_calls"])
        elif event["type"] == "tool-call-delta":
            function = message["tool_calls"][-1]["function"]
            function["arguments"] += delta["tool_calls"]["function"]["arguments"]
        elif event["type"] == "citation-start":
            message["citations"].append(delta["citations"])
        elif event["type"] == "message-end":
            whole.update(event["delta"])
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return whole


def recorded_text(recording: Recording, kind: str) -> str:
    content = whole_of(recording)["message"].get("content") or []
    return "".join(block[kind] for block in content if block["type"] == kind)


REASONS = {"COMPLETE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}


@each(ANSWERS)
def test_a_recorded_response_has_its_start_text_and_finish(recording: Recording) -> None:
    found = events(recording)
    answer, whole = fold(found), whole_of(recording)
    assert answer.failed is None
    assert answer.done
    assert found[0] == Started(whole["id"])
    assert answer.finish_reason == REASONS[whole["finish_reason"]]
    assert "".join(answer.choices[0].text) == recorded_text(recording, "text")


@each(ANSWERS)
def test_a_recorded_tool_plan_and_thinking_are_reasoning(recording: Recording) -> None:
    plan = whole_of(recording)["message"].get("tool_plan") or ""
    choice = fold(events(recording)).choices[0]
    assert "".join(choice.reasoning) == recorded_text(recording, "thinking") + plan


@each(ANSWERS)
def test_a_recorded_response_has_its_tool_calls(recording: Recording) -> None:
    calls = whole_of(recording)["message"].get("tool_calls") or []
    message = fold(events(recording)).choices[0].message()
    assert (message["tool_calls"] or []) == calls


@each(ANSWERS)
def test_a_recorded_citation_is_returned_unchanged(recording: Recording) -> None:
    citations = whole_of(recording)["message"].get("citations") or []
    assert fold(events(recording)).choices[0].extra.get("citations", []) == citations


@each(ANSWERS)
def test_the_usage_of_a_recorded_response_is_the_billed_one(recording: Recording) -> None:
    reported = whole_of(recording)["usage"]
    billed = reported["billed_units"]
    seen = fold(events(recording)).usage
    assert seen is not None
    assert seen.usage.input_tokens == billed["input_tokens"]
    assert seen.usage.output_tokens == billed["output_tokens"]
    assert seen.usage.reasoning_tokens == reported["tokens"].get("reasoning_tokens")
    assert seen.usage.cache_read_tokens is None
    assert {name: seen.openai_usage[name] for name in reported} == reported
    assert seen.openai_usage["total_tokens"] == billed["input_tokens"] + billed["output_tokens"]


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_for_any_chunking(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, 1) == whole
    assert events(recording, 997) == whole


@each(STREAMS)
def test_a_recorded_stream_and_its_whole_response_agree(recording: Recording) -> None:
    streamed = fold(events(recording))
    whole = fold(cohere.decode_response(json.dumps(whole_of(recording)).encode()))
    assert streamed.choices[0].message() == whole.choices[0].message()
    assert streamed.finish_reason == whole.finish_reason
    assert streamed.usage == whole.usage
    assert streamed.started == whole.started


CLASSES = {401: errors.UpstreamAuth, 404: errors.UpstreamNotFound}


@each(REFUSALS)
def test_a_recorded_error_keeps_the_providers_message(recording: Recording) -> None:
    error = cohere.decode_error(recording.status, recording.headers, recording.body)
    body = json.loads(recording.body)
    assert (error.message, error.request_id) == (body["message"], body["id"])
    assert type(error) is CLASSES[recording.status]
    assert not error.retryable


# --- Requests -------------------------------------------------------------------------------------


def canonical(recording: Recording) -> ChatRequest:
    """The request in OpenAI's format that means what was recorded."""
    body = dict(recording.request)
    messages = [dict(turn) for turn in body.pop("messages")]
    for document in body.pop("documents", ()):
        file = b64encode(document["data"]["text"].encode()).decode()
        data = {"filename": document["data"]["title"]}
        data["file_data"] = f"data:text/plain;base64,{file}"
        messages[-1]["content"] = [*messages[-1]["content"], {"type": "file", "file": data}]
    if "tool_choice" in body:
        body["tool_choice"] = body["tool_choice"].lower()
    if "response_format" in body:
        schema = {"name": "answer", "schema": body["response_format"]["json_schema"]}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return ChatRequest(
        model=body.pop("model"),
        stream=body.pop("stream", False),
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in body.items()},
    )


def plain(body: Any) -> Any:
    """Without the freedoms that the API leaves: no documents are none, no stream is false, and a
    call needs no empty text beside it."""
    body = {"stream": False, **body}
    body = {name: value for name, value in body.items() if (name, value) != ("documents", [])}
    body["messages"] = [dict(turn) for turn in body["messages"]]
    for turn in body["messages"]:
        if turn.get("content") == [{"type": "text", "text": ""}]:
            del turn["content"]
    return body


@each(REQUESTS)
def test_a_recorded_request_is_encoded_as_recorded(recording: Recording) -> None:
    request, transformations = cohere.PROVIDER.adapt(canonical(recording))
    assert transformations == ()
    http = cohere.encode_request(request, TARGET)
    assert (http.url.host, http.url.path) == ("api.cohere.com", "/v2/chat")
    assert plain(json.loads(http.body)) == plain(recording.request)


@each(VECTORS)
def test_recorded_embeddings_are_decoded(recording: Recording) -> None:
    answer = json.loads(recording.body)
    found = cohere.decode_embeddings(recording.body)
    vectors = answer["embeddings"]
    assert found.vectors == (vectors["float"] if isinstance(vectors, dict) else vectors)
    assert found.usage.input_tokens == answer["meta"]["billed_units"].get("input_tokens")


ASKED = [recording for recording in VECTORS if recording.name not in WAIVED]


@each(ASKED)
def test_a_recorded_embeddings_request_is_encoded_as_recorded(recording: Recording) -> None:
    body = dict(recording.request)
    request = EmbeddingsRequest(
        model=body["model"],
        input=Raw(json.dumps(body["texts"]).encode()),
        parameters={"dimensions": Raw(json.dumps(body["output_dimension"]).encode())},
    )
    http = cohere.encode_embeddings(request, TARGET)
    assert http.url.path == "/v2/embed"
    assert json.loads(http.body) == body


def test_every_waived_recording_exists() -> None:
    require_recordings()
    found = {recording.name for recording in chosen(lambda r: r.provider == "cohere")}
    assert set(WAIVED) <= found
