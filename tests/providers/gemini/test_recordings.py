"""Recorded traffic of Google's generateContent, on AI Studio and on Vertex AI."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Raw

from headway import errors
from headway.events import Event, Started
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from headway.providers.vertex.endpoint import GLOBAL_URL
from headway.types import ChatRequest, EmbeddingsRequest, Target, Usage
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each

PROVIDERS = {"gemini": gemini.PROVIDER, "vertex": vertex.PROVIDER}
CHAT = ("generateContent", "streamGenerateContent")
EMBEDDINGS = ("batchEmbedContents", "embedContent")
TARGETS = {
    "gemini": Target(provider="gemini", base_url=str(gemini.PROVIDER.base_url), api_key="k"),
    "vertex": Target(
        provider="vertex",
        base_url=GLOBAL_URL,
        options={"project": "p", "api_version": "v1beta1"},
        credentials={"access_token": "t"},
    ),
}


def is_ours(recording: Recording) -> bool:
    return recording.provider in PROVIDERS and recording.api in CHAT


ANSWERS = chosen(lambda r: is_ours(r) and r.status == 200)
STREAMS = [recording for recording in ANSWERS if recording.stream]
REFUSALS = chosen(lambda r: r.provider in PROVIDERS and r.status >= 400)
REQUESTS = chosen(lambda r: is_ours(r) and r.request is not None)
VECTORS = chosen(lambda r: r.provider in PROVIDERS and r.api in EMBEDDINGS and r.status == 200)


def events(recording: Recording, *pieces: bytes) -> list[Event]:
    return read(PROVIDERS[recording.provider], recording, *pieces)


# --- The same, read in the plainest way: lines, JSON, concatenation. ------------------------------


def chunks(recording: Recording) -> list[Any]:
    body = recording.body.decode()
    if recording.is_sse:
        return [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]
    parsed = json.loads(body)
    return parsed if isinstance(parsed, list) else [parsed]


def candidates(recording: Recording) -> Iterator[Any]:
    for chunk in chunks(recording):
        yield from chunk.get("candidates", ())


def parts(recording: Recording) -> list[Any]:
    return [
        part
        for candidate in candidates(recording)
        for part in candidate.get("content", {}).get("parts", ())
    ]


def recorded_text(recording: Recording, thought: bool) -> str:
    return "".join(
        p.get("text", "") for p in parts(recording) if p.get("thought", False) == thought
    )


REASONS = {
    "STOP": "stop",
    1: "stop",
    "MAX_TOKENS": "length",
    2: "length",
    "BLOCKED": "content_filter",
}


@each(ANSWERS)
def test_a_recorded_response_has_its_text_and_finish(recording: Recording) -> None:
    answer = fold(events(recording))
    choice = answer.choices[0]
    assert answer.failed is None
    assert answer.is_finished
    assert list(answer.choices) == [0]
    assert "".join(choice.text) == recorded_text(recording, thought=False)
    assert "".join(choice.reasoning) == recorded_text(recording, thought=True)
    reason = next((c["finishReason"] for c in candidates(recording) if "finishReason" in c), None)
    called = any("functionCall" in part for part in parts(recording))
    expected = "tool_calls" if called else REASONS[reason or "BLOCKED"]
    assert answer.finish_reason == expected


@each(ANSWERS)
def test_a_recorded_response_starts_with_started(recording: Recording) -> None:
    found = events(recording)
    first = chunks(recording)[0]
    assert isinstance(found[0], Started)
    assert (found[0].id, found[0].model) == (first["responseId"], first["modelVersion"])
    assert [type(event) for event in found].count(Started) == 1


@each(ANSWERS)
def test_a_recorded_response_has_its_tool_calls(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools
    calls = [part["functionCall"] for part in parts(recording) if "functionCall" in part]
    made = [(tool.name, json.loads("".join(tool.arguments))) for tool in tools.values()]
    assert made == [(call["name"], call["args"]) for call in calls]
    own = [call["id"] for call in calls if "id" in call]
    ids = [tool.id for tool in tools.values()]
    assert ids == own or (own == [] and len(set(ids)) == len(calls))
    assert all(ids)


@each(ANSWERS)
def test_each_recorded_signature_is_kept_with_its_part(recording: Recording) -> None:
    choice = fold(events(recording)).choices[0]
    details = choice.extra.get("reasoning_details", [])
    signed = [part for part in parts(recording) if "thoughtSignature" in part]
    kept = [d for d in details if d["data"]]
    assert [d["data"] for d in kept] == [part["thoughtSignature"] for part in signed]
    assert {d["format"] for d in details} <= {"google-gemini-v1"}
    ids = [tool.id for tool in choice.tools.values()]
    for detail, part in zip(kept, signed, strict=True):
        assert ("id" in detail) == ("functionCall" in part)
        assert detail.get("id") in (None, *ids)


SERVER = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")


@each(ANSWERS)
def test_parts_of_server_tools_are_kept(recording: Recording) -> None:
    details = fold(events(recording)).choices[0].extra.get("reasoning_details", [])
    kept = [d["part"] for d in details if "part" in d and d["part"] != {"text": ""}]
    expected = [{name: part[name]} for part in parts(recording) for name in SERVER if name in part]
    assert kept == expected


@each(ANSWERS)
def test_the_usage_of_a_recorded_response_is_its_last_count(recording: Recording) -> None:
    counted = [
        chunk["usageMetadata"]
        for chunk in chunks(recording)
        if "totalTokenCount" in chunk.get("usageMetadata", {})
    ]
    answer = fold(events(recording))
    if not counted:
        assert answer.reported() == Usage()
        return
    last, usage = counted[-1], answer.reported()
    assert usage.input_tokens is not None
    assert usage.output_tokens is not None
    assert usage.input_tokens + usage.output_tokens == last["totalTokenCount"]
    thoughts = last.get("thoughtsTokenCount")
    assert usage.output_tokens == last.get("candidatesTokenCount", 0) + (thoughts or 0)
    assert usage.reasoning_tokens == thoughts
    assert usage.cache_read_tokens == last.get("cachedContentTokenCount")
    audio = [d for d in last["promptTokensDetails"] if d["modality"] == "AUDIO"]
    assert usage.input_audio_tokens == (audio[0]["tokenCount"] if audio else None)
    assert answer.usage is not None
    assert answer.usage.openai_usage["total_tokens"] == last["totalTokenCount"]


@each(ANSWERS)
def test_recorded_grounding_has_the_spans_of_its_passages(recording: Recording) -> None:
    choice = fold(events(recording)).choices[0]
    text = "".join(choice.text)
    expected = []
    for candidate in candidates(recording):
        grounding = candidate.get("groundingMetadata", {})
        for support in grounding.get("groundingSupports", ()):
            for index in support["groundingChunkIndices"]:
                web = grounding["groundingChunks"][index].get("web")
                if web:
                    expected.append((web["uri"], support["segment"]["text"]))
    citations = [note["url_citation"] for note in choice.extra.get("annotations", ())]
    marked = [(c["url"], text[c["start_index"] : c["end_index"]]) for c in citations]
    assert marked == list(dict.fromkeys(expected))


@each(ANSWERS)
def test_recorded_logprobs_have_one_entry_a_token(recording: Recording) -> None:
    results = [c["logprobsResult"] for c in candidates(recording) if "logprobsResult" in c]
    wire = fold(events(recording)).choices[0].logprobs
    chosen_tokens = [token for result in results for token in result["chosenCandidates"]]
    content = wire["content"] if wire else []
    assert [(t["token"], t["logprob"]) for t in content] == [
        (token["token"], token["logProbability"]) for token in chosen_tokens
    ]
    tops = [top["candidates"] for result in results for top in result["topCandidates"]]
    assert [[t["token"] for t in c["top_logprobs"]] for c in content] == [
        [token["token"] for token in top] for top in tops
    ]


@each(STREAMS)
def test_a_recorded_stream_has_the_same_events_for_any_chunking(recording: Recording) -> None:
    whole = events(recording)
    step = 1 if len(recording.body) < 20_000 else 7
    assert events(recording, *recording.cut(step)) == whole
    assert events(recording, *recording.chunks) == whole


@each(STREAMS)
def test_a_recorded_stream_in_one_chunk_has_the_same_events(recording: Recording) -> None:
    """As one JSON array, which is what comes without alt=sse."""
    provider = PROVIDERS[recording.provider]
    array = json.dumps(chunks(recording), ensure_ascii=False).encode()
    assert provider.decode_response(array) == events(recording)


@each(STREAMS)
def test_a_truncated_recorded_stream_is_not_finished(recording: Recording) -> None:
    array = json.dumps(chunks(recording)[:-1] or [{"candidates": [{}]}]).encode()
    assert not fold(PROVIDERS[recording.provider].decode_response(array)).is_finished


# --- Errors ---------------------------------------------------------------------------------------

CLASSES = {
    "API_KEY_INVALID": errors.UpstreamAuth,
    "INVALID_ARGUMENT": errors.UpstreamRejected,
    "NOT_FOUND": errors.UpstreamNotFound,
    "PERMISSION_DENIED": errors.UpstreamForbidden,
    "UNAVAILABLE": errors.UpstreamOverloaded,
}


@each(REFUSALS)
def test_a_recorded_error_keeps_the_providers_message(recording: Recording) -> None:
    provider = PROVIDERS[recording.provider]
    error = provider.decode_error(recording.status, recording.headers, recording.body)
    wire = json.loads(recording.body)["error"]
    reasons = [detail["reason"] for detail in wire.get("details", ()) if "reason" in detail]
    assert error.code == (reasons[0] if reasons else wire["status"])
    assert type(error) is CLASSES[error.code]
    assert error.message == wire["message"]
    assert error.retryable == (recording.status == 503)


# --- Embeddings -----------------------------------------------------------------------------------


@each(VECTORS)
def test_recorded_embeddings_are_decoded_and_their_request_encoded(recording: Recording) -> None:
    provider = PROVIDERS[recording.provider]
    body = json.loads(recording.body)
    wire = body["embeddings"] if "embeddings" in body else [body["embedding"]]
    assert provider.decode_embeddings is not None
    found = provider.decode_embeddings(recording.body)
    assert found.vectors == [each["values"] for each in wire]
    assert found.usage.input_tokens == body.get("usageMetadata", {}).get("promptTokenCount")
    asked = recording.request.get("requests", [recording.request])
    texts = [part["text"] for one in asked for part in one["content"]["parts"]]
    size = asked[0].get("outputDimensionality")
    request = EmbeddingsRequest(
        model=recording.model,
        input=Raw(json.dumps(texts).encode()),
        parameters={} if size is None else {"dimensions": Raw(str(size).encode())},
    )
    assert provider.encode_embeddings is not None
    http = provider.encode_embeddings(request, TARGETS[recording.provider])
    assert json.loads(http.body) == recording.request
    assert http.url.path.endswith(f"/models/{recording.model}:{recording.api}")


# --- Requests: the recorded one in OpenAI's format, encoded again --------------------------------

WAIVED = {
    "vertex/generatecontent-sync-error-400-invalid-argument-vision-tools-gemini": (
        "It puts an address into a function's response, which was refused; we put it behind."
    ),
}
DIRECT = {
    "temperature": "temperature", "topP": "top_p", "topK": "top_k", "candidateCount": "n",
    "seed": "seed", "presencePenalty": "presence_penalty", "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs", "logprobs": "top_logprobs", "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
}  # fmt: skip
NATIVE = ("responseModalities",)
OPAQUE = ("args", "response", "schema", "properties")
"""What stands in these is the caller's, and its names are not the API's."""


def camel(value: Any) -> Any:
    """The API takes its names in either case."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    renamed = {re.sub(r"_(.)", lambda m: m[1].upper(), name): v for name, v in value.items()}
    return {name: v if name in OPAQUE else camel(v) for name, v in renamed.items()}


