"""Real traffic of Amazon Bedrock, read and written."""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Raw

from cassettes import Recording, chosen, names
from headway import errors
from headway.dialects.answer import Answer
from headway.providers import bedrock, bedrock_mantle
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    Event,
    Finished,
    Started,
    Target,
    UsageSeen,
)

OTHERS = "invoke is for Claude; other models are spoken to through Converse"
WAIVED = {
    "bedrock/count-tokens-sync-basic-claude": "tokens are counted by the gateway",
    "bedrock/count-tokens-sync-cache-control-claude": "tokens are counted by the gateway",
    "bedrock/count-tokens-sync-error-400": "tokens are counted by the gateway",
    "bedrock/invoke-sync-finish-length": "a model of one's own on SageMaker, in its own format",
    "bedrock/invoke-sync-req-documents-cohere": "a ranking of documents is no chat",
    "bedrock/invoke-sync-stop-sequences-req-top-k-claude": "text completions, before Messages",
    "bedrock/invoke-sync-system-finish-end-turn-nova": OTHERS,
    "bedrock/invoke-sync-tool-call-parallel-tool-calls-nova": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-length-llama": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-max-tokens-command": OTHERS,
    "bedrock/invoke-with-response-stream-stream-finish-max-tokens-nova": OTHERS,
    "bedrock/invoke-with-response-stream-stream-invocationmetrics-titan": OTHERS,
    "bedrock/invoke-with-response-stream-stream-stop-sequences-claude": "text completions",
    "bedrock/invoke-with-response-stream-stream-system-invocationmetrics-nova": OTHERS,
}
EMBEDDINGS = ("req-dimensions-titan", "req-input-type")


def is_chat(recording: Recording) -> bool:
    embeds = any(sign in recording.name for sign in EMBEDDINGS)
    return recording.provider == "bedrock" and recording.name not in WAIVED and not embeds


ANSWERS = chosen(lambda r: is_chat(r) and r.status == 200)
CONVERSED = [recording for recording in ANSWERS if recording.api.startswith("converse")]
INVOKED = [recording for recording in ANSWERS if recording.api.startswith("invoke")]
STREAMS = [recording for recording in ANSWERS if recording.stream]
REFUSALS = chosen(lambda r: r.provider == "bedrock" and r.status != 200)
REQUESTS = chosen(lambda r: is_chat(r) and r.request is not None)
VECTORS = chosen(lambda r: any(sign in r.name for sign in EMBEDDINGS))
MANTLE = chosen(lambda r: r.provider == "bedrock_mantle" and r.api == "chat")
TARGET = Target(provider="bedrock", base_url=bedrock.BASE_URL, options={"region": "us-east-1"})


def events(recording: Recording, size: int | None = None) -> list[Event]:
    """What the adapter makes of it, cut at ``size`` or in one piece."""
    if not recording.stream:
        return bedrock.decode_response(recording.body)
    framer = bedrock.PROVIDER.framer()
    state: dict[str, Any] = {}
    body, step = recording.body, size or len(recording.body)
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    return [e for frame in frames + framer.end() for e in bedrock.decode_event(frame, state)]


def fold(found: list[Event]) -> Answer:
    answer = Answer()
    answer.add(found)
    return answer


# --- The same, read in the plainest way: offsets, JSON, concatenation. ----------------------------


def payloads(recording: Recording) -> Iterator[tuple[str, Any]]:
    at = 0
    while at < len(recording.body):
        length, headers = struct.unpack_from(">II", recording.body, at)
        head = recording.body[at + 12 : at + 12 + headers]
        name = head.split(b":event-type\x07", 1)[1]
        size = int.from_bytes(name[:2], "big")
        payload = recording.body[at + 12 + headers : at + length - 4]
        yield name[2 : 2 + size].decode(), json.loads(payload)
        at += length


