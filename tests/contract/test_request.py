"""What of the caller's request reaches the provider, and what of it the reply shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contract.shapes import DEFAULTS, error_of, ok
from support.gateway_process import BODY_KEY, ENV_KEY, HELLO, SERVER_KEY, Gateway
from support.openai_upstream import Upstream

REASONING = ["o1", "o1-mini", "o3", "o3-mini", "o4-mini", "gpt-5", "gpt-5-mini", "gpt-5-nano"]
REFUSED = ["temperature", "max_tokens", "top_p", "frequency_penalty", "presence_penalty"]


@pytest.fixture
def other(scripted: Upstream) -> Iterator[Upstream]:
    """A second provider, where only requests that name it should go."""
    upstream = Upstream(scripted.default)
    yield upstream
    upstream.close()


def sent(server: Gateway, upstream: Upstream, **fields: Any) -> dict[str, Any]:
    """The body that the provider got for a call with these fields."""
    ok(server.chat(**fields))
    body = upstream.last.json
    assert isinstance(body, dict)
    return body


# --- The request itself ---------------------------------------------------------------------------


def test_the_provider_gets_one_chat_completion_request(
    gateway: Gateway, upstream: Upstream
) -> None:
    body = sent(gateway, upstream)
    assert len(upstream.exchanges) == 1
    assert (upstream.last.method, upstream.last.path) == ("POST", "/v1/chat/completions")
    assert upstream.last.headers["content-type"].startswith("application/json")
    assert body["model"] == "gpt-4o"
    assert body["messages"] == [{"role": "user", "content": HELLO}]


@pytest.mark.parametrize("is_stream", [False, True])
def test_the_provider_request_is_always_a_stream_with_usage(
    server: Gateway, upstream: Upstream, is_stream: bool
) -> None:
    assert server.chat(is_stream=is_stream).status == 200
    assert upstream.last.json["stream"] is True
    assert upstream.last.json["stream_options"]["include_usage"] is True


def test_messages_are_sent_unchanged(server: Gateway, upstream: Upstream) -> None:
    image = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages: list[Any] = [
        {"role": "system", "content": "Be brief. 世界", "a_field_of_tomorrow": [1, 2.5, None]},
        {"role": "user", "content": [{"type": "text", "text": "Look"}, image]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
    ]
    assert sent(server, upstream, chat_input=messages)["messages"] == messages


def test_the_engines_own_fields_are_not_sent(server: Gateway, upstream: Upstream) -> None:
    own: dict[str, Any] = {
        "session_id": "s",
        "retries": 0,
        "api_version": "2024-06-01",
        "has_end_token": True,
        "is_stream": False,
        "api_key": BODY_KEY,
        "parameters": {},
    }
    body = sent(server, upstream, **own)
    assert not {*own, "chat_input", "base_url", "api_endpoint"} & set(body)


# --- Parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"parameters": None}], ids=["left out", "null"])
def test_without_parameters_the_defaults_are_in_effect(
    gateway: Gateway, upstream: Upstream, fields: dict[str, Any]
) -> None:
    reply = ok(gateway.chat(**fields))
    assert {k: upstream.last.json.get(k) for k in DEFAULTS} == DEFAULTS
    assert reply["parameters"] == DEFAULTS


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"temperature": 0.2},
        {"max_tokens": 5, "stop": ["\n"]},
        {
            "logit_bias": {"50256": -100},
            "seed": 7,
            "user": "ann",
            "a_field_of_tomorrow": {"x": [1]},
        },
    ],
    ids=str,
)
def test_given_parameters_are_not_merged_with_the_defaults(
    server: Gateway, upstream: Upstream, given: dict[str, Any]
) -> None:
    reply = ok(server.chat(parameters=given))
    body = upstream.last.json
    assert {k: v for k, v in body.items() if k not in NOT_PARAMETERS} == given
    assert reply["parameters"] == given


NOT_PARAMETERS = {"model", "messages", "stream", "stream_options"}


def test_any_other_top_level_field_is_a_parameter(server: Gateway, upstream: Upstream) -> None:
    reply = ok(server.chat(parameters={"max_tokens": 5}, seed=7, a_field_of_tomorrow="x"))
    expected = {"max_tokens": 5, "seed": 7, "a_field_of_tomorrow": "x"}
    assert {k: upstream.last.json.get(k) for k in expected} == expected
    assert "temperature" not in upstream.last.json
    assert reply["parameters"] == expected


def test_a_top_level_parameter_overrides_the_default(server: Gateway, upstream: Upstream) -> None:
    reply = ok(server.chat(temperature=0.2))
    assert upstream.last.json["temperature"] == 0.2
    assert reply["parameters"]["temperature"] == 0.2


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FORWARDED: dict[str, Any] = {
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
    "functions": [{"name": "f", "parameters": {"type": "object"}}],
}


@pytest.mark.parametrize("name", FORWARDED)
def test_tools_and_formats_are_forwarded(server: Gateway, upstream: Upstream, name: str) -> None:
    assert sent(server, upstream, **{name: FORWARDED[name]})[name] == FORWARDED[name]


@pytest.mark.parametrize("model", REASONING)
def test_a_reasoning_model_is_not_sent_parameters_that_it_rejects(
    server: Gateway, upstream: Upstream, model: str
) -> None:
    reply = ok(server.chat(model=model))
    body = upstream.last.json
    assert not set(REFUSED) & set(body)
    assert body["max_completion_tokens"] == 2048
    shown = reply["parameters"]
    assert "temperature" not in shown
    assert 2048 in (shown.get("max_completion_tokens"), shown.get("max_tokens"))


def test_the_token_limit_for_a_reasoning_model_is_renamed(
    server: Gateway, upstream: Upstream
) -> None:
    body = sent(server, upstream, model="o3", parameters={"max_tokens": 99, "seed": 1})
    assert body["max_completion_tokens"] == 99
    assert "max_tokens" not in body
    assert body["seed"] == 1


# --- Keys and addresses ---------------------------------------------------------------------------


def test_the_servers_key_is_used_when_none_is_given(server: Gateway, upstream: Upstream) -> None:
    choices: list[dict[str, Any]] = [{}, {"api_key": None}]
    for fields in choices:
        ok(server.chat(**fields))
        assert upstream.last.key == SERVER_KEY


def test_the_callers_key_overrides_the_servers(gateway: Gateway, upstream: Upstream) -> None:
    ok(gateway.chat(api_key=BODY_KEY))
    assert upstream.last.key == BODY_KEY


def test_a_configured_base_url_without_a_key_needs_none(
    server: Gateway, upstream: Upstream
) -> None:
    assert ok(server.chat("keyless"))["provider"] == "keyless"
    assert upstream.last.key is None


def test_a_keyless_provider_takes_the_callers_key(server: Gateway, upstream: Upstream) -> None:
    ok(server.chat("keyless", api_key=BODY_KEY))
    assert upstream.last.key == BODY_KEY


def test_a_missing_provider_key_is_401_naming_what_to_set(gateway: Gateway) -> None:
    error = error_of(gateway.chat("needy"), 401)
    assert "OPENAI_API_KEY" in error["message"] or "api_key" in error["message"]
    assert error["provider"] == "needy"


@pytest.mark.parametrize("provider", ["openai", "needy"])
def test_a_base_url_in_the_body_is_used_and_needs_no_key(
    server: Gateway, upstream: Upstream, other: Upstream, provider: str
) -> None:
    ok(server.chat(provider, base_url=other.base_url))
    assert len(other.exchanges) == 1
    assert upstream.exchanges == []


def test_the_servers_key_is_not_sent_to_a_base_url_of_the_caller(
    server: Gateway, other: Upstream
) -> None:
    server.chat(base_url=other.base_url)
    server.chat(base_url=other.base_url, api_key=BODY_KEY)
    assert SERVER_KEY not in str([e.headers for e in other.exchanges])
    assert other.last.key == BODY_KEY


def test_a_key_in_the_file_may_come_from_the_environment(
    launch: Callable[..., Gateway], upstream: Upstream
) -> None:
    openai = {"kind": "openai", "base_url": "${WHERE}", "api_key": "${THE_KEY}"}
    env = {"THE_KEY": ENV_KEY, "WHERE": upstream.base_url}
    ok(launch({"providers": {"openai": openai}}, env=env).chat())
    assert upstream.last.key == ENV_KEY


def test_the_standard_environment_name_gives_the_key(launch: Callable[..., Gateway]) -> None:
    """The way to the real provider is a proxy that is not there, so the key goes nowhere."""
    env = {"OPENAI_API_KEY": ENV_KEY, "HTTPS_PROXY": "http://127.0.0.1:1"}
    own = launch({"providers": {"openai": {"kind": "openai"}}}, env=env)
    error_of(own.chat(), 502)


def test_what_the_local_model_lacks_is_listed_or_refused(gateway: Gateway) -> None:
    tools = [{"type": "function", "function": {"name": "weather"}}]
    refused = gateway.chat("local", tools=tools, strict=True)
    assert (refused.status, refused.json["error"]["param"]) == (400, "tools")
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [{"role": "user", "content": [image]}]
    refused = gateway.chat("local", chat_input=messages)
    assert (refused.status, refused.json["error"]["param"]) == (400, "messages[0].content[0]")
