"""One scripted provider, one running server for each mode, and others on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.gateway_process import SERVER_KEY, SERVER_MODES, Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import Answer, Upstream

BODY_LIMIT = 1 << 20
UNREACHABLE = "http://127.0.0.1:1/v1"
"""Port 1 (tcpmux) is closed on every machine that runs tests."""

HELLO_ANSWER = Answer((role(), text("Hello"), text(" there"), text("!"), finish(), usage(), DONE))

Launch = Callable[..., Gateway]


def standard_config(upstream: Upstream) -> dict[str, Any]:
    """The configuration of the suite's shared servers."""
    base_url = upstream.base_url
    return {
        "server": {"body_limit": BODY_LIMIT},
        "providers": {
            "openai": {"kind": "openai", "base_url": base_url, "api_key": SERVER_KEY},
            "keyless": {"kind": "openai", "base_url": base_url},
            "needy": {"kind": "openai"},
            "unreachable": {"kind": "openai", "base_url": UNREACHABLE},
            "hasty": {
                "kind": "openai",
                "base_url": base_url,
                "timeouts": {"first_byte": 0.4, "idle": 0.4},
            },
            "echo": {"kind": "echo"},
        },
    }


@pytest.fixture(scope="session")
def scripted() -> Iterator[Upstream]:
    upstream = Upstream(HELLO_ANSWER)
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(scripted: Upstream) -> Upstream:
    """The scripted provider, with nothing played and nothing received."""
    scripted.reset()
    return scripted


@pytest.fixture(scope="session")
def shared(
    tmp_path_factory: pytest.TempPathFactory, scripted: Upstream
) -> Iterator[Callable[[str], Gateway]]:
    """The running server in a mode, started when first requested."""
    running: dict[str, Gateway] = {}

    def get(mode: str) -> Gateway:
        if mode not in running:
            directory = tmp_path_factory.mktemp(mode)
            running[mode] = Gateway.start(directory, standard_config(scripted), mode=mode)
        return running[mode]

    yield get
    stop_all(list(running.values()))


@pytest.fixture(params=SERVER_MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gateway(mode: str, shared: Callable[[str], Gateway], upstream: Upstream) -> Gateway:
    """A server, once in each mode."""
    return shared(mode)


@pytest.fixture
def server(shared: Callable[[str], Gateway], upstream: Upstream) -> Gateway:
    """A server in its default mode."""
    return shared("direct")


@pytest.fixture
def launch(tmp_path: Path, upstream: Upstream) -> Iterator[Launch]:
    """Starts servers of the test's own; ``changes`` replace parts of the standard configuration."""
    started: list[Gateway] = []

    def start(changes: Mapping[str, Any] | None = None, **options: Any) -> Gateway:
        directory = tmp_path / str(len(started))
        config = {**standard_config(upstream), **(changes or {})}
        started.append(Gateway.start(directory, config, **options))
        return started[-1]

    yield start
    stop_all(started)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, scripted: Upstream) -> Iterator[Launch]:
    """Starts servers that the tests of a module share: one for each mode and ``changes``, which
    replace parts of the standard configuration."""
    running: dict[str, Gateway] = {}

    def get(changes: Mapping[str, Any] | None = None, *, mode: str = "direct") -> Gateway:
        key = json.dumps([mode, changes])
        if key not in running:
            config = {**standard_config(scripted), **(changes or {})}
            running[key] = Gateway.start(tmp_path_factory.mktemp("lasting"), config, mode=mode)
        return running[key]

    yield get
    stop_all(list(running.values()))


def stop_all(gateways: list[Gateway]) -> None:
    """Stops them, then holds each to the promise that no key came out."""
    for gateway in gateways:
        gateway.stop()
    leaks = [leak for gateway in gateways for leak in gateway.leaks()]
    assert not leaks, leaks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The search for leaked keys comes after everything that could leak one."""
    items.sort(key=lambda item: "whole_suite" in item.name)