def whole_of(recording: Recording) -> Any:
    """The whole answer of Converse, put together from the stream's events where it was one."""
    if not recording.stream:
        return json.loads(recording.body)
    blocks: dict[int, Any] = {}
    whole: Any = {}
    for name, event in payloads(recording):
        at = event.get("contentBlockIndex")
        if name == "contentBlockStart":
            blocks[at] = event["start"]
        elif name == "contentBlockDelta":
            grow(blocks.setdefault(at, {}), event["delta"])
        elif name in ("messageStop", "metadata"):
            whole.update({k: v for k, v in event.items() if k != "p"})
    content = [settled(blocks[at]) for at in sorted(blocks)]
    return {**whole, "output": {"message": {"role": "assistant", "content": content}}}


def grow(block: Any, delta: Any) -> None:
    if "toolUse" in delta:
        block["json"] = block.get("json", "") + delta["toolUse"]["input"]
    elif "citation" in delta:
        block["citations"] = [*block.get("citations", ()), delta["citation"]]
    elif "toolResult" in delta:
        block["toolResult"]["content"] = delta["toolResult"]
    elif "reasoningContent" in delta:
        thought = block.setdefault("thought", {})
        for name, value in delta["reasoningContent"].items():
            thought[name] = thought.get(name, "") + value
    else:
        block["text"] = block.get("text", "") + delta["text"]


def settled(block: Any) -> Any:
    """As the whole answer has it."""
    if "json" in block:
        block["toolUse"]["input"] = json.loads(block.pop("json"))
    if "thought" in block:
        thought = block["thought"]
        is_text = "redactedContent" not in thought
        return {"reasoningContent": {"reasoningText": thought} if is_text else thought}
    if "citations" in block:
        texts = [{"text": block["text"]}] if "text" in block else []
        return {"citationsContent": {"citations": block["citations"], "content": texts}}
    return block


def said(block: Any) -> str:
    cited = block.get("citationsContent", {}).get("content", ())
    return block.get("text", "") + "".join(piece["text"] for piece in cited)


def content(recording: Recording) -> list[Any]:
    return whole_of(recording)["output"]["message"]["content"]


REASONS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls",
           "guardrail_intervened": "content_filter"}  # fmt: skip


@pytest.mark.parametrize("recording", ANSWERS, ids=names(ANSWERS))
def test_a_recorded_answer_begins_is_finished_is_counted_and_ends(recording: Recording) -> None:
    found = events(recording)
    answer = fold(found)
    assert answer.failed is None
    assert answer.is_finished
    assert answer.done
    assert type(found[0]) is Started
    kinds = [type(event) for event in found]
    assert kinds.index(Finished) < len(kinds) - kinds[::-1].index(UsageSeen) - 1


@pytest.mark.parametrize("recording", CONVERSED, ids=names(CONVERSED))
def test_a_recorded_answer_says_what_it_said_and_why_it_stopped(recording: Recording) -> None:
    choice, whole = fold(events(recording)).choices[0], whole_of(recording)
    assert "".join(choice.text) == "".join(said(block) for block in content(recording))
    assert choice.finish_reason == REASONS[whole["stopReason"]]


