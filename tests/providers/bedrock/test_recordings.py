"""Recorded responses of Amazon Bedrock are decoded."""

from __future__ import annotations

import json
import struct
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from headway import errors
from headway.events import Event, Finished, Started, UsageReported
from headway.providers.bedrock.errors import decode_error
from headway.providers.bedrock.provider import PROVIDER
from headway.providers.bedrock.response import decode_response
from support.bedrock_recordings import is_chat
from support.recording_decoder import fold, read
from support.recordings import Recording, chosen, each

ANSWERS = chosen(lambda r: is_chat(r) and r.status == 200)
CONVERSED = [recording for recording in ANSWERS if recording.api.startswith("converse")]
INVOKED = [recording for recording in ANSWERS if recording.api.startswith("invoke")]
STREAMS = [recording for recording in ANSWERS if recording.stream]
REFUSALS = chosen(lambda r: r.provider == "bedrock" and r.status != 200)


def events(recording: Recording, size: int | None = None) -> list[Event]:
    """The events of the adapter, from chunks of ``size`` bytes or from one chunk."""
    return read(PROVIDER, recording, *(recording.cut(size) if size else [recording.body]))


# --- Reference decoder: offsets, JSON, concatenation ----------------------------------------------


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
    """The whole response of Converse; that of a stream is assembled from its events."""
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
    """The block in the form of a whole response."""
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


@each(ANSWERS)
def test_a_recorded_response_starts_finishes_reports_usage_and_ends(recording: Recording) -> None:
    found = events(recording)
    answer = fold(found)
    assert answer.failed is None
    assert answer.is_finished
    assert answer.done
    assert type(found[0]) is Started
    kinds = [type(event) for event in found]
    assert kinds.index(Finished) < len(kinds) - kinds[::-1].index(UsageReported) - 1


@each(CONVERSED)
def test_text_and_finish_reason_of_a_recorded_response_are_decoded(recording: Recording) -> None:
    choice, whole = fold(events(recording)).choices[0], whole_of(recording)
    assert "".join(choice.text) == "".join(said(block) for block in content(recording))
    assert choice.finish_reason == REASONS[whole["stopReason"]]


@each(CONVERSED)
def test_the_tool_calls_of_a_recorded_response_are_decoded(recording: Recording) -> None:
    tools = fold(events(recording)).choices[0].tools
    made = [(t.id, t.name, json.loads("".join(t.arguments))) for t in tools.values()]
    calls = [b["toolUse"] for b in content(recording) if "toolUse" in b]
    ours = [call for call in calls if "type" not in call]
    assert made == [(call["toolUseId"], call["name"], call["input"]) for call in ours]


@each(CONVERSED)
def test_recorded_reasoning_is_decoded_with_its_signature(recording: Recording) -> None:
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


@each(CONVERSED)
def test_all_content_of_a_recorded_response_is_decoded(recording: Recording) -> None:
    """Blocks of server tools, and citations with the span of their text."""
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


@each(CONVERSED)
def test_input_tokens_of_a_recorded_response_include_cached_tokens(recording: Recording) -> None:
    counted = whole_of(recording)["usage"]
    seen = fold(events(recording)).usage
    assert seen is not None
    assert seen.usage.output_tokens == counted["outputTokens"]
    assert seen.usage.input_tokens == counted["totalTokens"] - counted["outputTokens"]
    assert seen.usage.cache_read_tokens == counted.get("cacheReadInputTokens")
    assert seen.usage.cache_write_tokens == counted.get("cacheWriteInputTokens")
    assert seen.openai_usage["total_tokens"] == counted["totalTokens"]
    assert seen.openai_usage["prompt_tokens"] == seen.usage.input_tokens


@each(STREAMS)
def test_chunk_sizes_do_not_change_the_events_of_a_recorded_stream(recording: Recording) -> None:
    whole = events(recording)
    assert events(recording, 1) == whole
    assert events(recording, 1000) == whole


CONVERSED_STREAMS = [recording for recording in CONVERSED if recording.stream]


@each(CONVERSED_STREAMS)
def test_a_recorded_stream_and_its_whole_response_give_the_same_events(
    recording: Recording,
) -> None:
    streamed = fold(events(recording))
    whole = fold(decode_response(json.dumps(whole_of(recording)).encode()))
    one, other = streamed.choices[0].message(), whole.choices[0].message()
    for calls in (one["tool_calls"], other["tool_calls"]):
        for call in calls or ():  # a model writes its JSON with blanks
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    assert one == other
    assert streamed.usage == whole.usage
    assert streamed.finish_reason == whole.finish_reason


@each(INVOKED)
def test_a_response_of_invoke_is_decoded_from_the_format_of_the_model(recording: Recording) -> None:
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
    "This model doesn't support the s3Uri field": errors.UpstreamUnsupported,
    "The model returned the following errors: Input Tokens": errors.UpstreamContextWindow,
    "The security token included in the request is expired": errors.UpstreamAuth,
    "The security token included in the request is invalid.": errors.UpstreamAuth,
    "This model version has reached the end of its life.": errors.UpstreamNotFound,
    "You don't have access to the model": errors.UpstreamNotFound,
}


@each(REFUSALS)
def test_a_recorded_error_response_keeps_the_providers_message(recording: Recording) -> None:
    error = decode_error(recording.status, recording.headers, recording.body)
    message = json.loads(recording.body)["message"]
    assert error.message == message
    assert type(error) is next(c for start, c in CLASSES.items() if message.startswith(start))
    assert not error.retryable
    headers = {name: value.decode() for name, value in recording.headers}
    assert error.request_id == headers.get(b"x-amzn-requestid")
    code = headers.get(b"x-amzn-errortype", "").partition(":")[0]
    is_too_long = type(error) is errors.UpstreamContextWindow
    assert (error.code or "") == ("context_length_exceeded" if is_too_long else code)