def plain(body: Any) -> Any:
    """Without what the API leaves free: case of names and types, which of two fields holds a
    schema, the instruction's role, empty objects, the kind of a file that Google stores."""
    body = camel(body)
    body.pop("model", None)
    body.get("systemInstruction", {}).pop("role", None)
    for tool in body.get("tools", ()):
        for function in tool.get("functionDeclarations", ()):
            for name in ("parameters", "parametersJsonSchema"):
                if name in function:
                    function["schema"] = lower(function.pop(name))
    config = body.get("generationConfig", {})
    for name in ("responseSchema", "responseJsonSchema"):
        if name in config:
            config["schema"] = lower(config.pop(name))
    if not config:
        body.pop("generationConfig", None)
    calling = body.get("toolConfig", {}).get("functionCallingConfig")
    if calling:
        calling["mode"] = calling["mode"].upper()
    for content in body["contents"]:
        for part in content["parts"]:
            if "/files/" in part.get("fileData", {}).get("fileUri", ""):
                part["fileData"].pop("mimeType", None)
    return body


def lower(schema: Any) -> Any:
    if isinstance(schema, list):
        return [lower(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {k: v.lower() if k == "type" and isinstance(v, str) else lower(v)
            for k, v in schema.items()}  # fmt: skip


def canonical(recording: Recording) -> ChatRequest:
    body = camel(recording.request)
    messages = [] if "systemInstruction" not in body else [
        {"role": "system", "content": [openai_part(p) for p in body["systemInstruction"]["parts"]]}
    ]  # fmt: skip
    calls: dict[str, str] = {}
    for position, content in enumerate(body["contents"]):
        messages += openai_messages(content, position, calls)
    values = {
        name: value
        for name, value in body.items()
        if name not in ("contents", "systemInstruction", "tools", "toolConfig", "model")
    }
    values.update(openai_config(values.pop("generationConfig", {})))
    if tools := [tool for given in body.get("tools", ()) for tool in openai_tools(given)]:
        values["tools"] = tools
    values.update(openai_choice(body.get("toolConfig", {})))
    return ChatRequest(
        model=recording.model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in values.items()},
        stream=recording.stream,
    )


def openai_part(part: Any) -> Any:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    if "fileData" in part:
        uri, kind = part["fileData"]["fileUri"], part["fileData"]["mimeType"]
        if kind.startswith("image/"):
            return {"type": "image_url", "image_url": {"url": uri}}
        return {"type": "file", "file": {"file_id" if "/files/" in uri else "file_data": uri}}
    url = f"data:{part['inlineData']['mimeType']};base64,{part['inlineData']['data']}"
    if part["inlineData"]["mimeType"].startswith("image/"):
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "file", "file": {"filename": "f", "file_data": url}}