@pytest.mark.parametrize("recording", CONVERSED, ids=names(CONVERSED))
def test_a_recorded_answer_makes_the_calls_that_it_made(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools
    made = [(t.id, t.name, json.loads("".join(t.arguments))) for t in tools.values()]
    calls = [b["toolUse"] for b in content(recording) if "toolUse" in b]
    ours = [call for call in calls if "type" not in call]
    assert made == [(call["toolUseId"], call["name"], call["input"]) for call in ours]


@pytest.mark.parametrize("recording", CONVERSED, ids=names(CONVERSED))
def test_a_recorded_thought_is_told_and_kept_with_its_signature(recording: Recording) -> None:
    choice = fold(events(recording)).choices[0]
    thoughts = [b["reasoningContent"] for b in content(recording) if "reasoningContent" in b]
    texts = [thought.get("reasoningText", {}) for thought in thoughts]
    assert "".join(choice.reasoning) == "".join(text.get("text", "") for text in texts)
    kept = choice.extra.get("reasoning_details", [])
    assert [d.get("signature") for d in kept] == [text.get("signature") for text in texts]
    redacted = [t["redactedContent"] for t in thoughts if "redactedContent" in t]
    data = [d["data"] for d in kept if d["type"] == "reasoning.encrypted"]
    assert data == [b64decode(text).decode() for text in redacted]
    assert {d["format"] for d in kept} <= {"anthropic-claude-v1"}


@pytest.mark.parametrize("recording", CONVERSED, ids=names(CONVERSED))
def test_nothing_of_a_recorded_answer_is_lost(recording: Recording) -> None:
    """What the provider's own tools did, and citations with the text that they belong to."""
    choice = fold(events(recording)).choices[0]
    text = "".join(choice.text)
    done = [
        {**block, "index": at}
        for at, block in enumerate(content(recording))
        if "toolResult" in block or "type" in block.get("toolUse", {})
    ]
    assert choice.extra.get("content_blocks", []) == done
    blocks = [b for b in content(recording) if "citationsContent" in b]
    cited = [(c, said(b)) for b in blocks for c in b["citationsContent"]["citations"]]
    spans = [text[c["start_index"] : c["end_index"]] for c in choice.extra.get("citations", ())]
    assert spans == [words for _, words in cited]
    links = [note["url_citation"]["url"] for note in choice.extra.get("annotations", ())]
    webs = [(c["location"].get("web") or {}).get("url", c.get("source")) for c, _ in cited]
    assert links == [url for url in webs if url]
    trace = whole_of(recording).get("trace")
    assert choice.extra.get("trace") == trace


@pytest.mark.parametrize("recording", CONVERSED, ids=names(CONVERSED))
def test_the_usage_of_a_recorded_answer_counts_the_cached_input_in(recording: Recording) -> None:
    counted = whole_of(recording)["usage"]
    seen = fold(events(recording)).usage
    assert seen is not None
    assert seen.usage.output_tokens == counted["outputTokens"]
    assert seen.usage.input_tokens == counted["totalTokens"] - counted["outputTokens"]
    assert seen.usage.cache_read_tokens == counted.get("cacheReadInputTokens")
    assert seen.usage.cache_write_tokens == counted.get("cacheWriteInputTokens")
    assert seen.shown["total_tokens"] == counted["totalTokens"]
    assert seen.shown["prompt_tokens"] == seen.usage.input_tokens


@pytest.mark.parametrize("recording", STREAMS, ids=names(STREAMS))
def test_a_recorded_stream_makes_the_same_events_however_it_is_cut(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, 1) == whole
    assert events(recording, 1000) == whole


CONVERSED_STREAMS = [recording for recording in CONVERSED if recording.stream]


@pytest.mark.parametrize("recording", CONVERSED_STREAMS, ids=names(CONVERSED_STREAMS))
def test_a_stream_and_its_whole_answer_make_the_same_answer(recording: Recording) -> None:
    streamed = fold(events(recording))
    whole = fold(bedrock.decode_response(json.dumps(whole_of(recording)).encode()))
    one, other = streamed.choices[0].message(), whole.choices[0].message()
    for calls in (one["tool_calls"], other["tool_calls"]):
        for call in calls or ():  # a model writes its JSON with blanks
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    assert one == other
    assert streamed.usage == whole.usage
    assert streamed.finish_reason == whole.finish_reason


@pytest.mark.parametrize("recording", INVOKED, ids=names(INVOKED))
def test_an_invoked_answer_is_read_in_the_models_own_format(recording: Recording) -> None:
    answer = fold(events(recording))
    assert answer.started is not None
    assert (answer.started.id or "").startswith("msg_bdrk_")
    if recording.stream:
        inner = [json.loads(b64decode(event["bytes"])) for _, event in payloads(recording)]
        deltas = [event["delta"] for event in inner if event["type"] == "content_block_delta"]
        text = "".join(delta.get("text", "") for delta in deltas)
        fragments = "".join(delta.get("partial_json", "") for delta in deltas)
        usage = [event["usage"] for event in inner if "usage" in event][-1]
    else:
        whole = json.loads(recording.body)
        text = "".join(block.get("text", "") for block in whole["content"])
        calls = [block["input"] for block in whole["content"] if block["type"] == "tool_use"]
        fragments = "".join(json.dumps(call, separators=(",", ":")) for call in calls)
        usage = whole["usage"]
    choice = answer.choices[0]
    assert "".join(choice.text) == text
    made = "".join("".join(tool.arguments) for tool in choice.tools.values())
    assert made == fragments or (made, fragments) == ("{}", "")
    assert answer.reported().output_tokens == usage["output_tokens"]


# --- Errors ---------------------------------------------------------------------------------------

CLASSES = {
    "The provided model identifier is invalid.": errors.UpstreamNotFound,
    "This model doesn't support the s3Uri field": errors.UpstreamRejected,
    "The model returned the following errors: Input Tokens": errors.UpstreamRejected,
    "The security token included in the request is expired": errors.UpstreamAuth,
    "The security token included in the request is invalid.": errors.UpstreamAuth,
    "This model version has reached the end of its life.": errors.UpstreamNotFound,
    "You don't have access to the model": errors.UpstreamNotFound,
}


@pytest.mark.parametrize("recording", REFUSALS, ids=names(REFUSALS))
def test_a_recorded_refusal_is_told_in_the_providers_words(recording: Recording) -> None:
    error = bedrock.decode_error(recording.status, recording.headers, recording.body)
    message = json.loads(recording.body)["message"]
    assert error.message == message
    assert type(error) is next(c for start, c in CLASSES.items() if message.startswith(start))
    assert not error.retryable
    headers = {name: value.decode() for name, value in recording.headers}
    assert error.request_id == headers.get(b"x-amzn-requestid")
    assert (error.code or "") == headers.get(b"x-amzn-errortype", "").partition(":")[0]


# --- Requests -------------------------------------------------------------------------------------


def canonical(recording: Recording) -> ChatRequest:
    """The request in OpenAI's format that means what was recorded."""
    body = dict(recording.request)
    read = conversed if recording.api.startswith("converse") else invoked
    messages, parameters = read(body)
    return ChatRequest(
        model=recording.model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        stream=recording.stream,
    )


def conversed(body: Any) -> tuple[list[Any], dict[str, Any]]:
    messages = [turn for wire in body.pop("messages") for turn in turns(wire)]
    if body.get("system"):
        messages.insert(0, {"role": "system", "content": parts(body["system"])})
    body.pop("system", None)
    config = body.pop("inferenceConfig", {})
    parameters = {NAMES[name]: value for name, value in config.items() if value != []}
    more = body.pop("additionalModelRequestFields", {})
    if "inferenceConfig" in more:
        parameters["top_k"] = more["inferenceConfig"]["topK"]
    if thinking := more.get("thinking") or more.get("reasoning_config"):
        parameters["thinking"] = thinking
    offered = body.pop("toolConfig", {})
    if "tools" in offered:
        parameters["tools"] = [function(tool) for tool in offered["tools"]]
    if "toolChoice" in offered:
        parameters["tool_choice"] = {"any": "required"}.get(*[*offered["toolChoice"]] * 2)
    if "outputConfig" in body:
        schema = body.pop("outputConfig")["textFormat"]["structure"]["jsonSchema"]
        described = {**schema, "schema": json.loads(schema["schema"])}
        parameters["response_format"] = {"type": "json_schema", "json_schema": described}
    return messages, {**parameters, **body}


NAMES = {
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}


def function(tool: Any) -> Any:
    if "toolSpec" not in tool:
        return tool
    spec = tool["toolSpec"]
    schema = spec["inputSchema"]["json"]
    described = {k: v for k, v in spec.items() if k != "inputSchema"}
    return {"type": "function", "function": {**described, "parameters": schema}}


def turns(wire: Any) -> Iterator[Any]:
    """One turn of theirs as messages of OpenAI's."""
    for block in wire["content"]:
        if "toolResult" in block:
            result = block["toolResult"]
            answer = {"role": "tool", "tool_call_id": result["toolUseId"]}
            yield {**answer, "content": parts(result["content"])}
    calls = [
        {
            "id": block["toolUse"]["toolUseId"],
            "type": "function",
            "function": {
                "name": block["toolUse"]["name"],
                "arguments": json.dumps(block["toolUse"]["input"]),
            },
        }
        for block in wire["content"]
        if "toolUse" in block
    ]
    rest = [b for b in wire["content"] if "toolUse" not in b and "toolResult" not in b]
    if rest or calls:
        turn = {"role": wire["role"], "content": parts(rest)}
        yield {**turn, "tool_calls": calls} if calls else turn


def parts(blocks: list[Any]) -> list[Any]:
    found: list[Any] = []
    for block in blocks:
        if "cachePoint" in block:
            found[-1]["cache_control"] = {"type": "ephemeral"}
        else:
            found.append(part(block))
    return found


def part(block: Any) -> Any:
    if "text" in block:
        return {"type": "text", "text": block["text"]}
    if "image" in block:
        source, kind = block["image"]["source"], block["image"]["format"]
        data = f"data:image/{kind};base64,{source.get('bytes')}"
        url = source["s3Location"]["uri"] if "s3Location" in source else data
        return {"type": "image_url", "image_url": {"url": url}}
    if "document" in block:
        document = block["document"]
        text = document["source"]["text"].encode()
        data = f"data:text/plain;base64,{b64encode(text).decode()}"
        file = {"filename": f"{document['name']}.txt", "file_data": data}
        return {"type": "file", "file": file, "citations": document["citations"]}
    if "searchResult" in block:
        return {"type": "search_result", **block["searchResult"]}
    return block


def invoked(body: Any) -> tuple[list[Any], dict[str, Any]]:
    messages = [turn for wire in body.pop("messages") for turn in anthropic_turns(wire)]
    if "system" in body:
        messages.insert(0, {"role": "system", "content": body.pop("system")})
    body.pop("anthropic_version")
    parameters: dict[str, Any] = dict(body)
    if "tools" in body:
        parameters["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool["name"],
                    "description": tool["description"],
                    "parameters": tool["input_schema"],
                },
            }
            for tool in body["tools"]
        ]
    if "tool_choice" in body:
        choice = body["tool_choice"]
        named = {"type": "function", "function": {"name": choice.get("name")}}
        parameters["tool_choice"] = "auto" if choice["type"] == "auto" else named
    return messages, parameters


