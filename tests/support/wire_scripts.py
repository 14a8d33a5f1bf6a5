"""One response with reasoning, text and a tool call in every wire format, whole and as the events
of a stream, with the optional fields that providers send. The pieces of its texts are arguments,
and the values are parsed JSON, so that tests can change any of them.

Written from each provider's documentation; 11 tokens in, 7 out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from support.event_stream_messages import encode_message

JSON, SSE, NDJSON = "application/json", "text/event-stream", "application/x-ndjson"
EVENT_STREAM = "application/vnd.amazon.eventstream"
DONE = b"data: [DONE]\n\n"
TEXT, THOUGHT, ARGUMENTS = ("Hello", " there"), ("Let", " me"), ('{"city":', '"Bonn"}')
Value = dict[str, Any]
Event = tuple[str, Value]
"""The event's name, or empty, and its data."""


class ToolCall(NamedTuple):
    """A tool call of a response, its arguments in pieces."""

    id: str
    name: str
    arguments: Sequence[str]


class Pieces(NamedTuple):
    """What the response says, in pieces. No pieces: it has nothing of the kind."""

    text: Sequence[str] = TEXT
    thought: Sequence[str] = THOUGHT
    arguments: Sequence[str] = ARGUMENTS
    """Of a call of the tool ``weather``."""
    calls: Sequence[ToolCall] | None = None
    """The calls, instead of that one."""

    def tool_calls(self, call_id: str) -> Sequence[ToolCall]:
        """``call_id``: the one of the call of ``weather``."""
        if self.calls is not None:
            return self.calls
        return [ToolCall(call_id, "weather", self.arguments)] if self.arguments else []


class Script(NamedTuple):
    """One response of a wire format."""

    kind: str
    """The kind of provider."""
    whole: Value
    events: list[Event]
    write: Callable[[str, Value], bytes]
    """One event as bytes."""
    content_type: str
    end: bytes = b""

    def streamed(self, events: Sequence[Event] | None = None) -> bytes:
        written = (self.write(*event) for event in (self.events if events is None else events))
        return b"".join(written) + self.end


def write_data(name: str, value: Value) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def write_named(name: str, value: Value) -> bytes:
    return f"event: {name}\ndata: {json.dumps(value)}\n\n".encode()


def write_line(name: str, value: Value) -> bytes:
    return json.dumps(value).encode() + b"\n"


def write_message(name: str, value: Value) -> bytes:
    headers = {":event-type": name, ":content-type": JSON, ":message-type": "event"}
    return encode_message(headers, json.dumps(value).encode())


def write_chunk(name: str, value: Value) -> bytes:
    inner = b64encode(json.dumps(value).encode()).decode()
    return write_message("chunk", {"bytes": inner, "p": "abc"})


def typed(*values: Value) -> list[Event]:
    """Events that are named by their type."""
    return [(value["type"], value) for value in values]


# --- OpenAI ---------------------------------------------------------------------------------------

OPENAI_USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
}
LOGPROBS = {
    "content": [{"token": "Hi", "logprob": -0.5, "bytes": [72], "top_logprobs": []}],
    "refusal": None,
}
LINK = {"url": "https://a.example", "title": "A", "start_index": 0, "end_index": 5}
CITED = {"type": "url_citation", "url_citation": LINK}


def openai(kind: str, pieces: Pieces, **more: Any) -> Script:
    def choices(name: str, value: Value, finish: str | None, logprobs: Any = None) -> list[Value]:
        return [{"index": 0, name: value, "logprobs": logprobs, "finish_reason": finish}]

    def chunk(delta: Value | None, finish: str | None = None, **fields: Any) -> Event:
        found = [] if delta is None else choices("delta", delta, finish, fields.pop("logs", None))
        return "", {**head, "object": "chat.completion.chunk", "choices": found, **fields}

    def call(index: int, arguments: str) -> Value:
        function = {"name": calls[index].name, "arguments": arguments}
        return {"index": index, "id": calls[index].id, "type": "function", "function": function}

    calls = pieces.tool_calls("call_1")
    head: Value = {
        "id": "chatcmpl-1",
        "created": 1757876416,
        "model": "gpt-4o",
        "system_fingerprint": "fp_1",
        "service_tier": "default",
        **more,
    }
    deltas: list[Event] = [chunk({"role": "assistant", "content": "", "refusal": None})]
    deltas += [chunk({"reasoning_content": piece}) for piece in pieces.thought]
    deltas += [chunk({"content": piece}, logs=LOGPROBS) for piece in pieces.text]
    for index, made in enumerate(calls):
        deltas.append(chunk({"tool_calls": [call(index, "")]}))
        for piece in made.arguments:
            part = {"index": index, "function": {"arguments": piece}}
            deltas.append(chunk({"tool_calls": [part]}))
    reason = "tool_calls" if calls else "stop"
    message = {
        "role": "assistant",
        "content": "".join(pieces.text),
        "reasoning_content": "".join(pieces.thought) or None,
        "refusal": None,
        "annotations": [CITED],
        "tool_calls": [call(at, "".join(made.arguments)) for at, made in enumerate(calls)] or None,
    }
    whole = {
        **head,
        "object": "chat.completion",
        "choices": choices("message", message, reason, LOGPROBS),
        "usage": OPENAI_USAGE,
    }
    events = [
        *deltas,
        chunk({"annotations": [CITED]}, reason),
        chunk(None, usage=OPENAI_USAGE),
    ]
    return Script(kind, whole, events, write_data, SSE, DONE)


