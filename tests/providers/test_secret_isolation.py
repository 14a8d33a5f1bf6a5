"""A caller may send a ``base_url``: no configured secret, and nothing derived from one, reaches it.
Real sockets, every kind, with every secret that it can have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway.providers import KINDS
from providers.test_kinds_over_http import CLOUD, KINDS_CALLED, MODELS, TOKEN, USER, reply
from support.for_each import for_each
from support.gateway_process import Gateway
from support.scripted_server import Received, ThreadedServer

SECRET = "configured-secret"
CALLERS_KEY = "callers-own-key"
WITH_SOURCE = [kind for kind in KINDS_CALLED if KINDS[kind].credentials is not None]
"""The kinds that can use a credential source instead of a key."""
AUTH_HEADERS = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "x-team")
FETCHED = (TOKEN["access_token"], CLOUD["AWS_ACCESS_KEY_ID"], CLOUD["AWS_SECRET_ACCESS_KEY"])
SIGNED = ("x-amz-", "x-goog-user-project")


def configured(kind: str, own_server: str, directory: Path, *, keyed: bool) -> dict[str, Any]:
    """Settings with a key, or with the secret options."""
    options = {name: f"{SECRET}-{name}" for name in KINDS[kind].secrets}
    places = {
        "aws": {"region": "eu-west-1"},
        "entra": {"tenant_id": "t", "client_id": "c", "authority_host": own_server},
        "google": {
            "project": "p",
            "credentials_file": str(directory / "user.json"),
            "token_uri": f"{own_server}/token",
        },
    }
    return {
        "kind": kind,
        "base_url": f"{own_server}/{kind}",
        "headers": {"x-team": f"{SECRET}-header"},
        **({"api_key": f"{SECRET}-key"} if keyed else {}),
        **options,
        **places.get(KINDS[kind].credentials or "", {}),
    }


@pytest.fixture(scope="module")
def own_server() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: reply(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def callers_server() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: reply(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    own_server: ThreadedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("callers-server")
    (directory / "user.json").write_text(json.dumps(USER))
    providers = {
        f"{kind}-keyed": configured(kind, own_server.url, directory, keyed=True)
        for kind in KINDS_CALLED
    }
    providers |= {
        f"{kind}-sourced": configured(kind, own_server.url, directory, keyed=False)
        for kind in WITH_SOURCE
    }
    running = Gateway.start(directory, {"providers": providers}, env=CLOUD)
    yield running
    running.terminate()
    assert running.wait() == 0


NAMES = [f"{kind}-keyed" for kind in KINDS_CALLED] + [f"{kind}-sourced" for kind in WITH_SOURCE]


def auth_headers(request: Received) -> list[str]:
    """The authentication headers."""
    return [name for name, _ in request.headers if name in AUTH_HEADERS or name.startswith(SIGNED)]


def model_of(name: str) -> str:
    return MODELS.get(name.rpartition("-")[0], "some-model")


@for_each("name", NAMES)
def test_a_callers_base_url_receives_no_configured_secret(
    name: str,
    gateway: Gateway,
    own_server: ThreadedServer,
    callers_server: ThreadedServer,
) -> None:
    kind = name.rpartition("-")[0]
    assert gateway.chat(name, model=model_of(name)).status == 200
    assert {"x-team", "authorization"} & set(auth_headers(own_server.requests[-1])), (
        "the configured upstream gets the secrets"
    )
    seen = len(callers_server.requests)
    fields: dict[str, Any] = {"base_url": f"{callers_server.url}/{kind}", "model": model_of(name)}
    for more in ({}, {"api_version": "2024-10-21"}):
        got = gateway.chat(name, **fields, **more)
        assert got.status == 200, got.body
    received = callers_server.requests[seen:]
    assert len(received) == 2
    for request in received:
        assert auth_headers(request) == []
        assert SECRET not in repr(request)
        assert not any(value in repr(request) for value in FETCHED)


@for_each("name", NAMES)
def test_a_callers_base_url_receives_the_callers_key_only(
    name: str, gateway: Gateway, callers_server: ThreadedServer
) -> None:
    kind = name.rpartition("-")[0]
    address = f"{callers_server.url}/{kind}"
    got = gateway.chat(name, model=model_of(name), base_url=address, api_key=CALLERS_KEY)
    assert got.status == 200, got.body
    request = callers_server.requests[-1]
    assert len(auth_headers(request)) == 1
    assert CALLERS_KEY in str(request.headers)
    assert SECRET not in repr(request)
