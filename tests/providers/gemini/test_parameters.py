"""What Google's models do not take as OpenAI says it, and that all of it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw

from headway.errors import RequestError
from headway.providers.gemini import provider as gemini
from headway.providers.gemini.json_schema import Cleaner
from headway.providers.vertex import gemini as vertex
from headway.types import ChatRequest

HI = [{"role": "user", "content": "Hi"}]
NONE: dict[str, Any] = {}
FLASH = "gemini-2.5-flash"


def adapt(
    parameters: dict[str, Any],
    model: str = FLASH,
    messages: Any = HI,
    provider: Any = gemini.PROVIDER,
    uses_default_parameters: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    request = ChatRequest(
        model=model,
        messages=Raw(json.dumps(messages).encode()),
        parameters={name: Raw(json.dumps(value).encode()) for name, value in parameters.items()},
        uses_default_parameters=uses_default_parameters,
    )
    adapted, changes = provider.adapt(request)
    assert adapted.messages == request.messages
    kept = {name: json.loads(bytes(raw)) for name, raw in adapted.parameters.items()}
    return kept, [str(change) for change in changes]


KEPT: list[dict[str, Any]] = [
    {"temperature": 1, "top_p": 0.5, "top_k": 3, "max_tokens": 5, "seed": 1, "n": 2},
    {"logprobs": True, "top_logprobs": 2, "stop": ["a"]},
    {"tool_choice": "auto", "store": True, "safetySettings": [], "thinkingConfig": {"x": 1}},
    {"modalities": ["text", "audio"], "audio": {"voice": "Kore", "format": "pcm16"}},
    {"audio": {"voice": "Kore"}},
    {"tools": [{"googleSearch": {}}, {"type": "function", "function": {"name": "f"}}]},
    {"response_format": {"type": "json_object"}},
]


@pytest.mark.parametrize("given", KEPT, ids=[str(given)[:60] for given in KEPT])
def test_what_the_wire_can_carry_is_left_alone(given: dict[str, Any]) -> None:
    assert adapt(given) == (given, [])


VOID: list[dict[str, Any]] = [
    {"temperature": None, "logit_bias": None, "tools": None},
    {"frequency_penalty": 0, "presence_penalty": 0.0, "repetition_penalty": 1, "min_p": 0},
    {"parallel_tool_calls": True, "logprobs": False, "modalities": ["text"]},
    {"verbosity": "medium", "service_tier": "auto", "stream_options": {"include_usage": True}},
]


@pytest.mark.parametrize("given", VOID, ids=[str(given)[:60] for given in VOID])
def test_what_asks_for_nothing_goes_without_a_word(given: dict[str, Any]) -> None:
    assert adapt(given) == ({}, [])


ABSENT = "generateContent has no such parameter"
CHANGED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"logit_bias": {"1": 2}}, NONE, [f"dropped logit_bias: {ABSENT}"]),
    ({"user": "u"}, NONE, [f"dropped user: {ABSENT}"]),
    (
        {"parallel_tool_calls": False},
        NONE,
        ["dropped parallel_tool_calls: the model may always call several at once"],
    ),
    (
        {"presence_penalty": 1},
        NONE,
        [f"dropped presence_penalty: {FLASH} does not take it"],
    ),
    ({"service_tier": "flex"}, {"serviceTier": "flex"}, []),
    ({"service_tier": "default"}, {"serviceTier": "standard"}, []),
    ({"service_tier": "scale"}, NONE, ["dropped service_tier: there is no tier scale"]),
    (
        {"max_tokens": 1, "max_completion_tokens": 2},
        {"max_completion_tokens": 2},
        ["dropped max_tokens: max_completion_tokens is given, too"],
    ),
    (
        {"audio": {"voice": "Kore", "format": "mp3"}},
        {"audio": {"voice": "Kore", "format": "mp3"}},
        ["dropped audio: the format is always 16 bit PCM, 24 kHz"],
    ),
    (
        {"functions": [{"name": "f"}], "function_call": {"name": "f"}},
        {
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
        },
        [
            "renamed functions: they are tools there",
            "renamed function_call: it is the choice of a tool there",
        ],
    ),
    (
        {"function_call": "none"},
        {"tool_choice": "none"},
        ["renamed function_call: it is the choice of a tool there"],
    ),
    (
        {"web_search_options": {"search_context_size": "low"}},
        {"tools": [{"googleSearch": {}}]},
        ["emulated web_search_options: Google Search grounds the answer"],
    ),
    (
        {"tools": [{"type": "google_search"}, {"type": "url_context"}]},
        {"tools": [{"googleSearch": {}}, {"urlContext": {}}]},
        [],
    ),
    (
        {"tools": [{"type": "code_interpreter"}, {"type": "computer"}]},
        {"tools": [{"codeExecution": {}}]},
        [
            "emulated tools: code_interpreter is codeExecution there",
            "dropped tools: there is no tool of type computer",
        ],
    ),
    (
        {
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "f", "strict": True},
                    "cache_control": {"type": "ephemeral"},
                }
            ]
        },
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        [
            "dropped tools: there are no caching markers; caching is implicit",
            "dropped tools: f: strict has no word there",
        ],
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "x", "description": "d", "schema": {"type": "object"}},
            }
        },
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "x",
                    "description": "d",
                    "schema": {"description": "d", "type": "object"},
                },
            }
        },
        [],
    ),
]


@pytest.mark.parametrize(
    ("given", "kept", "changes"), CHANGED, ids=[str(case[0])[:60] for case in CHANGED]
)
def test_what_is_changed_is_told(
    given: dict[str, Any], kept: dict[str, Any], changes: list[str]
) -> None:
    assert adapt(given) == (kept, changes)


def test_our_own_defaults_go_without_a_word_and_what_was_given_beside_them_does_not() -> None:
    defaults = {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
    kept, changes = adapt(defaults, uses_default_parameters=True)
    assert kept == {"temperature": 1, "max_tokens": 2048, "top_p": 1}
    assert changes == []
    tools = [{"type": "computer"}]
    assert adapt({**defaults, "tools": tools}, uses_default_parameters=True)[1] != []


PENALTIES = [
    (gemini, "gemini-2.0-flash", True),
    (gemini, "gemini-1.5-pro", True),
    (gemini, "tunedModels/mine", True),
    (gemini, "gemini-2.5-pro", False),
    (gemini, "gemini-3-flash-preview", False),
    (vertex, "gemini-2.5-pro", True),
    (vertex, "gemini-3-flash-preview", False),
    (vertex, "gemini-flash-lite-latest", False),
]


@pytest.mark.parametrize(("kind", "model", "taken"), PENALTIES)
def test_penalties_are_taken_by_some_models(kind: Any, model: str, taken: bool) -> None:
    kept, changes = adapt({"frequency_penalty": 0.5}, model, provider=kind.PROVIDER)
    assert ("frequency_penalty" in kept) is taken
    assert len(changes) == (not taken)


def test_vertex_knows_no_store() -> None:
    assert adapt({"store": True}, provider=vertex.PROVIDER) == (
        {},
        ["dropped store: it is not known to Vertex AI"],
    )


UNREADABLE: list[tuple[dict[str, Any], Any]] = [
    ({"tools": {"a": 1}}, HI),
    ({"tools": [{"type": "function", "function": {"strict": True}}]}, HI),
    ({"reasoning": {"max_tokens": "many"}}, HI),
    ({"response_format": "json"}, HI),
    ({}, "no messages"),
    ({}, [{"content": "no role"}]),
]


@pytest.mark.parametrize(("parameters", "messages"), UNREADABLE)
def test_what_is_no_request_of_openais_is_refused(parameters: Any, messages: Any) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        adapt(parameters, messages=messages)


# --- Messages -------------------------------------------------------------------------------------

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
DETAIL = {"type": "reasoning.encrypted", "format": "google-gemini-v1", "id": "a", "data": "x"}
SIGNED = {**ASKED, "reasoning_details": [DETAIL]}
BESIDE = {
    **ASKED,
    "tool_calls": [{**CALL, "extra_content": {"google": {"thought_signature": "x"}}}],
}
PICTURE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "auto"}}
DRAWN = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWc="}}
SEEN = {"role": "tool", "tool_call_id": "a", "content": [DRAWN]}
ANSWERED = {"role": "assistant", "content": "Yes", "reasoning_content": "Hm."}
MARKED = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
SYSTEM = {"role": "system", "content": "s"}
UNSIGNED = "emulated messages: a tool call without a thought signature of Google's goes unchecked"
BEHIND = "emulated messages: media of a tool's result stand behind it"
CACHED = "dropped messages: there are no caching markers; caching is implicit"
LOSSES: list[tuple[str, list[Any], list[str]]] = [
    (FLASH, [SYSTEM, *HI, ASKED, {**SEEN, "name": "f", "content": "x"}], []),
    (FLASH, [{"role": "user", "content": [MARKED, MARKED]}], [CACHED]),
    (FLASH, [{**HI[0], "cache_control": {"type": "ephemeral"}}], [CACHED]),
    (FLASH, [{**HI[0], "name": "Ann"}], ["dropped messages: a name has no place in a message"]),
    (FLASH, [*HI, SYSTEM], ["emulated messages: system messages stand before all others"]),
    (FLASH, [SYSTEM], []),
    (
        FLASH,
        [{"role": "user", "content": [{"type": "hologram"}]}],
        ["dropped messages: there is no part of type hologram"],
    ),
    (
        FLASH,
        [
            {
                "role": "user",
                "content": [{**PICTURE, "image_url": {"url": "u:", "detail": "high"}}],
            }
        ],
        ["dropped messages: an image has no detail; mediaResolution is for all of them"],
    ),
    (FLASH, [*HI, ASKED, SEEN], [BEHIND]),
    ("gemini-3-pro-preview", [*HI, SIGNED, {**SEEN, "content": [PICTURE]}], [BEHIND]),
    (FLASH, [*HI, {**ANSWERED, "reasoning_details": [{"format": "google-gemini-v1"}]}], []),
    (
        FLASH,
        [*HI, ANSWERED],
        ["dropped messages: reasoning that Google did not sign cannot be sent back"],
    ),
    ("gemini-3-pro-preview", [*HI, SIGNED, SEEN], []),
    ("gemini-3-pro-preview", [*HI, BESIDE, SEEN], []),
    ("gemini-3-pro-preview", [*HI, ASKED, SEEN], [UNSIGNED]),
    ("gemini-3-pro-preview", [*HI, ASKED, SEEN, *HI], []),
    ("gemini-pro-latest", [ASKED], [UNSIGNED]),
]


@pytest.mark.parametrize(("model", "messages", "changes"), LOSSES)
def test_what_messages_lose_is_told_once(
    model: str, messages: list[Any], changes: list[str]
) -> None:
    assert adapt({}, model, messages)[1] == changes


# --- Thinking -------------------------------------------------------------------------------------

PRO, LITE, OLD = "gemini-2.5-pro", "gemini-2.5-flash-lite", "gemini-2.0-flash"
PRO3, PRO31, FLASH3 = "gemini-3-pro-preview", "gemini-3.1-pro-preview", "gemini-3-flash-preview"
NEW = "gemini-4-hydrogen"


def budget(tokens: int, shown: bool = True) -> dict[str, Any]:
    return {"thinkingBudget": tokens, "includeThoughts": shown}


def level(name: str, shown: bool = True) -> dict[str, Any]:
    return {"thinkingLevel": name, "includeThoughts": shown}


THOUGHTS: list[tuple[str, dict[str, Any], dict[str, Any] | None, str | None]] = [
    (FLASH, {"reasoning_effort": "low"}, budget(1024), None),
    (FLASH, {"reasoning_effort": "medium"}, budget(8192), None),
    (FLASH, {"reasoning": {"effort": "high"}}, budget(24576), None),
    (FLASH, {"reasoning_effort": "none"}, {"thinkingBudget": 0}, None),
    (FLASH, {"reasoning_effort": "xhigh"}, budget(24576), "clamped"),
    (PRO, {"reasoning_effort": "xhigh"}, budget(32768), None),
    (PRO, {"reasoning_effort": "none"}, budget(128, False), "clamped"),
    (LITE, {"reasoning": {"max_tokens": 100}}, budget(512), "clamped"),
    (LITE, {"reasoning": {"max_tokens": 0}}, {"thinkingBudget": 0}, None),
    (FLASH, {"reasoning": {"max_tokens": 4096}}, budget(4096), None),
    (FLASH, {"reasoning": {"max_tokens": -1}}, budget(-1), None),
    (FLASH, {"thinking": {"type": "enabled", "budget_tokens": 2000}}, budget(2000), None),
    (FLASH, {"thinking": {"type": "disabled"}}, {"thinkingBudget": 0}, None),
    (FLASH, {"thinking": {"type": "adaptive"}}, {"includeThoughts": True}, None),
    (FLASH, {"reasoning": {"enabled": True}}, {"includeThoughts": True}, None),
    (FLASH, {"reasoning": {"enabled": False}}, {"thinkingBudget": 0}, None),
    (FLASH, {"reasoning": {"effort": "low", "exclude": True}}, budget(1024, False), None),
    (FLASH, {"include_reasoning": True}, {"includeThoughts": True}, None),
    (FLASH, {"include_reasoning": False}, {"includeThoughts": False}, None),
    (FLASH, {"reasoning_effort": "immense"}, None, "dropped"),
    (
        FLASH,
        {"reasoning_effort": "low", "reasoning": {"max_tokens": 50}},
        budget(50),
        "dropped reasoning_effort",
    ),
    (
        FLASH,
        {"reasoning": {"effort": "low", "max_tokens": 50}},
        budget(50),
        "dropped reasoning:",
    ),
    (FLASH3, {"reasoning_effort": "minimal"}, level("minimal"), None),
    (FLASH3, {"reasoning_effort": "none"}, level("minimal", False), "clamped"),
    (FLASH3, {"reasoning": {"max_tokens": 700}}, budget(700), None),
    (PRO3, {"reasoning_effort": "minimal"}, level("low"), "clamped"),
    (PRO3, {"reasoning_effort": "medium"}, level("high"), "clamped"),
    (PRO31, {"reasoning_effort": "medium"}, level("medium"), None),
    (PRO31, {"reasoning_effort": "xhigh"}, level("high"), "clamped"),
    ("gemini-3.8-flash", {"reasoning_effort": "minimal"}, level("low"), "clamped"),
    (NEW, {"reasoning_effort": "xhigh"}, level("xhigh"), None),
    ("gemini-pro-latest", {"reasoning_effort": "low"}, level("low"), None),
    ("tunedModels/mine", {"reasoning_effort": "low"}, budget(1024), None),
    (OLD, {"reasoning_effort": "low"}, None, "dropped"),
    (OLD, {"reasoning_effort": "none"}, None, None),
]


@pytest.mark.parametrize(
    ("model", "given", "config", "change"), THOUGHTS, ids=[f"{c[0]} {c[1]}" for c in THOUGHTS]
)
def test_how_much_to_think_is_said_in_the_models_words(
    model: str, given: dict[str, Any], config: dict[str, Any] | None, change: str | None
) -> None:
    kept, changes = adapt(given, model)
    assert kept == ({} if config is None else {"thinkingConfig": config})
    assert [c.startswith(change or "") for c in changes] == ([] if change is None else [True])


# --- Schemas for models that take OpenAPI's selection ---------------------------------------------

SCHEMAS: list[tuple[str, Any, Any, set[str]]] = [
    ("known words stay", {"type": "string", "minLength": 1}, None, set()),
    (
        "what means nothing goes",
        {"type": "object", "$schema": "s", "$id": "i", "$comment": "c"},
        {"type": "object"},
        set(),
    ),
    (
        "what has no word is named",
        {"type": "object", "additionalProperties": False, "patternProperties": {}},
        {"type": "object"},
        {"additionalProperties", "patternProperties"},
    ),
    ("a constant is an enum of one", {"const": "a"}, {"enum": ["a"]}, set()),
    (
        "oneOf is anyOf",
        {"oneOf": [{"type": "string", "x": 1}, {"type": "integer"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"x"},
    ),
    (
        "allOf of one is that one",
        {"allOf": [{"type": "string"}], "title": "t"},
        {"type": "string", "title": "t"},
        set(),
    ),
    (
        "allOf of more is not",
        {"allOf": [{"type": "string"}, {"minLength": 1}]},
        {},
        {"allOf"},
    ),
    ("null is nullable", {"type": ["string", "null"]}, {"type": "string", "nullable": True}, set()),
    (
        "several types are options",
        {"type": ["string", "integer", "null"]},
        {"nullable": True, "anyOf": [{"type": "string"}, {"type": "integer"}]},
        set(),
    ),
    (
        "an option of null is nullable",
        {"anyOf": [{"type": "string"}, {"type": "null"}], "title": "t"},
        {"type": "string", "nullable": True, "title": "t"},
        set(),
    ),
    (
        "and the other options stay",
        {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        set(),
    ),
    (
        "properties and items are cleaned, too",
        {"properties": {"title": {"type": "string", "x": 1}}, "items": {"y": 1}},
        {"properties": {"title": {"type": "string"}}, "items": {}},
        {"x", "y"},
    ),
    (
        "references are resolved",
        {
            "properties": {"a": {"$ref": "#/$defs/A", "description": "d"}},
            "$defs": {"A": {"type": "string"}},
        },
        {"properties": {"a": {"type": "string", "description": "d"}}},
        set(),
    ),
    (
        "an optional one is resolved",
        {
            "properties": {
                "a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
                "b": {"allOf": [{"$ref": "#/$defs/A"}], "title": "t"},
            },
            "$defs": {"A": {"type": "string"}},
        },
        {
            "properties": {
                "a": {"type": "string", "nullable": True},
                "b": {"type": "string", "title": "t"},
            }
        },
        set(),
    ),
    (
        "an optional constant is one value",
        {"anyOf": [{"const": "a", "type": "string"}, {"type": "null"}]},
        {"type": "string", "enum": ["a"], "nullable": True},
        set(),
    ),
    (
        "a value of null is nullable",
        {"enum": ["a", None], "type": ["string", "null"]},
        {"type": "string", "enum": ["a"], "nullable": True},
        set(),
    ),
    ("null alone is a type", {"type": ["null"]}, {"type": "null"}, set()),
    (
        "old definitions are, too",
        {"$ref": "#/definitions/A", "definitions": {"A": {"type": "string"}}},
        {"type": "string"},
        set(),
    ),
    (
        "a reference into itself is an object",
        {"$ref": "#/$defs/A", "$defs": {"A": {"items": {"$ref": "#/$defs/A"}}}},
        {"items": {"type": "object"}},
        {"$ref"},
    ),
    ("a reference to nothing is one, too", {"$ref": "#/$defs/A"}, {"type": "object"}, {"$ref"}),
    ("a time is a format", {"type": "string", "format": "date-time"}, None, set()),
    ("an address is none", {"type": "string", "format": "uri"}, {"type": "string"}, {"format"}),
    ("numbers have theirs", {"type": "INTEGER", "format": "int32"}, None, set()),
    ("an enum is of texts", {"type": "integer", "enum": [1]}, {"type": "integer"}, {"enum"}),
    ("true is no schema of theirs", {"items": True}, {"items": {}}, set()),
    ("odd values stay", {"properties": 1, "anyOf": 2}, None, set()),
]


@pytest.mark.parametrize(
    ("name", "schema", "cleaned", "lost"), SCHEMAS, ids=[case[0] for case in SCHEMAS]
)
def test_a_schema_is_cut_to_what_is_known(
    name: str, schema: Any, cleaned: Any, lost: set[str]
) -> None:
    cleaner = Cleaner(schema)
    assert cleaner.clean(schema) == (schema if cleaned is None else cleaned)
    assert cleaner.lost == lost


def test_definitions_that_double_one_another_do_not_grow_without_end() -> None:
    twice = {
        str(i): {"properties": {name: {"$ref": f"#/$defs/{i + 1}"} for name in "ab"}}
        for i in range(60)
    }
    cleaner = Cleaner({"$ref": "#/$defs/0", "$defs": twice})
    cleaned = cleaner.clean({"$ref": "#/$defs/0"})
    assert cleaner.lost == {"$ref"}
    assert len(str(cleaned)) < 100_000


def test_a_schema_nested_too_deep_is_refused() -> None:
    schema = '{"items":' * 900 + "{}" + "}" * 900
    tools = f'[{{"type":"function","function":{{"name":"f","parameters":{schema}}}}}]'
    request = ChatRequest(
        model=OLD,
        messages=Raw(json.dumps(HI).encode()),
        parameters={"tools": Raw(tools.encode())},
    )
    with pytest.raises(RequestError):
        gemini.PROVIDER.adapt(request)


@pytest.mark.parametrize(("model", "is_cut"), [(OLD, True), (FLASH, False), (FLASH3, False)])
def test_schemas_of_tools_and_answers_are_cut_for_older_models(model: str, is_cut: bool) -> None:
    schema = {"type": "object", "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    kept, changes = adapt({"tools": [tool], "response_format": wanted}, model)
    parameters = kept["tools"][0]["function"]["parameters"]
    answer = kept["response_format"]["json_schema"]["schema"]
    assert parameters == answer == ({"type": "object"} if is_cut else schema)
    assert changes == (
        [
            f"dropped tools: f: {model} takes no additionalProperties",
            f"dropped response_format: schema: {model} takes no additionalProperties",
        ]
        if is_cut
        else []
    )
