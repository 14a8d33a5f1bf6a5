"""Recorded traffic of Ollama, of its own API and of its copy of OpenAI's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from headway import errors
from headway.events import Event, Started
from headway.providers.ollama import provider as ollama
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.recording_decoder import fold, streamed
from support.recordings import Recording, chosen, each, require_recordings

WAIVED = {
    "ollama/api-embeddings-sync-basic-llama": "the endpoint before /api/embed, superseded",
    "ollama/api-generate-stream-finish-stop-llama": "text completions, without messages",
    "ollama/api-tags-sync-basic": "the list of models is no chat",
}
NATIVE = chosen(lambda r: r.provider == "ollama" and r.api == "api_chat" and r.status == 200)
COPIES = chosen(lambda r: r.provider == "ollama" and r.api == "chat" and r.status == 200)
STREAMS = [recording for recording in NATIVE + COPIES if recording.stream]
REFUSALS = chosen(lambda r: r.provider == "ollama" and r.status != 200)
REQUESTS = chosen(lambda r: r.provider == "ollama" and r.api in ("api_chat", "chat"))
VECTORS = chosen(lambda r: r.provider == "ollama" and r.api == "api_embed")


def target(recording: Recording) -> Target:
    suffix = "/v1" if recording.api == "chat" else ""
    return Target(provider="ollama", base_url=f"http://127.0.0.1:11434{suffix}")


def events(recording: Recording, size: int | None = None) -> list[Event]:
    """What the adapter makes of it, cut at ``size`` or in one piece."""
    if not recording.body.endswith(b"}") and b"\n" in recording.body.strip():
        return streamed(ollama.PROVIDER, *(recording.cut(size) if size else [recording.body]))
    return ollama.decode_response(recording.body)


# --- The same, read in the plainest way: lines, JSON, concatenation. ------------------------------


def objects(recording: Recording) -> Iterator[Any]:
    if not recording.stream:
        yield json.loads(recording.body)
        return
    for line in recording.body.decode().split("\n"):
        text = line.removeprefix("data:").strip()
        if text not in ("", "[DONE]"):
            yield json.loads(text)


def joined(recording: Recording, *names: str) -> str:
    found = ""
    for value in objects(recording):
        choices = value.get("choices", [value])
        message = choices[0].get("message") or choices[0].get("delta") or {} if choices else {}
        found += "".join(message.get(name) or "" for name in names)
    return found


def calls(recording: Recording) -> list[Any]:
    found = []
    for value in objects(recording):
        choices = value.get("choices", [value])
        message = choices[0].get("message") or choices[0].get("delta") or {} if choices else {}
        for call in message.get("tool_calls") or ():
            arguments = call["function"]["arguments"]
            made = json.loads(arguments) if isinstance(arguments, str) else arguments
            found.append((call["id"], call["function"]["name"], made))
    return found


@each(NATIVE + COPIES)
def test_a_recorded_response_has_its_start_text_and_finish(recording: Recording) -> None:
    found = events(recording)
    answer = fold(found)
    assert answer.failed is None
    assert answer.is_finished
    assert type(found[0]) is Started
    assert found[0].model == recording.model
    choice = answer.choices[0]
    assert "".join(choice.text) == joined(recording, "content")
    assert "".join(choice.reasoning) == joined(recording, "thinking", "reasoning")


@each(NATIVE + COPIES)
def test_a_recorded_response_has_its_tool_calls(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools.values()
    made = [(tool.id, tool.name, json.loads("".join(tool.arguments))) for tool in tools]
    assert made == calls(recording)


@each(NATIVE + COPIES)
def test_a_recorded_response_has_its_finish_reason(recording: Recording) -> None:
    reasons = [
        value.get("done_reason") or value.get("choices", [{}])[0].get("finish_reason")
        for value in objects(recording)
        if value.get("choices", [value])
    ]
    expected = "tool_calls" if calls(recording) else reasons[-1]
    assert fold(events(recording)).finish_reason == expected


@each(NATIVE + COPIES)
def test_the_usage_of_a_recorded_response_has_its_counts(recording: Recording) -> None:
    last = list(objects(recording))[-1]
    counted = last.get("usage") or {
        "prompt_tokens": last["prompt_eval_count"],
        "completion_tokens": last["eval_count"],
        "total_tokens": last["prompt_eval_count"] + last["eval_count"],
    }
    seen = fold(events(recording)).usage
    assert seen is not None
    assert seen.usage.input_tokens == counted["prompt_tokens"]
    assert seen.usage.output_tokens == counted["completion_tokens"]
    shown = (
        seen.openai_usage
        if isinstance(seen.openai_usage, dict)
        else json.loads(bytes(seen.openai_usage))
    )
    assert shown == counted


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_for_any_chunking(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, 1) == whole
    assert events(recording, 997) == whole


NATIVE_STREAMS = [recording for recording in NATIVE if len(list(objects(recording))) > 1]


@each(NATIVE_STREAMS)
def test_a_recorded_stream_and_its_whole_response_agree(recording: Recording) -> None:
    lines = list(objects(recording))
    message: dict[str, Any] = {"role": "assistant"}
    for line in lines:
        for name, value in line["message"].items():
            if name != "role":
                message[name] = message.get(name, type(value)()) + value
    whole = {**lines[-1], "message": message, "created_at": lines[0]["created_at"]}
    one, other = fold(events(recording)), fold(ollama.decode_response(json.dumps(whole).encode()))
    assert one.choices[0].message() == other.choices[0].message()
    assert one.finish_reason == other.finish_reason
    assert one.usage == other.usage
    assert one.started == other.started


CLASSES = {400: errors.UpstreamContextWindow, 404: errors.UpstreamNotFound}


@each(REFUSALS)
def test_a_recorded_error_keeps_the_providers_message(recording: Recording) -> None:
    error = ollama.decode_error(recording.status, recording.headers, recording.body)
    error_body = json.loads(recording.body)["error"]
    assert error.message == (error_body if isinstance(error_body, str) else error_body["message"])
    assert type(error) is CLASSES[recording.status]
    assert not error.retryable


# --- Requests -------------------------------------------------------------------------------------

NAMES = {"num_predict": "max_tokens"}
EFFORTS = {True: "medium", False: "none"}


def canonical(recording: Recording) -> ChatRequest:
    """The request in OpenAI's format that means what was recorded."""
    body = dict(recording.request)
    options = body.pop("options", {})
    body.update({NAMES.get(name, name): value for name, value in options.items()})
    form = body.pop("format", None)
    if form == "json":
        body["response_format"] = {"type": "json_object"}
    elif form:
        schema = {"name": "answer", "schema": form}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    messages = [message(turn, recording.api) for turn in body.pop("messages")]
    return ChatRequest(
        model=body.pop("model"),
        stream=body.pop("stream", True),
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in body.items()},
    )


