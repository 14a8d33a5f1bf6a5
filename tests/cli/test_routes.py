from __future__ import annotations

import json

import msgspec
import pytest
from typer.testing import CliRunner

from headway.cli import routes
from headway.cli.app import app
from headway.routing.route import Shadow
from headway.server.api.routes_route import RouteStates, route_states
from support.routed_pipe import RoutedPipe, target


def ask(monkeypatch: pytest.MonkeyPatch, found: RouteStates, *options: str) -> str:
    monkeypatch.setattr(routes, "get_json", lambda *_: msgspec.json.encode(found))
    result = CliRunner().invoke(app, ["routes", *options])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_each_target_of_a_route_is_a_row_with_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = RoutedPipe(
        on_context_window=(target("two/large"),), shadow=Shadow(target=target("one/x"), share=0.1)
    )
    state, now = pipe.gateway.routing_state, pipe.gateway.clock()
    observer = state.begin("one/m-one", "one", now - 2.0, True)
    observer.on_content(now - 1.5)
    observer.on_success(now - 0.5, 100)
    state.begin("one/m-one", "one", now, True)
    state.target("two/m-two").breaker.open(now, 12.0)
    state.target("three/m-three").breaker.open(now - 9.0, 1.0)
    state.target("two/large").breaker.open(now - 9.0, 1.0)
    state.begin("two/large", "two", now, True)
    found = route_states(pipe.gateway)
    rows = [line.split("\t") for line in ask(monkeypatch, found).splitlines()]
    assert [row[:4] for row in rows] == [
        ["smart (ordered)", "one/m-one", "closed", "1"],
        ["smart (ordered)", "two/m-two", "left alone for 12 s", ""],
        ["smart (ordered)", "three/m-three", "next request tries it", ""],
        ["smart (context)", "two/large", "being tried", "1"],
        ["smart (copies)", "one/x", "closed", ""],
    ]
    assert rows[0][4:6] == ["500ms / 500ms", "100.0"]
    assert json.loads(ask(monkeypatch, found, "--json"))["data"][0]["name"] == "smart"
    assert ask(monkeypatch, RouteStates(data=(), note="")) == ""
