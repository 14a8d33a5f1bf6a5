"""OpenAI's parameters as Google's, with the transformations."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.gemini import provider as gemini
from headway.providers.vertex import gemini as vertex
from support.for_each import for_each
from support.gemini_wire import FLASH, HI, adapt

NOTHING: dict[str, Any] = {}

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
def test_supported_parameters_stay(given: dict[str, Any]) -> None:
    assert adapt(given) == (given, [])


DEFAULTS: list[dict[str, Any]] = [
    {"temperature": None, "logit_bias": None, "tools": None},
    {"frequency_penalty": 0, "presence_penalty": 0.0, "repetition_penalty": 1, "min_p": 0},
    {"parallel_tool_calls": True, "logprobs": False, "modalities": ["text"]},
    {"verbosity": "medium", "service_tier": "auto", "stream_options": {"include_usage": True}},
]


@pytest.mark.parametrize("given", DEFAULTS, ids=[str(given)[:60] for given in DEFAULTS])
def test_default_values_are_removed_without_a_transformation(given: dict[str, Any]) -> None:
    assert adapt(given) == ({}, [])


UNSUPPORTED = "unsupported by Gemini"
TRANSFORMED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"logit_bias": {"1": 2}}, NOTHING, [f"dropped logit_bias: {UNSUPPORTED}"]),
    ({"user": "u"}, NOTHING, [f"dropped user: {UNSUPPORTED}"]),
    (
        {"parallel_tool_calls": False},
        NOTHING,
        ["dropped parallel_tool_calls: the model may always call several at once"],
    ),
    (
        {"presence_penalty": 1},
        NOTHING,
        [f"dropped presence_penalty: unsupported by {FLASH}"],
    ),
    ({"service_tier": "flex"}, {"serviceTier": "flex"}, []),
    ({"service_tier": "default"}, {"serviceTier": "standard"}, []),
    ({"service_tier": "scale"}, NOTHING, ["dropped service_tier: unsupported tier scale"]),
    (
        {"max_tokens": 1, "max_completion_tokens": 2},
        {"max_completion_tokens": 2},
        ["dropped max_tokens: max_completion_tokens is given too"],
    ),
    (
        {"audio": {"voice": "Kore", "format": "mp3"}},
        {"audio": {"voice": "Kore", "format": "mp3"}},
        ["dropped audio.format: unsupported by Gemini, which sends 16-bit PCM at 24 kHz"],
    ),
    (
        {"functions": [{"name": "f"}], "function_call": {"name": "f"}},
        {
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
        },
        [
            "renamed functions -> tools",
            "renamed function_call -> tool_choice",
        ],
    ),
    (
        {"function_call": "none"},
        {"tool_choice": "none"},
        ["renamed function_call -> tool_choice"],
    ),
    (
        {"web_search_options": {"search_context_size": "low"}},
        {"tools": [{"googleSearch": {}}]},
        ["emulated web_search_options: by Google Search"],
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
            "emulated tools: code_interpreter by codeExecution",
            "dropped tools: unsupported type computer",
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
            "dropped cache_control: unsupported by Gemini, which caches implicitly",
            "dropped tools[].function.strict: unsupported by Gemini",
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


@for_each(("given", "kept", "noted"), TRANSFORMED, ids=[str(case[0])[:60] for case in TRANSFORMED])
def test_each_transformation_is_listed(
    given: dict[str, Any], kept: dict[str, Any], noted: list[str]
) -> None:
    assert adapt(given) == (kept, noted)


def test_transformations_of_default_parameters_are_not_listed() -> None:
    defaults = {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
    kept, noted = adapt(defaults, uses_default_parameters=True)
    assert kept == {"temperature": 1, "max_tokens": 2048, "top_p": 1}
    assert noted == []
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
def test_penalties_are_sent_to_models_that_take_them(kind: Any, model: str, taken: bool) -> None:
    kept, noted = adapt({"frequency_penalty": 0.5}, model, provider=kind.PROVIDER)
    assert ("frequency_penalty" in kept) is taken
    assert len(noted) == (not taken)


def test_vertex_does_not_support_store() -> None:
    assert adapt({"store": True}, provider=vertex.PROVIDER) == (
        {},
        ["dropped store: unsupported by Vertex AI"],
    )


MALFORMED: list[tuple[dict[str, Any], Any]] = [
    ({"tools": {"a": 1}}, HI),
    ({"tools": [{"type": "function", "function": {"strict": True}}]}, HI),
    ({"reasoning": {"max_tokens": "many"}}, HI),
    ({"response_format": "json"}, HI),
    ({}, "no messages"),
    ({}, [{"content": "no role"}]),
]


@pytest.mark.parametrize(("parameters", "messages"), MALFORMED)
def test_a_malformed_request_raises_request_error(parameters: Any, messages: Any) -> None:
    with pytest.raises(RequestError, match="no request in OpenAI's chat format"):
        adapt(parameters, messages=messages)
