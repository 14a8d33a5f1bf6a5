"""Recorded traffic of Azure OpenAI's chat completions and embeddings. Recordings of its Responses
API are tested with those of the other providers."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from headway import errors
from headway.events import Event, Started
from headway.providers.azure.openai import PROVIDER
from headway.types import ChatRequest, EmbeddingsRequest, Target
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each


def is_ours(recording: Recording) -> bool:
    return recording.provider == "azure_openai" and recording.api in ("chat", "embeddings")


RESPONSES = chosen(lambda r: is_ours(r) and r.status == 200 and r.api == "chat")
VECTORS = chosen(lambda r: is_ours(r) and r.status == 200 and r.api == "embeddings")
ERRORS = chosen(lambda r: is_ours(r) and r.status != 200)
STREAMS = [recording for recording in RESPONSES if recording.stream]
REQUESTS = chosen(lambda r: is_ours(r) and r.request is not None)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDER, recording, *pieces)


# --- A naive reader ----------------------------------------------------------


def whole(recording: Recording) -> Any:
    """The whole completion, put together from the stream's chunks where it was one."""
    if not recording.stream:
        return json.loads(recording.body)
    message: dict[str, Any] = {"content": "", "tool_calls": []}
    made: dict[str, Any] = {"choices": [{"message": message, "finish_reason": None}]}
    for line in recording.body.decode().splitlines():
        if not line.startswith("data: {"):
            continue
        chunk = json.loads(line[5:])
        for name in ("id", "model", "created", "prompt_filter_results", "usage"):
            made[name] = chunk.get(name) or made.get(name)
        for choice in chunk["choices"]:
            delta = choice["delta"]
            message["content"] += delta.get("content") or ""
            for call in delta.get("tool_calls", ()):
                if "id" in call:
                    message["tool_calls"].append({"id": call["id"], "function": call["function"]})
                else:
                    function = message["tool_calls"][call["index"]]["function"]
                    function["arguments"] += call["function"]["arguments"]
            first = made["choices"][0]
            first["finish_reason"] = choice["finish_reason"] or first["finish_reason"]
            filters = choice.get("content_filter_results")
            first["content_filter_results"] = filters or first.get("content_filter_results")
    return made


@each(RESPONSES)
def test_a_recorded_response_has_its_text_calls_and_filter_results(recording: Recording) -> None:
    answer, said = fold(events(recording)), whole(recording)
    (choice,) = said["choices"]
    assert answer.is_finished
    assert answer.done
    assert answer.finish_reason == choice["finish_reason"]
    assert answer.started == Started(
        said["id"], said["model"], said["created"],
        answer.started.system_fingerprint if answer.started else None,
        answer.started.service_tier if answer.started else None,
    )  # fmt: skip
    made = answer.choices[0].message()
    assert (made["content"] or "") == (choice["message"]["content"] or "")
    calls = [(c["id"], c["function"]) for c in made["tool_calls"] or ()]
    assert calls == [(c["id"], c["function"]) for c in choice["message"].get("tool_calls") or ()]
    assert made.get("prompt_filter_results") == (said.get("prompt_filter_results") or None)
    assert made.get("content_filter_results") == (choice.get("content_filter_results") or None)


@each(RESPONSES)
def test_a_recorded_response_has_its_usage(recording: Recording) -> None:
    counted = whole(recording)["usage"]
    seen = fold(events(recording)).usage
    if counted is None:  # asked without include_usage, which we never do
        assert seen is None
        return
    assert seen is not None
    usage = seen.usage
    assert usage.input_tokens == counted["prompt_tokens"]
    assert usage.output_tokens == counted["completion_tokens"]
    given = counted.get("prompt_tokens_details") or {}
    assert usage.cache_read_tokens == given.get("cached_tokens")
    made = counted.get("completion_tokens_details") or {}
    assert (usage.reasoning_tokens or 0) == made.get("reasoning_tokens", 0)


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_however_it_is_cut(recording: Recording) -> None:
    found = events(recording)
    assert events(recording, *recording.cut()) == found
    assert events(recording, *recording.chunks) == found


