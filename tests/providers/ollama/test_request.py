"""The HTTP request to Ollama's own API and to its copy of OpenAI's."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.ollama.provider import PROVIDER
from headway.types import Target
from support.adapter_requests import chat, sent_body

BASE = "http://127.0.0.1:11434"
NATIVE = Target(provider="ollama", base_url=BASE)
OPENAI = Target(provider="ollama", base_url=f"{BASE}/v1")
USER: list[Any] = [{"role": "user", "content": "a"}]


PATHS: list[tuple[str, dict[str, str], str]] = [
    ("http://h:1", {}, "/api/chat"),
    ("http://h:1/", {}, "/api/chat"),
    ("http://h:1/api", {}, "/api/chat"),
    ("http://h:1/api/", {"api": "openai"}, "/v1/chat/completions"),
    ("http://h:1/v1", {}, "/v1/chat/completions"),
    ("http://h:1/v1/", {"api": "native"}, "/api/chat"),
    ("http://h:1/proxied", {"api": "openai"}, "/proxied/v1/chat/completions"),
]


@pytest.mark.parametrize(("base", "options", "path"), PATHS)
def test_the_base_url_or_the_option_chooses_the_api(
    base: str, options: dict[str, str], path: str
) -> None:
    target = Target(provider="ollama", base_url=base, options=options)
    assert PROVIDER.encode_request(chat("m", USER), target).url.path == path


def test_an_unknown_api_raises_request_error() -> None:
    target = Target(provider="ollama", base_url=BASE, options={"api": "grpc"})
    with pytest.raises(RequestError, match="`api` is native or openai, not 'grpc'") as caught:
        PROVIDER.encode_request(chat("m", USER), target)
    assert caught.value.param == "api"


def test_a_key_is_sent_if_one_is_configured() -> None:
    target = Target(provider="o", base_url="https://ollama.com", api_key="k", headers={"a": "b"})
    http = PROVIDER.encode_request(chat("m", USER), target)
    sent = (("content-type", "application/json"), ("accept", "application/json"))
    assert http.headers == (*sent, ("authorization", "Bearer k"), ("a", "b"))
    assert "authorization" not in dict(PROVIDER.encode_request(chat("m", USER), NATIVE).headers)


FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
OPENAI_PARAMETERS: list[tuple[Any, Any]] = [
    ({"max_completion_tokens": 5}, {"max_tokens": 5}),
    ({"think": True}, {}),
    ({"think": "max"}, {"reasoning_effort": "max"}),
    ({"reasoning_effort": "none"}, {"reasoning_effort": "none"}),
    ({"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
    ({"response_format": FORMAT, "stop": "x"}, {"response_format": FORMAT, "stop": ["x"]}),
]


@pytest.mark.parametrize(("parameters", "expected"), OPENAI_PARAMETERS)
def test_parameters_of_the_openai_api_keep_openais_names(parameters: Any, expected: Any) -> None:
    plain = {"model": "m", "messages": USER, "stream": True}
    plain["stream_options"] = {"include_usage": True}
    assert sent_body(PROVIDER, OPENAI, chat("m", USER, stream=True, **parameters)) == {
        **plain,
        **expected,
    }


def test_reasoning_is_renamed_for_the_openai_api() -> None:
    message = {"role": "assistant", "content": "b", "reasoning_content": "hm"}
    both = {**message, "reasoning": "ha"}
    assert sent_body(PROVIDER, OPENAI, chat("m", [message, both]))["messages"] == [
        {**message, "reasoning": "hm"},
        both,
    ]