def azure(pieces: Pieces) -> Script:
    filtered = {"hate": {"filtered": False, "severity": "safe"}}
    found = openai("azure_openai", pieces)
    first = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [],
        "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": filtered}],
    }
    for _, value in found.events:
        for choice in value["choices"]:
            choice["content_filter_results"] = filtered
    return found._replace(events=[("", first), *found.events])


def mistral(pieces: Pieces) -> Script:
    found = openai("mistral", pieces)
    for _, value in found.events:
        for choice in value["choices"]:
            thought = choice["delta"].pop("reasoning_content", None)
            if thought is not None:
                inner = [{"type": "text", "text": thought}]
                choice["delta"]["content"] = [{"type": "thinking", "thinking": inner}]
    message = found.whole["choices"][0]["message"]
    inner = [{"type": "text", "text": message.pop("reasoning_content")}]
    thinking = [{"type": "thinking", "thinking": inner}] if pieces.thought else []
    message["content"] = [*thinking, {"type": "text", "text": message["content"]}]
    return found


def openrouter(pieces: Pieces) -> Script:
    found = openai("openrouter", pieces, provider="Some")
    for _, value in found.events:
        for choice in value["choices"]:
            thought = choice["delta"].pop("reasoning_content", None)
            if thought is not None:
                detail = {"type": "reasoning.text", "text": thought, "index": 0, "format": None}
                choice["delta"] |= {"reasoning": thought, "reasoning_details": [detail]}
    message = found.whole["choices"][0]["message"]
    message["reasoning"] = message.pop("reasoning_content")
    usage = {**OPENAI_USAGE, "cost": 0.25, "cost_details": {"upstream_inference_cost": None}}
    found.whole["usage"] = found.events[-1][1]["usage"] = usage
    return found


def perplexity(pieces: Pieces) -> Script:
    page = {"url": "https://a.example", "title": "A", "date": None}
    return openai("perplexity", pieces, citations=[page["url"]], search_results=[page])


# --- Anthropic ------------------------------------------------------------------------------------


def anthropic_blocks(pieces: Pieces) -> list[tuple[Value, list[Value], Value]]:
    """Of each block: how it begins, its deltas, and what it is at its end."""
    text, thought = "".join(pieces.text), "".join(pieces.thought)
    where = {"url": "https://a.example", "title": "A", "encrypted_index": "E", "cited_text": "B"}
    cited = {"type": "web_search_result_location", **where}
    blocks: list[tuple[Value, list[Value], Value]] = []
    if pieces.thought:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces.thought]
        signed = {"type": "signature_delta", "signature": "S"}
        begun = {"type": "thinking", "thinking": "", "signature": ""}
        blocks.append((begun, [*deltas, signed], {"thinking": thought, "signature": "S"}))
    if pieces.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces.text]
        cites = {"type": "citations_delta", "citation": cited}
        begun = {"type": "text", "text": "", "citations": None}
        blocks.append((begun, [*deltas, cites], {"text": text, "citations": [cited]}))
    for call in pieces.tool_calls("toolu_1"):
        deltas = [{"type": "input_json_delta", "partial_json": one} for one in call.arguments]
        begun = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        blocks.append((begun, deltas, {"input": _parsed(call.arguments)}))
    return blocks


def _parsed(pieces: Sequence[str]) -> Any:
    arguments = "".join(pieces)
    try:
        return json.loads(arguments)
    except ValueError:
        return {"city": arguments}


