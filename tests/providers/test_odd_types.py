"""Whatever a field is that nobody needs, the text of the answer arrives: every value of a response
of every wire format, replaced in turn by values of other types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from headway.events import Embeddings
from headway.providers import KINDS
from headway.response_accumulator import ResponseAccumulator
from support.for_each import for_each
from support.odd_values import ODD, Path, changed, containers, leaves, value_at, without_positions
from support.wire_scripts import SCRIPTS, TEXT, Pieces, Script

SAID = "".join(TEXT)
NO_NAME = "a tool call without a name"
"""The error of a call that nobody can answer."""
WIRES = for_each("wire", list(SCRIPTS))
Replaced = tuple[Path, Any]


def is_exempt(script: Script, path: Path, value: Any, odd: Any) -> bool:
    """The text itself, and what decides what a text is."""
    name, text = path[-1], json.dumps(value)
    if any(json.dumps(piece) in text for piece in (*TEXT, SAID)):
        return True
    is_scalar = isinstance(odd, str | int | float) and not isinstance(odd, bool)
    return (
        (is_scalar and "content" in path[-2:])  # a piece of text then
        or (is_scalar and name == "text")
        or (name == "type" and odd == "x")
        or (name == "output_index" and odd == 0)  # of another item
        or (name == "error" and bool(odd))
        or (name == "choices" and isinstance(value, list) and bool(value))
        or name in ("thought", "parts")
        or path[-2:-1] == ("parts",)
    )


def replacements(value: Any, script: Script) -> Iterator[Replaced]:
    """Of values in lists of equals, only the first and the last."""
    seen: dict[Any, int] = {}
    for path in [*leaves(value), *containers(value)]:
        old = value_at(value, path)
        key = (without_positions(path), type(old), old if isinstance(old, str) else None)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > 2:
            continue
        for odd in ODD:
            if not is_exempt(script, path, old, odd):
                yield path, odd


def problem(response: ResponseAccumulator) -> str | None:
    usage = response.reported()
    fields = [getattr(usage, name) for name in type(usage).__struct_fields__]
    counts = [count for count in fields if isinstance(count, int | Decimal)]
    if response.failed is not None:
        return repr(response.failed)
    if response.choices[0].joined_text() != SAID:
        return repr(response.choices[0].joined_text())
    if any(count < 0 for count in counts):
        return repr(usage)
    return None


def decode_whole(script: Script, whole: Any) -> ResponseAccumulator:
    response = ResponseAccumulator()
    response.add(KINDS[script.kind].decode_response(json.dumps(whole).encode()))
    return response


def decode_stream(script: Script, data: bytes) -> ResponseAccumulator:
    provider, state, response = KINDS[script.kind], {}, ResponseAccumulator()
    framer = provider.framer()
    for frame in [*framer.feed(data), *framer.end()]:
        response.add(provider.decode_event(frame, state))
    return response


@WIRES
def test_the_text_of_a_whole_response_arrives(wire: str) -> None:
    script = SCRIPTS[wire](Pieces())
    assert problem(decode_whole(script, script.whole)) is None
    problems = []
    for path, odd in replacements(script.whole, script):
        try:
            found = problem(decode_whole(script, changed(script.whole, path, odd)))
        except Exception as raised:
            found = None if str(raised) == NO_NAME else repr(raised)
        if found is not None:
            problems.append((path, odd, found))
    assert problems == []


@WIRES
def test_the_text_of_a_stream_arrives(wire: str) -> None:
    script = SCRIPTS[wire](Pieces())
    assert problem(decode_stream(script, script.streamed())) is None
    written = [script.write(*event) for event in script.events]
    problems, seen = [], set()
    for at, (name, value) in enumerate(script.events):
        for path, odd in replacements(value, script):
            key = (name, without_positions(path), repr(value_at(value, path)), repr(odd))
            if key in seen:
                continue
            seen.add(key)
            event = script.write(name, changed(value, path, odd))
            data = b"".join([*written[:at], event, *written[at + 1 :], script.end])
            try:
                found = problem(decode_stream(script, data))
            except Exception as raised:
                found = None if str(raised) == NO_NAME else repr(raised)
            if found is not None:
                problems.append((name, path, odd, found))
    assert problems == []


@WIRES
def test_events_of_unknown_types_are_passed_over(wire: str) -> None:
    script = SCRIPTS[wire](Pieces())
    unknown = [
        ("new_event", {"type": "new_event", "more": 1}),
        ("", {}),
        ("ping", {"type": "ping"}),
    ]
    events = [one for event in script.events for one in (*unknown, event)]
    if script.content_type == "application/x-ndjson":
        events = [(name, {"created_at": "2026-01-01T00:00:00Z", **one}) for name, one in events]
    assert problem(decode_stream(script, script.streamed(events))) is None


# --- Embeddings -----------------------------------------------------------------------------------

VECTOR = [0.25, 0.5]
OPENAI = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": VECTOR}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 5, "total_tokens": 5, "cost": 0.1},
}
GOOGLE_COUNTS = {"promptTokenCount": 5, "promptTokensDetails": [{"modality": 1, "tokenCount": 5}]}
PREDICTED = {"values": VECTOR, "statistics": {"token_count": 5, "truncated": False}}
EMBEDDINGS: list[tuple[str, dict[str, Any]]] = [
    ("openai", OPENAI),
    ("mistral", OPENAI),
    ("openrouter", OPENAI),
    ("perplexity", OPENAI),
    ("azure_openai", OPENAI),
    ("openai_responses", OPENAI),
    ("gemini", {"embeddings": [{"values": VECTOR}], "usageMetadata": GOOGLE_COUNTS}),
    ("vertex", {"predictions": [{"embeddings": PREDICTED}], "metadata": {"billable": 5}}),
    ("vertex", {"embedding": {"values": VECTOR}, "usageMetadata": GOOGLE_COUNTS}),
    (
        "cohere",
        {
            "id": "1",
            "embeddings": {"float": [VECTOR]},
            "meta": {"billed_units": {"input_tokens": 5}},
        },
    ),
    ("bedrock", {"embedding": VECTOR, "inputTextTokenCount": 5}),
    ("bedrock", {"embeddings": {"float": [VECTOR]}, "id": "1", "response_type": "x"}),
    ("ollama", {"model": "e", "embeddings": [VECTOR], "total_duration": 1, "prompt_eval_count": 5}),
    ("ollama", OPENAI),
]


def decode_embeddings(kind: str, value: Any) -> Embeddings:
    decode = KINDS[kind].decode_embeddings
    assert decode is not None
    return decode(json.dumps(value).encode())


@for_each(("kind", "response"), EMBEDDINGS)
def test_the_vectors_arrive(kind: str, response: dict[str, Any]) -> None:
    assert decode_embeddings(kind, response).vectors == [VECTOR]
    problems = []
    for path in [*leaves(response), *containers(response)]:
        if any(str(number) in json.dumps(value_at(response, path)) for number in VECTOR):
            continue
        for odd in ODD:
            try:
                found = decode_embeddings(kind, changed(response, path, odd))
            except Exception as raised:
                problems.append((path, odd, repr(raised)))
                continue
            count = found.usage.input_tokens
            if found.vectors != [VECTOR] or (count is not None and count < 0):
                problems.append((path, odd, repr(found)))
    assert problems == []


# --- Lists of models ------------------------------------------------------------------------------

OPENAI_ROW = {"id": "a", "object": "model", "created": 1757876416, "owned_by": "x"}
OPENAI_LIST = {"object": "list", "data": [OPENAI_ROW, {**OPENAI_ROW, "id": "b"}]}
ARCHITECTURE = {"input_modalities": ["text"], "output_modalities": ["text"]}
ROUTED_ROW = {
    **OPENAI_ROW,
    "context_length": 9,
    "architecture": ARCHITECTURE,
    "pricing": {"prompt": "0.1", "completion": "0.2"},
    "providers": [{"context_length": 9}],
    "capabilities": {"completion_chat": True, "vision": True},
}
GOOGLE_ROW = {
    "name": "models/a",
    "inputTokenLimit": 9,
    "supportedGenerationMethods": ["generateContent"],
}
COHERE_ROW = {"name": "a", "context_length": 9, "endpoints": ["chat"], "is_deprecated": False}
BEDROCK_ROW = {
    "modelId": "a",
    "inputModalities": ["TEXT"],
    "outputModalities": ["TEXT"],
    "inferenceTypesSupported": ["ON_DEMAND"],
    "modelLifecycle": {"status": "ACTIVE"},
}
PROFILE = {"inferenceProfileId": "a", "type": "SYSTEM_DEFINED"}
CLOUDFLARE_ROW = {
    "name": "a",
    "task": {"name": "Text Generation"},
    "properties": [{"property_id": "context_window", "value": "9"}],
}
PUBLISHED = "publishers/google/models/gemini-a"
MODEL_LISTS: list[tuple[str, dict[str, Any]]] = [
    ("openai", OPENAI_LIST),
    ("openrouter", {"data": [ROUTED_ROW, {**ROUTED_ROW, "id": "b"}]}),
    ("mistral", OPENAI_LIST),
    ("anthropic", {"data": [{"id": "a"}, {"id": "b"}], "has_more": False, "last_id": "b"}),
    ("gemini", {"models": [GOOGLE_ROW, {**GOOGLE_ROW, "name": "models/b"}], "nextPageToken": "t"}),
    ("cohere", {"models": [COHERE_ROW, {**COHERE_ROW, "name": "b"}], "next_page_token": "t"}),
    ("bedrock", {"modelSummaries": [BEDROCK_ROW, {**BEDROCK_ROW, "modelId": "b"}]}),
    (
        "bedrock",
        {"inferenceProfileSummaries": [PROFILE, {**PROFILE, "inferenceProfileId": "b"}]},
    ),
    ("vertex", {"publisherModels": [{"name": PUBLISHED}, {"name": PUBLISHED[:-1] + "b"}]}),
    ("ollama", {"models": [{"name": "a", "model": "a", "size": 1}, {"name": "b", "model": "b"}]}),
    (
        "cloudflare",
        {"result": [CLOUDFLARE_ROW, {**CLOUDFLARE_ROW, "name": "b"}], "result_info": {"page": 1}},
    ),
    ("databricks", {"endpoints": [{"name": "a", "task": "llm/v1/chat"}, {"name": "b"}]}),
]


@for_each(("kind", "listed"), MODEL_LISTS)
def test_the_other_models_are_listed(kind: str, listed: dict[str, Any]) -> None:
    how = KINDS[kind].list_models
    assert how is not None
    problems = []
    for path in [*leaves(listed), *containers(listed)]:
        if len(path) == 1 and isinstance(listed[path[0]], list):
            continue
        for odd in ODD:
            page = how.decode(json.dumps(changed(listed, path, odd)).encode())
            names = {model.id[-1] for model in page.models}
            other = "b" if path[1:2] == (0,) else "a"
            if other not in names:
                problems.append((path, odd, names))
            if not isinstance(page.more, str | None):
                problems.append((path, odd, page.more))
    assert problems == []
