"""Requests to Anthropic's models on Vertex AI: address, authentication, version."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from headway.errors import RequestError
from headway.providers.anthropic import provider as anthropic
from headway.providers.vertex.anthropic import PROVIDER
from headway.types import ChatRequest, NativeRequest, Target
from headway.wire.url import authority
from support import conversation_strategies as conversations

MODEL = "claude-sonnet-4-5@20250929"
HERE = "/v1/projects/p/locations/"
THERE = f"/publishers/anthropic/models/{MODEL}:"


def chat(model: str = MODEL, *, stream: bool = False) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=Raw(b'[{"role":"user","content":"Hi"}]'),
        parameters={"max_tokens": Raw(b"9")},
        stream=stream,
    )


def target(base_url: str = PROVIDER.base_url or "", **options: Any) -> Target:
    return Target(provider="vertex_anthropic", base_url=base_url, options=options)


# base_url, region, where the request goes
PLACES: list[tuple[str, str | None, str]] = [
    ("https://aiplatform.googleapis.com", None, f"aiplatform.googleapis.com{HERE}global"),
    ("https://aiplatform.googleapis.com/", "global", f"aiplatform.googleapis.com{HERE}global"),
    ("", "us-east5", f"us-east5-aiplatform.googleapis.com{HERE}us-east5"),
    ("https://aiplatform.googleapis.com", "eu", f"aiplatform.eu.rep.googleapis.com{HERE}eu"),
    ("http://127.0.0.1:9000", "us-east5", f"127.0.0.1:9000{HERE}us-east5"),
    ("http://127.0.0.1:9000/v1/", "us", f"127.0.0.1:9000{HERE}us"),
    ("http://a.example/x/v1beta1", "us", "a.example/x/v1beta1/projects/p/locations/us"),
]


@pytest.mark.parametrize(("base_url", "region", "place"), PLACES)
def test_a_request_goes_to_its_region(base_url: str, region: str | None, place: str) -> None:
    url = PROVIDER.encode_request(chat(), target(base_url, project="p", region=region)).url
    assert authority(url) + url.path == f"{place}{THERE}rawPredict"


def test_a_stream_is_requested_by_the_method_and_in_the_body() -> None:
    http = PROVIDER.encode_request(chat(stream=True), target(project="p"))
    assert http.url.path == f"{HERE}global{THERE}streamRawPredict"
    assert json.loads(http.body)["stream"] is True
    assert dict(http.headers)["accept"] == "text/event-stream"


def test_the_body_has_anthropic_version_and_no_model() -> None:
    http = PROVIDER.encode_request(chat(), target(project="p", beta=["a-1", "b-2"]))
    assert json.loads(http.body) == {
        "anthropic_version": "vertex-2023-10-16",
        "anthropic_beta": ["a-1", "b-2"],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "max_tokens": 9,
    }


# access token, key, the authorization
DOORS = [
    ({"access_token": "ya29"}, None, "Bearer ya29"),
    ({"access_token": "ya29"}, "sk-planted", "Bearer ya29"),
    ({}, "sk-planted", "Bearer sk-planted"),
    ({}, None, None),
]


@pytest.mark.parametrize(("credentials", "api_key", "shown"), DOORS)
def test_a_token_or_key_is_the_bearer_token(
    credentials: dict[str, str], api_key: str | None, shown: str | None
) -> None:
    place = Target(
        provider="vertex_anthropic",
        base_url="",
        api_key=api_key,
        options={"project": "p"},
        headers={"x-team": "blue"},
        credentials=credentials,
    )
    headers = dict(PROVIDER.encode_request(chat(), place).headers)
    assert headers.get("authorization") == shown
    assert headers["x-team"] == "blue"


def test_the_project_may_come_from_the_credentials() -> None:
    place = Target(provider="v", base_url="", credentials={"project": "q"})
    assert PROVIDER.encode_request(chat(), place).url.path.startswith("/v1/projects/q/")


def test_a_request_without_a_project_is_rejected() -> None:
    with pytest.raises(RequestError, match="needs `project`") as caught:
        PROVIDER.encode_request(chat(), target())
    assert caught.value.param == "project"


def test_a_model_name_is_escaped_in_the_path() -> None:
    http = PROVIDER.encode_request(chat("a/../b:c"), target(project="p"))
    assert http.url.path.endswith("/models/a%2F..%2Fb%3Ac:rawPredict")


def test_the_rest_is_shared_with_the_claude_api() -> None:
    assert PROVIDER.adapt is anthropic.PROVIDER.adapt
    assert PROVIDER.decode_event is anthropic.PROVIDER.decode_event
    assert PROVIDER.decode_response is anthropic.PROVIDER.decode_response
    assert PROVIDER.decode_error is anthropic.PROVIDER.decode_error
    assert PROVIDER.wire == anthropic.PROVIDER.wire


CLAUDES = st.sampled_from(["claude-sonnet-4-5", "claude-3-5-haiku@20241022", "claude-opus-4-6"])
ASKED = st.fixed_dictionaries(
    {"tools": st.lists(conversations.marked(conversations.tools), max_size=2)},
    optional={
        "max_tokens": st.integers(1, 9999),
        "temperature": st.floats(0, 1, allow_subnormal=False),
        "stop": st.lists(conversations.texts, max_size=2),
        "reasoning_effort": st.sampled_from(["none", "low", "high"]),
        "response_format": conversations.json_schemas,
        "new_thing": conversations.values,
    },
)


@given(
    model=CLAUDES,
    talk=conversations.conversations(),
    asked=ASKED,
    stream=st.booleans(),
    betas=st.lists(conversations.names, max_size=2),
)
def test_the_request_is_the_same_as_to_the_claude_api(
    model: str, talk: Any, asked: dict[str, Any], stream: bool, betas: list[str]
) -> None:
    """Except for the model, which Vertex AI has in the path, and the version and the betas, which
    the Claude API has in headers."""
    request = conversations.chat(model, talk, stream, **asked)
    there = Target(provider="anthropic", base_url="https://c.test", options={"beta": betas})
    expected, told = conversations.sent(anthropic.PROVIDER, request, there)
    body, changes = conversations.sent(PROVIDER, request, target(project="p", beta=betas))
    assert body.pop("anthropic_version") == "vertex-2023-10-16"
    assert body.pop("anthropic_beta", []) == betas
    path = PROVIDER.encode_request(PROVIDER.adapt(request)[0], target(project="p")).url.path
    name, _, method = path.rpartition("/")[2].rpartition(":")
    assert {"model": unquote(name), **body} == expected
    assert method == ("streamRawPredict" if stream else "rawPredict")
    assert changes == told


def test_a_native_request_has_its_version_and_features_in_the_body() -> None:
    assert PROVIDER.encode_native is not None
    fields = {"messages": Raw(b"[]"), "odd": Raw(b"1.50")}
    native = NativeRequest("anthropic_messages", fields, (("anthropic-beta", "a"),))
    for stream, method in ((False, "rawPredict"), (True, "streamRawPredict")):
        request = replace(chat(stream=stream), native=native)
        http = PROVIDER.encode_native(request, target(project="p", beta="b"))
        assert http.url.path == f"{HERE}global{THERE}{method}"
        assert http.body.startswith(
            b'{"anthropic_version":"vertex-2023-10-16","messages":[],"odd":1.50,'
            b'"anthropic_beta":["a","b"]'
        )
        assert json.loads(http.body).get("stream", False) is stream
    plain = replace(chat(), native=NativeRequest("anthropic_messages", fields))
    http = PROVIDER.encode_native(plain, target(project="p"))
    assert b"anthropic_beta" not in http.body