def anthropic(kind: str, pieces: Pieces, write: Callable[[str, Value], bytes]) -> Script:
    blocks = anthropic_blocks(pieces)
    usage = {
        "input_tokens": 8,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 7,
        "service_tier": "standard",
    }
    reason = "tool_use" if pieces.tool_calls("") else "end_turn"
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{**begun, **ended} for begun, _, ended in blocks],
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
    }
    first = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    values: list[Value] = [{"type": "message_start", "message": first}, {"type": "ping"}]
    for index, (begun, deltas, _) in enumerate(blocks):
        values.append({"type": "content_block_start", "index": index, "content_block": begun})
        values += [
            {"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas
        ]
        values.append({"type": "content_block_stop", "index": index})
    stop = {"stop_reason": reason, "stop_sequence": None}
    values.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 7}})
    values.append({"type": "message_stop"})
    content_type = SSE if write is write_named else EVENT_STREAM
    return Script(kind, message, typed(*values), write, content_type)


# --- Bedrock --------------------------------------------------------------------------------------


def converse(pieces: Pieces) -> Script:
    text, thought = "".join(pieces.text), "".join(pieces.thought)
    blocks: list[tuple[Value | None, list[Value], Value]] = []
    if pieces.thought:
        deltas = [{"reasoningContent": {"text": piece}} for piece in pieces.thought]
        whole = {"reasoningText": {"text": thought, "signature": "S"}}
        signed = {"reasoningContent": {"signature": "S"}}
        blocks.append((None, [*deltas, signed], {"reasoningContent": whole}))
    if pieces.text:
        blocks.append((None, [{"text": piece} for piece in pieces.text], {"text": text}))
    for call in pieces.tool_calls("t1"):
        use = {"toolUseId": call.id, "name": call.name}
        deltas = [{"toolUse": {"input": piece}} for piece in call.arguments]
        ended = {"toolUse": {**use, "input": _parsed(call.arguments)}}
        blocks.append(({"toolUse": use}, deltas, ended))
    usage = {
        "inputTokens": 8,
        "outputTokens": 7,
        "totalTokens": 18,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 0,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 0}],
    }
    reason = "tool_use" if pieces.tool_calls("") else "end_turn"
    tier = {"type": "default"}
    message = {"role": "assistant", "content": [ended for _, _, ended in blocks]}
    whole_response = {
        "output": {"message": message},
        "stopReason": reason,
        "usage": usage,
        "metrics": {"latencyMs": 12},
        "serviceTier": tier,
    }
    events: list[Event] = [("messageStart", {"role": "assistant"})]
    for index, (begun, deltas, _) in enumerate(blocks):
        at = {"contentBlockIndex": index}
        events += [] if begun is None else [("contentBlockStart", {**at, "start": begun})]
        events += [("contentBlockDelta", {**at, "delta": delta}) for delta in deltas]
        events.append(("contentBlockStop", at))
    events.append(("messageStop", {"stopReason": reason, "additionalModelResponseFields": None}))
    more = {"metrics": {"latencyMs": 12}, "serviceTier": tier}
    events.append(("metadata", {"usage": usage, **more}))
    return Script("bedrock", whole_response, events, write_message, EVENT_STREAM)


# --- Gemini ---------------------------------------------------------------------------------------


def gemini(kind: str, pieces: Pieces) -> Script:
    counts = {
        "promptTokenCount": 11,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 18,
        "cachedContentTokenCount": 3,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 11}],
        "serviceTier": "standard",
    }
    web = {"uri": "https://a.example", "title": "A"}
    grounding = {
        "webSearchQueries": ["a"],
        "groundingChunks": [{"web": web}],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 5, "text": "Hello"},
                "groundingChunkIndices": [0],
            }
        ],
    }
    logprobs = {
        "chosenCandidates": [{"token": "Hi", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -0.5}]}],
    }

    def chunk(parts: list[Value], **fields: Any) -> Value:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **fields}
        return {
            "candidates": [candidate],
            "usageMetadata": counts,
            "modelVersion": "gemini-2.5-pro",
            "responseId": "r1",
        }

    last: Value = {
        "finishReason": "STOP",
        "finishMessage": None,
        "groundingMetadata": grounding,
        "logprobsResult": logprobs,
        "citationMetadata": {"citationSources": [{"startIndex": 0, "endIndex": 5, **web}]},
    }
    thoughts = [{"text": piece, "thought": True} for piece in pieces.thought]
    texts = [{"text": piece} for piece in pieces.text]
    calls: list[Value] = []
    for call in pieces.tool_calls("c1"):
        function = {"id": call.id, "name": call.name, "args": _parsed(call.arguments)}
        # The first of parallel calls is signed: ai.google.dev/gemini-api/docs/thought-signatures.
        signed = {} if calls else {"thoughtSignature": "c2ln"}
        calls.append({"functionCall": function, **signed})
    parts = [*thoughts, *texts, *calls]
    events: list[Event] = [("", chunk([part])) for part in parts]
    events.append(("", chunk([{"text": "", "thoughtSignature": "c2ln"}], **last)))
    return Script(kind, chunk(parts, **last), events, write_data, SSE)