def message(turn: Any, api: str) -> Any:
    if api == "chat":
        return turn
    made = dict(turn)
    if "thinking" in made:
        made["reasoning_content"] = made.pop("thinking")
    if turn["role"] == "tool":
        made["tool_call_id"] = "call_0"
        made.pop("tool_name", None)
    if "tool_calls" in made:
        made["tool_calls"] = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {
                    "name": call["function"]["name"],
                    "arguments": json.dumps(call["function"]["arguments"]),
                },
            }
            for number, call in enumerate(made["tool_calls"])
        ]
    return made


def plain(body: Any) -> Any:
    """Without the freedoms that the API leaves: an empty field is none, a stream is the rule, the
    ids of calls are new there, and both names of a thought are read."""
    body = {"stream": True, **body}
    body = {name: value for name, value in body.items() if value not in (None, "", [], {})}
    body["messages"] = [dict(turn) for turn in body["messages"]]
    for turn in body["messages"]:
        for name in ("tool_call_id", "tool_name", "reasoning_content"):
            turn.pop(name, None)
        turn["tool_calls"] = [
            {**call["function"], "arguments": call["function"]["arguments"]}
            for call in turn.get("tool_calls", ())
        ]
    return body


@each(REQUESTS)
def test_a_recorded_request_is_encoded_as_recorded(recording: Recording) -> None:
    request, transformations = ollama.PROVIDER.adapt(canonical(recording))
    assert {each.parameter for each in transformations} <= {"max_tokens"}
    http = ollama.encode_request(request, target(recording))
    expected = {"api_chat": "/api/chat", "chat": "/v1/chat/completions"}[recording.api]
    assert (http.url.host, http.url.port, http.url.path) == ("127.0.0.1", 11434, expected)
    sent = json.loads(http.body)
    if recording.api == "chat":
        sent.setdefault("stream", False)
    assert plain(sent) == plain(recording.request)


def test_a_recorded_tool_result_names_its_tool() -> None:
    """The recordings before tool_name was known have none."""
    for recording in REQUESTS:
        if recording.api != "api_chat":
            continue
        http = ollama.encode_request(ollama.adapt(canonical(recording))[0], target(recording))
        sent = [
            turn["tool_name"] for turn in json.loads(http.body)["messages"] if "tool_name" in turn
        ]
        names = [turn["tool_name"] for turn in recording.request["messages"] if "tool_name" in turn]
        assert sent == names or not names


@each(VECTORS)
def test_a_recorded_embeddings_call_is_encoded_and_decoded(recording: Recording) -> None:
    body = dict(recording.request)
    request = EmbeddingsRequest(
        model=body.pop("model"),
        input=Raw(json.dumps(body.pop("input")).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in body.items()},
    )
    http = ollama.encode_embeddings(request, target(recording))
    assert http.url.path == "/api/embed"
    assert json.loads(http.body) == recording.request
    found, answer = ollama.decode_embeddings(recording.body), json.loads(recording.body)
    assert found.vectors == answer["embeddings"]
    assert found.usage.input_tokens == answer["prompt_eval_count"]


def test_every_waived_recording_exists() -> None:
    require_recordings()
    found = {recording.name for recording in chosen(lambda r: r.provider == "ollama")}
    assert set(WAIVED) <= found
