"""The gateway's own keys, and what a server that has none may listen on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import standard_config
from contract.shapes import checked_error, ok
from support.gateway_process import GATE_KEY, HELLO, Gateway
from support.openai_upstream import Upstream
from support.waiting import until

Launch = Callable[..., Gateway]
OTHER_KEY = "hw-another-gate-key"
CHAT = {"model": "gpt-4o", "chat_input": HELLO}
V1_CHAT = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": HELLO}]}

ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/api/engine/chat/openai", CHAT),
    ("POST", "/api/engine/chat/openai", {**CHAT, "is_stream": True}),
    ("GET", "/api/engine/providers", None),
    ("GET", "/api/engine/models", None),
    ("GET", "/api/engine/parameters?provider=openai", None),
    ("POST", "/v1/chat/completions", V1_CHAT),
    ("GET", "/v1/models", None),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, scripted: Upstream) -> Any:
    """Servers with keys, by mode, each started when first requested."""
    running: dict[str, Gateway] = {}

    def get(mode: str) -> Gateway:
        if mode not in running:
            config = standard_config(scripted)
            config["server"] = {**config["server"], "api_keys": [GATE_KEY, OTHER_KEY]}
            directory = tmp_path_factory.mktemp(f"guarded-{mode}")
            running[mode] = Gateway.start(directory, config, mode=mode)
        return running[mode]

    yield get
    for gateway in running.values():
        gateway.stop()
        assert not gateway.leaks()


@pytest.fixture
def locked(mode: str, guarded: Callable[[str], Gateway], upstream: Upstream) -> Gateway:
    return guarded(mode)


WRONG_HEADERS: dict[str, dict[str, str]] = {
    "none": {},
    "another": {"authorization": "Bearer hw-wrong"},
    "half of it": {"authorization": f"Bearer {GATE_KEY[:-1]}"},
    "more than it": {"x-api-key": GATE_KEY + "x"},
    "empty": {"x-api-key": ""},
    "bare": {"authorization": GATE_KEY},
    "not ASCII": {"x-api-key": "schlüssel"},
}
RIGHT_HEADERS = {
    "bearer": {"authorization": f"Bearer {GATE_KEY}"},
    "bearer in small letters": {"authorization": f"bearer {GATE_KEY}"},
    "x-api-key": {"x-api-key": GATE_KEY},
    "the other key": {"x-api-key": OTHER_KEY},
}


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_every_route_requires_a_key(
    locked: Gateway, upstream: Upstream, method: str, path: str, body: Any
) -> None:
    assert locked.client.call(method, path, body).status == 401
    assert upstream.exchanges == []
    with_key = locked.client.call(method, path, body, {"x-api-key": GATE_KEY})
    assert with_key.status == 200


@pytest.mark.parametrize("name", WRONG_HEADERS)
def test_a_wrong_key_is_401(locked: Gateway, upstream: Upstream, name: str) -> None:
    reply = locked.chat(headers=WRONG_HEADERS[name])
    assert reply.status == 401
    checked_error(reply.json)
    assert upstream.exchanges == []


@pytest.mark.parametrize("name", RIGHT_HEADERS)
def test_the_right_key_is_accepted_in_either_header(locked: Gateway, name: str) -> None:
    assert ok(locked.chat(headers=RIGHT_HEADERS[name]))["chat_output"] == "Hello there!"


def test_health_requires_no_key(locked: Gateway) -> None:
    assert locked.client.get("/health").status == 200


def test_the_gateways_key_is_not_sent_to_the_provider(locked: Gateway, upstream: Upstream) -> None:
    ok(locked.chat(headers={"x-api-key": GATE_KEY}))
    ok(locked.chat(headers={"authorization": f"Bearer {GATE_KEY}"}))
    assert GATE_KEY not in str([(e.headers, e.body) for e in upstream.exchanges])


def test_the_key_is_checked_before_the_body(locked: Gateway) -> None:
    assert locked.client.call("POST", "/api/engine/chat/openai", b"not json").status == 401


def test_keys_may_come_from_the_environment(launch: Launch) -> None:
    own = launch(env={"HEADWAY_API_KEYS": f"{GATE_KEY},{OTHER_KEY}"})
    assert own.chat().status == 401
    ok(own.chat(headers={"x-api-key": GATE_KEY}))
    ok(own.chat(headers={"x-api-key": OTHER_KEY}))


# --- Addresses of clients -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["base_url", "api_endpoint"])
def test_a_gateway_with_keys_calls_configured_addresses_only(
    locked: Gateway, upstream: Upstream, name: str
) -> None:
    reply = locked.chat(headers={"x-api-key": GATE_KEY}, **{name: upstream.base_url})
    assert (reply.status, checked_error(reply.json)["type"]) == (403, "permission_error")
    assert upstream.exchanges == []


def test_the_owners_of_some_keys_may_name_an_address(launch: Launch, upstream: Upstream) -> None:
    keys = {"api_keys": [GATE_KEY, OTHER_KEY], "base_url_keys": [OTHER_KEY]}
    own = launch({"server": keys})
    asked = {"base_url": upstream.base_url, "api_key": "sk-own"}
    assert own.chat(headers={"x-api-key": GATE_KEY}, **asked).status == 403
    assert ok(own.chat(headers={"x-api-key": OTHER_KEY}, **asked))
    own.reload({**standard_config(upstream), "server": {**keys, "allow_base_url": True}})
    until(lambda: own.chat(headers={"x-api-key": GATE_KEY}, **asked).status == 200)


def test_a_gateway_without_keys_may_forbid_addresses(launch: Launch, upstream: Upstream) -> None:
    own = launch({"server": {"allow_base_url": False}})
    assert own.chat(base_url=upstream.base_url).status == 403
    assert ok(own.chat())


# --- Other origins --------------------------------------------------------------------------------


def test_other_origins_are_not_allowed_unless_configured(gateway: Gateway) -> None:
    origin = {"origin": "https://elsewhere.example"}
    assert "access-control-allow-origin" not in gateway.chat(headers=origin).headers
    asked = {**origin, "access-control-request-method": "POST"}
    preflight = gateway.client.call("OPTIONS", "/api/engine/chat/openai", None, asked)
    assert "access-control-allow-origin" not in preflight.headers


# --- Binding --------------------------------------------------------------------------------------

WIDE = ("--port", "0", "--host", "0.0.0.0")


def test_a_wider_bind_without_keys_is_refused(tmp_path: Path, upstream: Upstream) -> None:
    refused = Gateway.spawn(tmp_path, standard_config(upstream), args=WIDE)
    assert refused.wait() != 0
    said = "".join(refused.output)
    assert not refused.base_url
    assert "api_keys" in said or "HEADWAY_API_KEYS" in said
    assert "--insecure" in said
    assert "Traceback" not in said


def test_a_wider_bind_without_keys_can_be_forced(launch: Launch) -> None:
    assert launch(args=(*WIDE, "--insecure")).client.get("/health").status == 200


def test_a_wider_bind_with_keys_is_served(launch: Launch) -> None:
    own = launch(args=WIDE, env={"HEADWAY_API_KEYS": GATE_KEY})
    assert own.chat().status == 401
    ok(own.chat(headers={"x-api-key": GATE_KEY}))
