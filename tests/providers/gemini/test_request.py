"""The HTTP request to Google's generateContent."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from headway.providers.gemini import provider as gemini
from headway.providers.gemini.provider import PROVIDER
from support.for_each import for_each
from support.gemini_wire import HI_CONTENT, TARGET, body, request


def test_a_request_has_its_key_in_a_header() -> None:
    http = PROVIDER.encode_request(request(), TARGET)
    assert (http.url.host, http.url.path) == (
        "g.test",
        "/v1beta/models/gemini-2.5-flash:generateContent",
    )
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-goog-api-key", "key"),
    )
    assert json.loads(http.body) == {"contents": [HI_CONTENT]}


def test_a_stream_is_requested_as_server_sent_events() -> None:
    target = msgspec.structs.replace(TARGET, api_key=None, headers={"x-a": "b"})
    http = PROVIDER.encode_request(request(stream=True), target)
    assert http.url.path == "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    assert http.headers == (
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("x-a", "b"),
    )


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-pro", "/models/gemini-pro"),
        ("tunedModels/mine", "/tunedModels/mine"),
        ("a?b#c d", "/models/a%3Fb%23c%20d"),
    ],
)
def test_a_model_name_is_percent_encoded_in_the_path(model: str, path: str) -> None:
    http = PROVIDER.encode_request(request(model=model), TARGET)
    assert http.url.path == f"/v1beta{path}:generateContent"


PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "n": 2, "seed": 7},
        {"temperature": 0.5, "topP": 0.9, "topK": 40, "candidateCount": 2, "seed": 7},
    ),
    (
        {"presence_penalty": 0.5, "frequency_penalty": -1},
        {"presencePenalty": 0.5, "frequencyPenalty": -1},
    ),
    ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
    ({"max_tokens": 5}, {"maxOutputTokens": 5}),
    ({"max_completion_tokens": 6}, {"maxOutputTokens": 6}),
    ({"stop": "END"}, {"stopSequences": ["END"]}),
    ({"stop": ["a", "b"]}, {"stopSequences": ["a", "b"]}),
    ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
    (
        {"modalities": ["text", "audio"], "audio": {"voice": "Kore", "format": "pcm16"}},
        {
            "responseModalities": ["TEXT", "AUDIO"],
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        },
    ),
    ({"thinkingConfig": {"thinkingBudget": 0}}, {"thinkingConfig": {"thinkingBudget": 0}}),
    ({"mediaResolution": "LOW"}, {"mediaResolution": "LOW"}),
    ({"top_k": 1, "generationConfig": {"topK": 2, "x": 3}}, {"topK": 2, "x": 3}),
]


@for_each(("given", "config"), PARAMETERS, ids=[str(p[0]) for p in PARAMETERS])
def test_parameters_are_encoded_in_generation_config(given: Any, config: Any) -> None:
    assert body(**given) == {"contents": [HI_CONTENT], "generationConfig": config}


def test_a_response_format_of_text_is_not_sent() -> None:
    assert "generationConfig" not in body(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("gemini-2.5-pro", "responseJsonSchema"),
        ("gemini-flash-latest", "responseJsonSchema"),
        ("tunedModels/mine", "responseJsonSchema"),
        ("gemini-2.0-flash", "responseSchema"),
        ("gemini-1.5-pro", "responseSchema"),
    ],
)
def test_the_schema_field_depends_on_the_model(model: str, field: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    config = body(model=model, response_format=wanted)["generationConfig"]
    assert config == {"responseMimeType": "application/json", field: schema}


def test_unknown_parameters_pass_through_at_the_top_level() -> None:
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    sent = body(safetySettings=settings, cachedContent="cachedContents/1", somethingNew=1.50)
    assert sent == {
        "contents": [HI_CONTENT],
        "safetySettings": settings,
        "cachedContent": "cachedContents/1",
        "somethingNew": 1.5,
    }


def test_the_provider_has_googles_address_and_key() -> None:
    assert PROVIDER.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert PROVIDER.key_env == "GEMINI_API_KEY"
    assert {"top_k", "seed", "temperature"} <= {spec.id for spec in gemini.PARAMETERS}
