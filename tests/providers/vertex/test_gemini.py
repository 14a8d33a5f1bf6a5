"""Vertex AI's addresses and credentials for Gemini."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers.vertex import gemini as vertex
from headway.providers.vertex.endpoint import GLOBAL_URL
from headway.types import ChatRequest, Target

PROVIDER = vertex.PROVIDER
HI = Raw(b'[{"role":"user","content":"Hi"}]')
TARGET = Target(
    provider="vertex",
    base_url=GLOBAL_URL,
    options={"project": "p", "region": "us-central1"},
    credentials={"access_token": "tok"},
)


def chat(model: str = "gemini-2.5-pro", messages: Raw = HI, stream: bool = False) -> ChatRequest:
    return ChatRequest(model=model, messages=messages, stream=stream)


def options(**given: Any) -> Target:
    return replace(TARGET, options=given)


HERE = "/v1/projects/p/locations/us-central1"
PLACES: list[tuple[Target, str, str]] = [
    (
        TARGET,
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        options(project="p"),
        "aiplatform.googleapis.com",
        "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        options(project="p", region="eu", api_version="v1beta1"),
        "aiplatform.eu.rep.googleapis.com",
        "/v1beta1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url="https://proxy.test/google"),
        "proxy.test",
        f"/google{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url=""),
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, base_url="", options={"project": "p"}),
        "aiplatform.googleapis.com",
        "/v1/projects/p/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, options={}, credentials={"access_token": "t", "project": "own"}),
        "aiplatform.googleapis.com",
        "/v1/projects/own/locations/global/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, options={}, credentials={}, api_key="k"),
        "aiplatform.googleapis.com",
        "/v1/publishers/google/models/gemini-2.5-pro",
    ),
    (
        replace(TARGET, api_key="k"),
        "us-central1-aiplatform.googleapis.com",
        f"{HERE}/publishers/google/models/gemini-2.5-pro",
    ),
]


@pytest.mark.parametrize(("target", "host", "path"), PLACES, ids=[str(p[2]) for p in PLACES])
def test_a_model_has_an_address_by_project_and_region(target: Target, host: str, path: str) -> None:
    url = PROVIDER.encode_request(chat(), target).url
    assert (url.host, url.path) == (host, path + ":generateContent")
    streamed = PROVIDER.encode_request(chat(stream=True), target).url
    assert streamed.path == path + ":streamGenerateContent?alt=sse"


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("models/gemini-x", f"{HERE}/publishers/google/models/gemini-x"),
        ("meta/llama", f"{HERE}/publishers/meta/models/llama"),
        ("publishers/google/models/x", f"{HERE}/publishers/google/models/x"),
        ("endpoints/123", f"{HERE}/endpoints/123"),
        ("projects/q/locations/r/endpoints/1", "/v1/projects/q/locations/r/endpoints/1"),
        ("claude@20250101", f"{HERE}/publishers/google/models/claude@20250101"),
        ("a?b", f"{HERE}/publishers/google/models/a%3Fb"),
    ],
)
def test_a_model_may_be_named_in_several_ways(model: str, resource: str) -> None:
    assert PROVIDER.encode_request(chat(model), TARGET).url.path == resource + ":generateContent"


def test_an_error_without_project_and_key_says_how_to_set_them() -> None:
    remedy = r"set GOOGLE_CLOUD_PROJECT in .* or providers\.vertex\.project"
    with pytest.raises(InvalidField, match=remedy) as caught:
        PROVIDER.encode_request(chat(), replace(TARGET, options={}))
    assert caught.value.param == "project"


JSON = ("content-type", "application/json")
WHOLE = ("accept", "application/json")
AUTHORITIES: list[tuple[Target, list[tuple[str, str]]]] = [
    (TARGET, [JSON, WHOLE, ("authorization", "Bearer tok")]),
    (
        replace(TARGET, credentials={"access_token": "tok", "quota_project": "payer"}),
        [JSON, WHOLE, ("authorization", "Bearer tok"), ("x-goog-user-project", "payer")],
    ),
    (replace(TARGET, api_key="k", credentials={}), [JSON, WHOLE, ("x-goog-api-key", "k")]),
    (
        replace(TARGET, api_key="ya29.a-token", credentials={}),
        [JSON, WHOLE, ("authorization", "Bearer ya29.a-token")],
    ),
    (replace(TARGET, credentials={}, headers={"x-a": "b"}), [JSON, WHOLE, ("x-a", "b")]),
]


@pytest.mark.parametrize(("target", "headers"), AUTHORITIES)
def test_a_token_and_a_key_have_their_own_headers(
    target: Target, headers: list[tuple[str, str]]
) -> None:
    assert PROVIDER.encode_request(chat(), target).headers == tuple(headers)


@pytest.mark.parametrize(("version", "shown"), [("v1", False), ("v1beta1", True)])
def test_tool_calls_have_ids_only_in_v1beta1(version: str, shown: bool) -> None:
    messages = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "x1", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "x1", "content": "y"},
    ]
    request = chat(messages=Raw(json.dumps(messages).encode()))
    http = PROVIDER.encode_request(request, options(project="p", api_version=version))
    call, told = json.loads(http.body)["contents"][1:]
    assert ("id" in call["parts"][0]["functionCall"]) is shown
    assert ("id" in told["parts"][0]["functionResponse"]) is shown


def test_credentials_come_from_google() -> None:
    assert (PROVIDER.credentials, PROVIDER.key_env, PROVIDER.wire) == ("google", None, "gemini")
    assert set(PROVIDER.options) >= {"project", "region", "credentials_file"}