def anthropic_turns(wire: Any) -> Iterator[Any]:
    if isinstance(wire["content"], str):
        yield wire
        return
    calls = []
    rest = []
    for block in wire["content"]:
        if block["type"] == "tool_result":
            answer = {"role": "tool", "tool_call_id": block["tool_use_id"]}
            yield {**answer, "content": block["content"]}
        elif block["type"] == "tool_use":
            made = {"name": block["name"], "arguments": json.dumps(block["input"])}
            calls.append({"id": block["id"], "type": "function", "function": made})
        else:
            rest.append(block)
    if rest or calls:
        turn = {"role": wire["role"], "content": rest}
        yield {**turn, "tool_calls": calls} if calls else turn


def plain(body: Any) -> Any:
    """Without the freedoms that the APIs leave: an empty field is none, a result that is not said
    to be an error is a success, one name of thinking is as good as the other, JSON in a text may
    have blanks, and neighbours of one role are one turn."""
    merged: list[Any] = []
    for turn in body["messages"]:
        blocks = turn["content"]
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1]["content"] += map(plain_block, blocks)
        else:
            merged.append({"role": turn["role"], "content": [plain_block(b) for b in blocks]})
    body = {**body, "messages": merged}
    if isinstance(body.get("system"), str):
        body["system"] = [{"type": "text", "text": body["system"]}]
    if "inferenceConfig" in body:
        config = body["inferenceConfig"]
        body["inferenceConfig"] = {k: v for k, v in config.items() if v != []}
    if "outputConfig" in body:
        schema = body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
        schema["schema"] = json.loads(schema["schema"])
    more = body.get("additionalModelRequestFields", {})
    if "reasoning_config" in more:
        more["thinking"] = more.pop("reasoning_config")
    return {name: value for name, value in body.items() if value not in ([], {})}


