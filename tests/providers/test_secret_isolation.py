"""Whoever may call the gateway may name an address of its own: nothing that is configured as secret
reaches it, nor anything made from it. Real sockets, every kind, each with all it can have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.providers import KINDS
from providers.test_live_kinds import CLOUD, KINDS_CALLED, MODELS, TOKEN, USER, reply
from support.gateway_process import Gateway
from support.scripted_server import Received, ThreadedServer

SECRET = "configured-secret"
CALLERS = "callers-own-key"
SOURCED = [kind for kind in KINDS_CALLED if KINDS[kind].credentials is not None]
"""Those that have a second way in, beside a key."""
OPENERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "x-team")
FETCHED = (TOKEN["access_token"], CLOUD["AWS_ACCESS_KEY_ID"], CLOUD["AWS_SECRET_ACCESS_KEY"])
SIGNED = ("x-amz-", "x-goog-user-project")


def configured(kind: str, home: str, directory: Path, *, keyed: bool) -> dict[str, Any]:
    """With a key; or with the options that make one."""
    options = {name: f"{SECRET}-{name}" for name in KINDS[kind].secrets}
    places = {
        "aws": {"region": "eu-west-1"},
        "entra": {"tenant_id": "t", "client_id": "c", "authority_host": home},
        "google": {
            "project": "p",
            "credentials_file": str(directory / "user.json"),
            "token_uri": f"{home}/token",
        },
    }
    return {
        "kind": kind,
        "base_url": f"{home}/{kind}",
        "headers": {"x-team": f"{SECRET}-header"},
        **({"api_key": f"{SECRET}-key"} if keyed else {}),
        **options,
        **places.get(KINDS[kind].credentials or "", {}),
    }


@pytest.fixture(scope="module")
def home() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: reply(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def stranger() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: reply(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(home: ThreadedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("strangers")
    (directory / "user.json").write_text(json.dumps(USER))
    providers = {
        f"{kind}-keyed": configured(kind, home.url, directory, keyed=True) for kind in KINDS_CALLED
    }
    providers |= {
        f"{kind}-sourced": configured(kind, home.url, directory, keyed=False) for kind in SOURCED
    }
    running = Gateway.start(directory, {"providers": providers}, env=CLOUD)
    yield running
    running.terminate()
    assert running.wait() == 0


NAMES = [f"{kind}-keyed" for kind in KINDS_CALLED] + [f"{kind}-sourced" for kind in SOURCED]


def opened(request: Received) -> list[str]:
    """The headers that open a door."""
    return [name for name, _ in request.headers if name in OPENERS or name.startswith(SIGNED)]


def model_of(name: str) -> str:
    return MODELS.get(name.rpartition("-")[0], "some-model")


@pytest.mark.parametrize("name", NAMES)
def test_an_address_of_the_callers_sees_nothing_secret(
    name: str, gateway: Gateway, home: ThreadedServer, stranger: ThreadedServer
) -> None:
    kind = name.rpartition("-")[0]
    assert gateway.chat(name, model=model_of(name)).status == 200
    assert {"x-team", "authorization"} & set(opened(home.requests[-1])), "there is a secret to keep"
    seen = len(stranger.requests)
    fields: dict[str, Any] = {"base_url": f"{stranger.url}/{kind}", "model": model_of(name)}
    for more in ({}, {"api_version": "2024-10-21"}):
        got = gateway.chat(name, **fields, **more)
        assert got.status == 200, got.body
    received = stranger.requests[seen:]
    assert len(received) == 2
    for request in received:
        assert opened(request) == []
        assert SECRET not in repr(request)
        assert not any(value in repr(request) for value in FETCHED)


@pytest.mark.parametrize("name", NAMES)
def test_an_address_of_the_callers_sees_the_callers_key_alone(
    name: str, gateway: Gateway, stranger: ThreadedServer
) -> None:
    kind = name.rpartition("-")[0]
    address = f"{stranger.url}/{kind}"
    got = gateway.chat(name, model=model_of(name), base_url=address, api_key=CALLERS)
    assert got.status == 200, got.body
    request = stranger.requests[-1]
    assert len(opened(request)) == 1
    assert CALLERS in str(request.headers)
    assert SECRET not in repr(request)