def openai_messages(content: Any, position: int, calls: dict[str, str]) -> Iterator[Any]:
    if content["role"] == "model":
        yield openai_answer(content["parts"], position, calls)
        return
    rest = []
    for part in content["parts"]:
        if "functionResponse" in part:
            wire = part["functionResponse"]
            call_id = wire.get("id") or calls[wire["name"]]
            text = json.dumps(wire["response"])
            yield {"role": "tool", "tool_call_id": call_id, "content": text}
        else:
            rest.append(openai_part(part))
    if rest:
        yield {"role": "user", "content": rest}


def openai_answer(given: list[Any], position: int, calls: dict[str, str]) -> Any:
    texts = [part["text"] for part in given if "text" in part]
    message: Any = {"role": "assistant", "content": "".join(texts) or None}
    details, made = [], []
    for part in given:
        if "functionCall" in part:
            call = part["functionCall"]
            call_id = call.get("id") or f"call_{len(made)}_turn{position}"
            calls[call["name"]] = call_id
            function = {"name": call["name"], "arguments": json.dumps(call["args"])}
            made.append({"id": call_id, "type": "function", "function": function})
            if "thoughtSignature" in part:
                details.append({"type": "reasoning.encrypted", "data": part["thoughtSignature"],
                                "id": call_id, "format": "google-gemini-v1"})  # fmt: skip
    return {**message, "tool_calls": made or None, "reasoning_details": details}