@each(STREAMS)
def test_a_stream_and_its_whole_response_give_the_same_message(recording: Recording) -> None:
    streamed = fold(events(recording))
    other = fold(PROVIDER.decode_response(json.dumps(whole(recording)).encode()))
    one, two = streamed.choices[0].message(), other.choices[0].message()
    assert one == {**two, "content": two["content"] or one["content"]}
    assert streamed.finish_reason == other.finish_reason
    assert streamed.reported() == other.reported()


@each(VECTORS)
def test_recorded_vectors_are_decoded(recording: Recording) -> None:
    assert PROVIDER.decode_embeddings is not None
    found, said = PROVIDER.decode_embeddings(recording.body), json.loads(recording.body)
    assert found.vectors == [datum["embedding"] for datum in said["data"]]
    assert found.usage.input_tokens == said["usage"]["prompt_tokens"]
    assert found.model == said["model"]


CLASSES = {
    400: errors.UpstreamContentPolicy,
    401: errors.UpstreamAuth,
    404: errors.UpstreamNotFound,
    429: errors.UpstreamRateLimited,
}


@each(ERRORS)
def test_a_recorded_error_keeps_its_message(recording: Recording) -> None:
    error = PROVIDER.decode_error(recording.status, recording.headers, recording.body)
    said = json.loads(recording.body)["error"]
    assert type(error) is CLASSES[recording.status]
    assert error.message.startswith(said["message"])
    assert error.code == (None if said["code"].isdigit() else said["code"])
    assert error.retryable is (recording.status == 429)
    headers = dict(recording.headers)
    assert error.request_id == (headers.get(b"apim-request-id", b"").decode() or None)
    wait = headers.get(b"retry-after")
    assert error.retry_after_s == (None if wait is None else float(wait))


# --- Requests -------------------------------------------------------------------------------------

UNDATED = "azure_openai/chat-sync-tool-result-cached-tokens"


@each(REQUESTS)
def test_the_encoded_request_is_the_recorded_one(recording: Recording) -> None:
    body = dict(recording.request)
    address, _, query = recording.url.partition("?")
    host = address.partition("/openai/")[0].partition("/models/")[0]
    model = body.pop("model")
    options = {"api_version": query.removeprefix("api-version=") or None}
    at = f"{host}/models" if "/models/" in address else host
    if "/deployments/" in address and (not query or f"/{model}/" not in address):
        at = address  # somebody's own, without a version or of another deployment than the model
    where = Target(provider="azure", base_url=at, api_key="k", options=options)
    stream = body.pop("stream", False)
    messages, given = body.pop("messages", None), body.pop("input", None)
    body.pop("stream_options", None)
    parameters = {name: Raw(json.dumps(value).encode()) for name, value in body.items()}
    if messages is None:
        assert PROVIDER.encode_embeddings is not None
        texts = EmbeddingsRequest(
            model=model, input=Raw(json.dumps(given).encode()), parameters=parameters
        )
        http = PROVIDER.encode_embeddings(texts, where)
    else:
        asked = ChatRequest(
            model=model,
            messages=Raw(json.dumps(messages).encode()),
            parameters=parameters,
            stream=stream,
        )
        adapted, transformations = PROVIDER.adapt(asked)
        assert transformations == ()
        http = PROVIDER.encode_request(adapted, where)
    assert f"https://{http.url.host}{http.url.path}" == recording.url.replace(
        "RESOURCE", "resource"
    )
    sent = json.loads(http.body)
    sent.pop("stream_options", None)
    expected = {k: v for k, v in recording.request.items() if k != "stream_options"}
    assert sent == {k: v for k, v in expected.items() if (k, v) != ("stream", False)}
