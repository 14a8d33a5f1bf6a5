"""The client against a scripted gateway: what it sends, and the values that it gives back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import headway
from cli.fake_gateway import ID, METRICS, OUTPUT, FakeGateway, chunk, sample
from headway import ApiError, Client
from headway.sdk import (
    Health,
    Metrics,
    ProviderDetails,
    ProviderModels,
    Transformation,
    Unreachable,
)
from headway.sdk.reply import parse_chunk, parse_reply
from headway.sdk.requests import split_model
from support.waiting import PATIENCE_S

HELLO = "Hello! Who are you?"


def test_a_whole_reply_has_every_field_of_the_contract(client: Client) -> None:
    reply = client.chat("openai/gpt-3.5-turbo", HELLO)
    assert (reply.id, reply.provider, reply.model) == (ID, "openai", "gpt-3.5-turbo")
    assert reply.chat_output == OUTPUT == reply.choices[0]["message"]["content"]
    assert reply.context == [{"role": "user", "content": HELLO}]
    assert reply.parameters["max_tokens"] == 2048
    assert (reply.created, reply.timestamp) == (1718622757, 1718622757.612226)
    assert {name: getattr(reply.metrics, name) for name in METRICS} == METRICS
    assert reply.metrics.attempts is None


def test_a_reply_keeps_the_json_as_received(client: Client) -> None:
    reply = client.chat("openai/m", HELLO)
    assert reply.raw.decode() == sample("openai", {"model": "m", "chat_input": HELLO})


def test_only_what_was_given_is_sent(gateway: FakeGateway, client: Client) -> None:
    client.chat("openai/m", HELLO)
    assert gateway.asked == {"model": "m", "chat_input": HELLO, "is_stream": False}
    assert gateway.requests[0].path == "/api/engine/chat/openai"
    assert gateway.requests[0].headers["content-type"] == "application/json"
    assert "authorization" not in gateway.requests[0].headers


def test_everything_given_is_sent(gateway: FakeGateway, client: Client) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    client.chat(
        "p/m",
        messages,
        {"seed": 1},
        provider_key="sk-1",
        session_id="s",
        session={"remember": True},
        base_url="https://example.com/v1",
        retries=2,
        strict=True,
    )
    assert gateway.asked == {
        "model": "m",
        "chat_input": messages,
        "parameters": {"seed": 1},
        "is_stream": False,
        "api_key": "sk-1",
        "session_id": "s",
        "session": {"remember": True},
        "base_url": "https://example.com/v1",
        "retries": 2,
        "strict": True,
    }


def test_an_option_that_does_not_exist_is_named(client: Client) -> None:
    with pytest.raises(TypeError, match="chat\\(\\) has no option 'retry'; it has provider_key, "):
        client.chat("p/m", "Hi", retry=2)  # type: ignore[call-overload]


def test_what_the_gateway_changed_and_the_deployment_are_part_of_a_reply() -> None:
    change = {"action": "dropped", "parameter": "seed", "reason": "unsupported by Cohere"}
    more = {"deployment": "gpt-4o-2024-08-06", "transformations": [change]}
    whole = json.loads(sample("p", {"model": "m", "chat_input": "Hi"})) | more
    reply = parse_reply(json.dumps(whole).encode())
    assert reply.deployment == "gpt-4o-2024-08-06"
    assert reply.transformations == [Transformation("dropped", "seed", "unsupported by Cohere")]
    last = parse_chunk(json.dumps(chunk(None) | more).encode())
    assert (last.deployment, last.transformations) == (reply.deployment, reply.transformations)


def test_a_repr_fits_on_a_screen(client: Client) -> None:
    reply = client.chat("openai/m", HELLO)
    assert repr(reply) == (
        "ChatReply(model='openai/m', output='Hello! I am a virtual assistant here to help with any "
        "questi...', input_tokens=6, output_tokens=26, cost_usd=6.1e-05, "
        "latency_s=1.0556859970092773)"
    )
    assert repr(parse_chunk(json.dumps(chunk("Hi")).encode())) == (
        "ChatChunk(model='p/m', output='Hi')"
    )
    assert repr(Metrics(input_tokens=1)) == "Metrics(input_tokens=1)"
    assert repr(ProviderModels(name="P", models=["m"] * 900)) == (
        "ProviderModels(name='P', models=<900 names>)"
    )
    assert repr(client) == f"Client({client.url!r})"


def test_empty_parameters_are_sent_for_they_are_not_the_defaults(
    gateway: FakeGateway, client: Client
) -> None:
    client.chat("p/m", "Hi", {})
    assert gateway.asked["parameters"] == {}


def test_the_gateways_key_goes_into_the_header(gateway: FakeGateway) -> None:
    with Client(gateway.url, api_key=" hw-key\n") as client:
        client.providers()
    assert gateway.requests[0].headers["authorization"] == "Bearer hw-key"


def test_models_providers_and_health_are_values(gateway: FakeGateway, client: Client) -> None:
    openai = ProviderModels(name="OpenAI", models=["gpt-4o", "gpt-4o-mini"])
    assert client.models()["openai"] == openai
    assert client.models("openai") == {"openai": openai}
    assert gateway.requests[-1].path == "/api/engine/models?provider=openai"
    assert client.providers() == ["openai", "local"]
    details = client.provider_details()
    assert details["openai"] == ProviderDetails("OpenAI", "openai", True, "OPENAI_API_KEY", False)
    assert details["local"].has_key is None
    assert client.health() == Health(status="healthy", message="ok")


def test_all_of_them_can_be_asked_for(gateway: FakeGateway, client: Client) -> None:
    client.models(show_all=True)
    client.models("openai", live=True, show_all=True)
    client.providers(show_all=True)
    client.provider_details(show_all=True)
    assert [request.path for request in gateway.requests] == [
        "/api/engine/models?all=1",
        "/api/engine/models?provider=openai&live=1&all=1",
        "/api/engine/providers?all=1",
        "/api/engine/providers?all=1&details=1",
    ]


@pytest.mark.parametrize(
    ("model", "parts"),
    [
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openrouter/meta/llama-3", ("openrouter", "meta/llama-3")),
    ],
)
def test_a_models_provider_ends_at_the_first_slash(model: str, parts: tuple[str, str]) -> None:
    assert split_model(model) == parts


@pytest.mark.parametrize("model", ["", "gpt-4o", "/gpt-4o", "openai/"])
def test_a_model_without_provider_is_refused_before_anything_is_sent(
    model: str, gateway: FakeGateway, client: Client
) -> None:
    with pytest.raises(ValueError, match="provider/model"):
        client.chat(model, "Hi")
    assert gateway.requests == []


def test_a_providers_name_cannot_leave_its_place_in_the_path(
    gateway: FakeGateway, client: Client
) -> None:
    client.chat("a?b=../c/m", "Hi")
    assert gateway.requests[0].path == "/api/engine/chat/a%3Fb%3D.."


# --- Errors -------------------------------------------------------------------------------------


def test_an_error_has_the_fields_of_the_gateways_error(
    gateway: FakeGateway, client: Client
) -> None:
    error = {
        "type": "rate_limit_error",
        "message": "slow down",
        "provider": "openai",
        "param": None,
        "code": "rpm",
        "request_id": "r1",
        "retry_after_s": 1.5,
    }
    gateway.refuse(429, {"error": error}, retry_after="2")
    with pytest.raises(ApiError) as caught:
        client.chat("openai/m", "Hi")
    assert caught.value.status == 429
    assert {name: getattr(caught.value, name) for name in error} == error
    assert str(caught.value) == "slow down"


def test_headers_fill_what_the_body_leaves_out(gateway: FakeGateway, client: Client) -> None:
    gateway.refuse(503, {"error": {"message": "m"}}, retry_after="7", x_request_id="r9")
    with pytest.raises(ApiError) as caught:
        client.models()
    assert (caught.value.retry_after_s, caught.value.request_id) == (7.0, "r9")
    assert caught.value.type == "api_error"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<h1>Bad\n Gateway</h1>", "HTTP 502, not in the gateway's error format: <h1>Bad Gateway"),
        (b'{"detail": "Not Found"}', "not in the gateway's error format: {"),
        (b"", "HTTP 502, not in the gateway's error format"),
        (b"\xff" * 5000, "not in the gateway's error format: \ufffd"),
    ],
)
def test_an_error_of_another_server_is_quoted_from_its_beginning(
    body: bytes, shown: str, gateway: FakeGateway, client: Client
) -> None:
    gateway.refuse(502, body, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")
    with pytest.raises(ApiError) as caught:
        client.models()
    assert shown in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.status == 502
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"a": 1}', b"\xff", b"[" * 100_000])
def test_a_response_of_another_shape_is_a_protocol_error(
    body: bytes, gateway: FakeGateway, client: Client
) -> None:
    gateway.refuse(200, body)
    with pytest.raises(ApiError) as caught:
        client.chat("p/m", "Hi")
    assert caught.value.type == "protocol_error"


def test_a_truncated_response_is_a_connection_error(gateway: FakeGateway, client: Client) -> None:
    gateway.refuse(200, b"{}", content_length="50")
    gateway.keeps = False
    with pytest.raises(ApiError) as caught:
        client.models()
    assert caught.value.type == "connection_error"
    assert not isinstance(caught.value, Unreachable)


def test_silence_beyond_the_timeout_is_a_timeout_error(gateway: FakeGateway) -> None:
    gateway.refuse(200, b"{}", content_length="50")
    with Client(gateway.url, timeout_s=0.05) as client, pytest.raises(ApiError) as caught:
        client.models()
    assert caught.value.type == "timeout_error"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "127.0.0.1:1"])
def test_an_address_where_nothing_listens_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable) as caught:
        Client(url).health()
    assert "127.0.0.1:1" in caught.value.url
    assert caught.value.status is None


def test_a_host_that_cannot_be_a_name_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        Client(f"http://{'a' * 70}.example").health()


@pytest.mark.parametrize(
    "url",
    ["", "http://", "ftp://a", "http://a:b", "http://a:99999", "http://me:pw@a", "a?b", "/x"],
)
def test_an_invalid_url_is_refused_by_the_constructor(url: str) -> None:
    with pytest.raises(ValueError):
        Client(url)


@pytest.mark.parametrize(
    ("url", "shown"), [("a:1/", "http://a:1"), ("https://a/gw/", "https://a/gw")]
)
def test_a_url_loses_its_last_slash_and_gains_a_scheme(url: str, shown: str) -> None:
    assert Client(url).url == shown


@pytest.mark.parametrize("key", ["a\nb", "cl\u00e9", "a\x00"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        Client(api_key=key)


# --- Connections --------------------------------------------------------------------------------


def test_calls_share_a_connection(gateway: FakeGateway, client: Client) -> None:
    client.health()
    client.chat("p/m", "Hi")
    list(client.chat("p/m", "Hi", stream=True))
    client.health()
    assert len({request.port for request in gateway.requests}) == 1


def test_an_error_does_not_cost_the_connection(gateway: FakeGateway, client: Client) -> None:
    gateway.refuse(500, {"error": {"message": "m"}})
    for _ in range(2):
        with pytest.raises(ApiError):
            client.health()
    assert len({request.port for request in gateway.requests}) == 1


def test_no_request_is_sent_on_a_connection_that_was_closed_while_idle(
    gateway: FakeGateway, client: Client
) -> None:
    gateway.keeps = False
    for _ in range(5):
        client.chat("p/m", "Hi")
        assert gateway.closed.acquire(timeout=PATIENCE_S)
    assert len(gateway.requests) == 5


def test_a_gateway_that_closes_without_a_response_is_a_connection_error(
    gateway: FakeGateway, client: Client
) -> None:
    def hang_up() -> None:
        raise ConnectionAbortedError

    gateway.before_reply = hang_up
    with pytest.raises(ApiError) as caught:
        client.chat("p/m", "Hi")
    assert caught.value.type == "connection_error"
    assert len(gateway.requests) == 1


def test_a_connection_that_the_server_will_close_is_closed(
    gateway: FakeGateway, client: Client
) -> None:
    gateway.refuse(200, b"[]", connection="close")
    assert client.providers() == []
    assert client.providers() == []
    assert len({request.port for request in gateway.requests}) == 2


# --- The package --------------------------------------------------------------------------------


def _fresh(code: str) -> Any:
    """``code``'s output as JSON, run in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_importing_headway_loads_nothing_else() -> None:
    code = "import sys, json, headway; print(json.dumps([m for m in sys.modules]))"
    loaded = set(_fresh(code))
    assert "headway.sdk" not in loaded
    assert loaded.isdisjoint({"msgspec", "http.client", "asyncio", "ssl", "typing"})


def test_the_client_loads_no_dependency_but_msgspec() -> None:
    code = "import sys, json, headway; headway.Client; print(json.dumps([m for m in sys.modules]))"
    loaded = {name.partition(".")[0] for name in _fresh(code)}
    heavy = {"asyncio", "rich", "typer", "pydantic", "fastapi", "httptools", "yaml", "tiktoken"}
    assert "msgspec" in loaded
    assert loaded.isdisjoint(heavy)


def test_headway_exports_what_it_lists() -> None:
    assert all(getattr(headway, name) for name in headway.__all__)
    assert set(headway.__all__) <= set(dir(headway))
    with pytest.raises(AttributeError, match="nothing_such"):
        getattr(headway, "nothing_such")  # noqa: B009