# --- Cohere ---------------------------------------------------------------------------------------


def cohere(pieces: Pieces) -> Script:
    text, thought = "".join(pieces.text), "".join(pieces.thought)
    made = pieces.tool_calls("c1")
    usage = {
        "billed_units": {"input_tokens": 11, "output_tokens": 7},
        "tokens": {"input_tokens": 11, "output_tokens": 7, "reasoning_tokens": 2},
        "cached_tokens": 3,
    }
    source = {"type": "document", "id": "d", "document": {"url": "https://a.example"}}
    citation = {"start": 0, "end": 5, "text": "Hello", "sources": [source], "content_index": 0}
    logprobs = {"text": "Hello", "token_ids": [1], "logprobs": [-0.5]}

    def call(of: ToolCall, arguments: str) -> Value:
        return {
            "id": of.id,
            "type": "function",
            "function": {"name": of.name, "arguments": arguments},
        }

    message: Value = {
        "role": "assistant",
        "content": [
            *([{"type": "thinking", "thinking": thought}] if pieces.thought else []),
            *([{"type": "text", "text": text}] if pieces.text else []),
        ],
        **({"tool_plan": "I plan."} if made else {}),
        "tool_calls": [call(each, "".join(each.arguments)) for each in made],
        "citations": [citation],
    }
    reason = "TOOL_CALL" if made else "COMPLETE"
    whole = {
        "id": "co-1",
        "message": message,
        "finish_reason": reason,
        "usage": usage,
        "logprobs": [logprobs],
    }

    def event(kind: str, index: int | None = None, **fields: Any) -> Value:
        at = {} if index is None else {"index": index}
        return {"type": kind, **at, "delta": {"message": fields}}

    values: list[Value] = [{"id": "co-1", **event("message-start", role="assistant")}]
    index = 0
    for name, kind in ((pieces.thought, "thinking"), (pieces.text, "text")):
        if not name:
            continue
        values.append(event("content-start", index, content={"type": kind, kind: ""}))
        for piece in name:
            logs = {"logprobs": logprobs} if kind == "text" else {}
            values.append({**event("content-delta", index, content={kind: piece}), **logs})
        values.append({"type": "content-end", "index": index})
        index += 1
    if made:
        values.append(event("tool-plan-delta", tool_plan="I plan."))
    for at, each in enumerate(made):
        values.append(event("tool-call-start", at, tool_calls=call(each, "")))
        values += [
            event("tool-call-delta", at, tool_calls={"function": {"arguments": piece}})
            for piece in each.arguments
        ]
        values.append({"type": "tool-call-end", "index": at})
    values.append(event("citation-start", 0, citations=citation))
    values.append({"type": "citation-end", "index": 0})
    values.append({"type": "message-end", "delta": {"finish_reason": reason, "usage": usage}})
    return Script("cohere", whole, typed(*values), write_named, SSE, DONE)


# --- Responses ------------------------------------------------------------------------------------


def opened_part(name: str, at: Value, part: Value, deltas: list[Value]) -> list[Value]:
    """The events of a part of an item, around its deltas."""
    empty = {**part, "text": "", **({"annotations": []} if "annotations" in part else {})}
    done = {"type": deltas[0]["type"].removesuffix("delta") + "done", "text": part["text"]}
    return [
        {"type": f"{name}.added", **at, "part": empty},
        *deltas,
        {**done, **at},
        {"type": f"{name}.done", **at, "part": part},
    ]