def plain_block(block: Any) -> Any:
    if block.get("type") == "tool_result" and isinstance(block.get("content"), str):
        return {**block, "content": [{"type": "text", "text": block["content"]}]}
    if "toolResult" in block:
        result = {k: v for k, v in block["toolResult"].items() if (k, v) != ("status", "success")}
        return {"toolResult": result}
    return block


@pytest.mark.parametrize("recording", REQUESTS, ids=names(REQUESTS))
def test_the_request_that_was_recorded_is_the_request_that_we_send(recording: Recording) -> None:
    request, changes = bedrock.PROVIDER.adapt(canonical(recording))
    assert {change.parameter for change in changes} <= {"stop"}
    api = recording.api.partition("-")[0]
    target = Target(
        provider="bedrock", base_url=bedrock.BASE_URL, options={"region": "us-east-1", "api": api}
    )
    http = bedrock.encode_request(request, target)
    assert http.url.path.endswith("/" + recording.api)
    assert plain(json.loads(http.body)) == plain(recording.request)


def test_what_is_waived_is_still_recorded() -> None:
    found = {recording.name for recording in chosen(lambda r: r.provider == "bedrock")}
    assert not found or set(WAIVED) <= found


# --- Embeddings, and the other door ---------------------------------------------------------------


@pytest.mark.parametrize("recording", VECTORS, ids=names(VECTORS))
def test_recorded_embeddings_are_asked_for_and_read(recording: Recording) -> None:
    body = dict(recording.request)
    given = body.pop("inputText", None) or body.pop("texts")
    dimensions = body.pop("dimensions", None) or body.pop("output_dimension")
    parameters = {**body, "dimensions": dimensions, "encoding_format": "float"}
    request = EmbeddingsRequest(
        model=recording.model,
        input=Raw(json.dumps(given).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
    )
    http = bedrock.encode_embeddings(request, TARGET)
    assert json.loads(http.body) == recording.request
    answer = json.loads(recording.body)
    found = bedrock.bedrock_embeddings.decode(recording.body)
    expected = [answer["embedding"]] if "embedding" in answer else answer["embeddings"]["float"]
    assert found.vectors == expected
    assert found.usage.input_tokens == answer.get("inputTextTokenCount")


@pytest.mark.parametrize("recording", MANTLE, ids=names(MANTLE))
def test_the_other_door_speaks_openais_language(recording: Recording) -> None:
    provider = bedrock_mantle.PROVIDER
    answer = fold(provider.decode_response(recording.body))
    message = json.loads(recording.body)["choices"][0]["message"]
    assert answer.output() == message["content"]
    assert "".join(answer.choices[0].reasoning) == message["reasoning"]
    body = dict(recording.request)
    request = ChatRequest(
        model=body.pop("model"), messages=Raw(json.dumps(body.pop("messages")).encode())
    )
    target = Target(
        provider="bedrock_mantle",
        base_url=provider.base_url or "",
        api_key="k",
        options={"region": "us-east-1"},
    )
    http = provider.encode_request(provider.adapt(request)[0], target)
    assert (http.url.host, http.url.path) == (
        "bedrock-mantle.us-east-1.api.aws",
        "/v1/chat/completions",
    )
    expected = {k: v for k, v in recording.request.items() if k != "stream"}
    assert json.loads(http.body) == expected