def openai_config(config: Any) -> Any:
    values = {DIRECT[name]: value for name, value in config.items() if name in DIRECT}
    values.update({name: config[name] for name in NATIVE if name in config})
    thinking = config.get("thinkingConfig", {})
    assert thinking.get("includeThoughts", True)
    if "thinkingBudget" in thinking:
        values["reasoning"] = {"max_tokens": thinking["thinkingBudget"]}
    if "thinkingLevel" in thinking:
        values["reasoning_effort"] = thinking["thinkingLevel"]
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    if schema is not None:
        named = {"name": "answer", "schema": lower(schema)}
        values["response_format"] = {"type": "json_schema", "json_schema": named}
    elif "responseMimeType" in config:
        values["response_format"] = {"type": "json_object"}
    known = {*DIRECT, *NATIVE, "thinkingConfig", "responseSchema", "responseJsonSchema",
             "responseMimeType"}  # fmt: skip
    assert set(config) <= known
    return values


def openai_tools(tool: Any) -> Iterator[Any]:
    if "functionDeclarations" not in tool:
        yield tool
    for function in tool.get("functionDeclarations", ()):
        schema = function.get("parameters") or function.get("parametersJsonSchema")
        spec = {"name": function["name"], "parameters": lower(schema)}
        if "description" in function:
            spec["description"] = function["description"]
        yield {"type": "function", "function": spec}


def openai_choice(config: Any) -> Any:
    calling = config.pop("functionCallingConfig", None)
    values: Any = {"toolConfig": config} if config else {}
    if calling:
        names_allowed = calling.get("allowedFunctionNames")
        if names_allowed:
            named = {"name": names_allowed[0]}
            values["tool_choice"] = {"type": "function", "function": named}
        else:
            values["tool_choice"] = {"AUTO": "auto", "ANY": "required"}[calling["mode"].upper()]
    return values


WRITTEN_ALIKE = [recording for recording in REQUESTS if recording.name not in WAIVED]


@each(WRITTEN_ALIKE)
def test_a_recorded_request_is_encoded_as_recorded(recording: Recording) -> None:
    provider = PROVIDERS[recording.provider]
    adapted, transformations = provider.adapt(canonical(recording))
    http = provider.encode_request(adapted, TARGETS[recording.provider])
    assert plain(json.loads(http.body)) == plain(recording.request)
    assert transformations == ()
    method = "streamGenerateContent?alt=sse" if recording.stream else "generateContent"
    assert http.url.path.endswith(f"/models/{recording.model}:{method}")


def test_every_waived_recording_exists() -> None:
    known = {recording.name for recording in REQUESTS}
    assert not known or WAIVED.keys() <= known