def responses_items(pieces: Pieces) -> list[tuple[Value, list[Value], Value]]:
    text, thought = "".join(pieces.text), "".join(pieces.thought)
    items: list[tuple[Value, list[Value], Value]] = []
    if pieces.thought:
        at = {"type": "response.reasoning_summary_text.delta", "summary_index": 0}
        begun = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "E"}
        ended = {"summary": [{"type": "summary_text", "text": thought}]}
        deltas = [{**at, "delta": piece} for piece in pieces.thought]
        part = {"type": "summary_text", "text": thought}
        at = {"item_id": "rs_1", "summary_index": 0}
        deltas = opened_part("response.reasoning_summary_part", at, part, deltas)
        items.append((begun, deltas, ended))
    if pieces.text:
        at = {"type": "response.output_text.delta", "content_index": 0, "item_id": "msg_1"}
        begun = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
        cited = {"type": "url_citation", **LINK}
        logs = [{"token": "Hi", "logprob": -0.5, "bytes": [72], "top_logprobs": []}]
        part = {"type": "output_text", "text": text, "annotations": [cited], "logprobs": logs}
        deltas = [{**at, "delta": piece, "logprobs": logs} for piece in pieces.text]
        at = {"item_id": "msg_1", "content_index": 0}
        deltas = opened_part("response.content_part", at, part, deltas)
        items.append((begun, deltas, {"status": "completed", "content": [part]}))
    for number, call in enumerate(pieces.tool_calls("call_1"), 1):
        item_id = f"fc_{number}"
        at = {"type": "response.function_call_arguments.delta", "item_id": item_id}
        begun = {"type": "function_call", "id": item_id, "call_id": call.id, "name": call.name}
        deltas = [{**at, "delta": piece} for piece in call.arguments]
        ended = {"arguments": "".join(call.arguments), "status": "completed"}
        done = {"type": "response.function_call_arguments.done", "item_id": item_id, **ended}
        deltas.append({**done, "name": call.name})
        items.append(({**begun, "arguments": ""}, deltas, ended))
    return items


def responses(pieces: Pieces) -> Script:
    items = responses_items(pieces)
    head = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1757876416,
        "model": "gpt-5",
        "service_tier": "default",
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "output": [],
        "usage": None,
    }
    usage = {
        "input_tokens": 11,
        "input_tokens_details": {"cached_tokens": 3},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 18,
    }
    output = [{**begun, **ended} for begun, _, ended in items]
    whole = {**head, "status": "completed", "output": output, "usage": usage}
    values: list[Value] = [
        {"type": "response.created", "response": head},
        {"type": "response.in_progress", "response": head},
    ]
    for index, (begun, deltas, ended) in enumerate(items):
        at = {"output_index": index}
        values.append({"type": "response.output_item.added", **at, "item": begun})
        values += [{**delta, **at} for delta in deltas]
        values.append({"type": "response.output_item.done", **at, "item": {**begun, **ended}})
    values.append({"type": "response.completed", "response": whole})
    numbered = [{**value, "sequence_number": at} for at, value in enumerate(values)]
    return Script("openai_responses", whole, typed(*numbered), write_named, SSE)


# --- Ollama ---------------------------------------------------------------------------------------


def ollama(pieces: Pieces) -> Script:
    head = {"model": "llama", "created_at": "2026-01-01T00:00:00Z"}
    end = {
        "done": True,
        "done_reason": "stop",
        "total_duration": 1000,
        "load_duration": 100,
        "prompt_eval_count": 11,
        "prompt_eval_duration": 100,
        "eval_count": 7,
        "eval_duration": 100,
    }
    calls = [
        {"id": call.id, "function": {"name": call.name, "arguments": _parsed(call.arguments)}}
        for call in pieces.tool_calls("c1")
    ]
    logprobs = [{"token": "Hi", "logprob": -0.5, "bytes": [72]}]

    def line(done: bool, **message: Any) -> Value:
        return {**head, "message": {"role": "assistant", **message}, "done": done}

    text, thought = "".join(pieces.text), "".join(pieces.thought)
    said = {"content": text, "thinking": thought, "tool_calls": calls}
    whole = {**line(True, **said), **end, "logprobs": logprobs}
    values = [line(False, content="", thinking=piece) for piece in pieces.thought]
    values += [{**line(False, content=piece), "logprobs": logprobs} for piece in pieces.text]
    values += [line(False, content="", tool_calls=[one]) for one in calls]
    values.append({**line(True, content=""), **end})
    return Script("ollama", whole, [("", value) for value in values], write_line, NDJSON)


SCRIPTS: dict[str, Callable[[Pieces], Script]] = {
    "openai": lambda pieces: openai("openai", pieces),
    "deepseek": lambda pieces: openai("deepseek", pieces),
    "azure": azure,
    "mistral": mistral,
    "openrouter": openrouter,
    "perplexity": perplexity,
    "anthropic": lambda pieces: anthropic("anthropic", pieces, write_named),
    "vertex_anthropic": lambda pieces: anthropic("vertex_anthropic", pieces, write_named),
    "bedrock": converse,
    "bedrock_invoke": lambda pieces: anthropic("bedrock", pieces, write_chunk),
    "gemini": lambda pieces: gemini("gemini", pieces),
    "vertex": lambda pieces: gemini("vertex", pieces),
    "cohere": cohere,
    "openai_responses": responses,
    "ollama": ollama,
    "ollama_openai": lambda pieces: openai("ollama", pieces),
}
"""By the name of the test. Every wire format, and adapters that change its responses."""
