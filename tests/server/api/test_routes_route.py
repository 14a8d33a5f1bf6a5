"""The routes and what is known of their targets."""

from __future__ import annotations

import msgspec

from headway.pipeline.gateway import UpstreamKey
from headway.routing.route import Shadow
from headway.server.api.routes_route import route_states
from support.routed_pipe import RoutedPipe, target

KEYS = tuple(UpstreamKey(id=f"one#{at}", name=str(at), key=f"sk-secret-{at}") for at in (1, 2))


def test_each_target_has_its_state_and_no_key_its_value() -> None:
    pipe = RoutedPipe(
        kinds={"one": "openai", "two": "openai"},
        targets=(target("one", weight=3.0), target("two"), target("two/*")),
        upstreams={"one": {"keys": KEYS}},
        on_context_window=(target("two"),),
        shadow=Shadow(target=target("two/small"), share=0.0),
    )
    gateway = pipe.gateway
    state, now = gateway.routing_state, gateway.clock()
    observer = state.begin("one/m-one", "one#1", now - 2.0, True)
    observer.on_content(now - 1.5)
    observer.on_success(now - 0.5, 100)
    state.begin("one/m-one", "one#1", now, True)
    state.target("two/m-two").breaker.open(now, 12.0)
    state.target("one/m-one").keys["one#2"] = failed = state.target("x/y").breaker
    failed.open(now, 7.0)
    [route] = route_states(gateway).data
    one, two, many = route.targets
    assert (route.name, route.strategy) == ("smart", "ordered")
    assert (one.target, one.weight, one.state, one.outstanding) == ("one/m-one", 3.0, "closed", 1)
    assert one.streams is not None
    assert (one.streams.p50_s, one.streams.p95_s, one.streams.tokens_per_second) == (
        0.5, 0.5, 100.0,
    )  # fmt: skip
    assert [(key.id, key.is_left_alone, key.left_alone_s) for key in one.keys] == [
        ("one#1", False, 0.0), ("one#2", True, 7.0),
    ]  # fmt: skip
    assert (two.state, two.left_alone_s, two.is_being_tried) == ("open", 12.0, False)
    assert (many.target, many.state, many.streams) == ("two/*", None, None)
    assert [each.target for each in route.on_context_window] == ["two/m-two"]
    assert route.shadow is not None
    assert b"sk-secret" not in msgspec.json.encode(route_states(gateway))


def test_a_target_that_is_tried_says_so() -> None:
    pipe = RoutedPipe()
    state, now = pipe.gateway.routing_state, pipe.gateway.clock()
    state.target("one/m-one").breaker.open(now - 5.0, 1.0)
    assert route_states(pipe.gateway).data[0].targets[0].state == "half_open"
    assert not route_states(pipe.gateway).data[0].targets[0].is_being_tried
    state.begin("one/m-one", "one", now, True)
    assert route_states(pipe.gateway).data[0].targets[0].is_being_tried
