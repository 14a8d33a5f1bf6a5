"""Parameters of chat completions as those of the Responses API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.openai_responses.provider import PROVIDER
from support.for_each import for_each
from support.responses_requests import SAID, request, sent, transformations

PARAMETERS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, []),
    (
        {"max_tokens": 100},
        {"max_output_tokens": 100},
        ["renamed max_tokens -> max_output_tokens"],
    ),
    (
        {"max_completion_tokens": 100, "max_tokens": 1},
        {"max_output_tokens": 100},
        ["renamed max_completion_tokens -> max_output_tokens"],
    ),
    (
        {"max_tokens": 5, "max_output_tokens": 99},
        {"max_output_tokens": 99},
        [
            "renamed max_tokens -> max_output_tokens",
            "clamped max_tokens: 5 -> 16 (minimum)",
        ],
    ),
    (
        {"max_tokens": 5},
        {"max_output_tokens": 16},
        [
            "renamed max_tokens -> max_output_tokens",
            "clamped max_tokens: 5 -> 16 (minimum)",
        ],
    ),
    ({"response_format": {"type": "text"}}, {}, []),
    (
        {"response_format": {"type": "json_object"}, "verbosity": "low"},
        {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
        [],
    ),
    (
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "city", "strict": True, "schema": {"type": "object"}},
            }
        },
        {
            "text": {
                "format": {
                    "type": "json_schema",
                    "name": "city",
                    "strict": True,
                    "schema": {"type": "object"},
                }
            }
        },
        [],
    ),
    (
        {"logprobs": True, "top_logprobs": 3, "include": ["file_search_call.results"]},
        {
            "top_logprobs": 3,
            "include": ["file_search_call.results", "message.output_text.logprobs"],
        },
        [],
    ),
    ({"logprobs": False, "n": 1, "seed": None, "stop": [], "logit_bias": {}}, {}, []),
    ({"modalities": ["text"], "min_p": 0, "repetition_penalty": 1}, {}, []),
    (
        {"n": 2, "seed": 1, "stop": ["."], "logit_bias": {"1": 1}, "top_k": 4},
        {},
        [
            f"dropped {name}: unsupported by the Responses API"
            for name in ("n", "seed", "stop", "logit_bias", "top_k")
        ],
    ),
    ({"store": True, "metadata": {"a": "b"}}, {"store": True, "metadata": {"a": "b"}}, []),
    ({"user": "me", "service_tier": "flex"}, {"user": "me", "service_tier": "flex"}, []),
    ({"parallel_tool_calls": False, "new_thing": 1}, {"parallel_tool_calls": False, "new_thing": 1},
     []),
    ({"background": True}, {}, ["dropped background: the gateway waits for the response"]),
    (
        {"web_search_options": {"search_context_size": "low"}},
        {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        ["emulated web_search_options: as a web_search tool"],
    ),
    (
        {
            "tools": [{"type": "mcp", "server_label": "x"}],
            "web_search_options": {
                "user_location": {"type": "approximate", "approximate": {"city": "Bonn"}}
            },
        },
        {
            "tools": [
                {"type": "mcp", "server_label": "x"},
                {"type": "web_search", "user_location": {"type": "approximate", "city": "Bonn"}},
            ]
        },
        ["emulated web_search_options: as a web_search tool"],
    ),
    (
        {"reasoning_effort": "low"},
        {},
        ["dropped reasoning_effort: unsupported by gpt-4o"],
    ),
    ({"reasoning": {"enabled": False}}, {}, []),
]  # fmt: skip


@for_each(("given", "expected", "said"), PARAMETERS)
def test_parameters_are_renamed_converted_or_dropped(
    given: dict[str, Any], expected: dict[str, Any], said: list[str]
) -> None:
    asked = request(**given)
    body = sent(asked)
    assert body == {"model": "gpt-4o", "input": [SAID], "store": False, **expected}
    assert transformations(asked) == said


def test_a_stream_may_run_in_the_background() -> None:
    assert sent(request(background=True, stream=True))["background"] is True


def test_transformations_of_default_parameters_are_not_reported() -> None:
    given = {
        "temperature": 1,
        "max_tokens": 2048,
        "top_p": 1,
        "frequency_penalty": 0,
        "presence_penalty": 0,
    }
    for model, kept in (("gpt-4o", {"temperature", "top_p"}), ("o3", set())):
        asked = request(model, uses_default_parameters=True, **given)
        assert transformations(asked) == []
        body = sent(asked)
        assert set(body) - {"model", "input", "store", "include"} == {"max_output_tokens", *kept}


def test_sampling_parameters_of_a_reasoning_model_are_dropped() -> None:
    asked = request("o3", temperature=0.1, top_p=0.5)
    assert transformations(asked) == [
        "dropped temperature: unsupported by o3",
        "dropped top_p: unsupported by o3",
    ]
    assert "temperature" not in sent(asked)


WEATHER = {"name": "weather", "description": "of a city", "parameters": {"type": "object"}}


def test_deprecated_functions_become_tools() -> None:
    asked = request(functions=[WEATHER], function_call={"name": "weather"})
    body = sent(asked)
    assert body["tools"] == [{"type": "function", **WEATHER, "strict": False}]
    assert body["tool_choice"] == {"type": "function", "name": "weather"}
    assert transformations(asked) == [
        "renamed functions -> tools",
        "renamed function_call -> tool_choice",
    ]
    assert sent(request(function_call="none"))["tool_choice"] == "none"


def test_cache_markers_are_dropped() -> None:
    mark = {"type": "ephemeral"}
    part = {"type": "text", "text": "a", "cache_control": mark}
    tool = {"type": "function", "function": WEATHER, "cache_control": mark}
    asked = request(messages=[{"role": "user", "content": [part]}], tools=[tool])
    body = sent(asked)
    assert b"cache_control" not in json.dumps(body).encode()
    reason = "unsupported by the Responses API, which caches automatically"
    assert transformations(asked) == [
        f"dropped tools[].cache_control: {reason}",
        f"dropped messages[].cache_control: {reason}",
    ]


@pytest.mark.parametrize(
    "given", [{"tools": 1}, {"tools": ["x"]}, {"response_format": []}, {"reasoning": "high"}]
)
def test_a_parameter_of_a_wrong_shape_is_a_request_error(given: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        PROVIDER.adapt(request(**given))


def test_parameters_are_listed_under_the_names_of_the_responses_api() -> None:
    assert [p.id for p in PROVIDER.parameters_of("gpt-4o")] == [
        "temperature", "max_output_tokens", "top_p",
    ]  # fmt: skip
    assert [p.id for p in PROVIDER.parameters_of("o3")] == ["max_output_tokens"]
