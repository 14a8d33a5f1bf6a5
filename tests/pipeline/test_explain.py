"""What would happen to a request, target by target."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.engine import Engine
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import (
    Forbidden,
    HeadwayError,
    InvalidField,
    UnknownProvider,
    UpstreamRateLimited,
)
from headway.pipeline.cache_policy import CachePolicy
from headway.pipeline.explain import explain, find_cache_state, open_call
from headway.pipeline.explanation import Explanation
from headway.policy.base_urls import BaseUrlPolicy
from headway.policy.keys import KeyId
from headway.ports import CachedResponse
from headway.response_cache.memory import MemoryCache
from headway.routing.conditions import Table, compile_table
from headway.routing.route import CacheRule, Hedging, Limits, Shadow
from support.for_each import for_each
from support.pipeline_fakes import OPENAI, WHOLE
from support.routed_pipe import ROUTE, RoutedPipe, several_keys, target

HELLO = [{"role": "user", "content": "Hi"}]
NO_MEANS: Mapping[str, float] = {}


def explained(
    pipe: RoutedPipe,
    *headers: tuple[bytes, bytes],
    dialect: Dialect = OPENAI,
    tokens: int | None = None,
    means: Mapping[str, float] = NO_MEANS,
    **fields: Any,
) -> Explanation:
    body = {"model": ROUTE, "messages": HELLO, **fields}
    request = ClientRequest("", headers, json.dumps(body).encode())

    async def ask() -> Explanation:
        call = await open_call(pipe.gateway, dialect, request, KeyId("k1"))
        return explain(call, tokens, means, await find_cache_state(call))

    found = asyncio.run(ask())
    assert pipe.requests == (0,) * len(pipe.transports)
    assert pipe.records == []
    return found


def test_a_route_is_explained_target_by_target() -> None:
    gold = compile_table(Table(tags=("gold",)))
    pipe = RoutedPipe(targets=(target("one", condition=gold), target("two"), target("three")))
    found = explained(pipe, (b"x-headway-tags", b"vip"), tools=[{}], max_tokens=100, user="ann")
    assert (found.model, found.route, found.why) == (ROUTE, ROUTE, "ordered")
    assert found.order == ("two/m-two", "three/m-three")
    assert (found.refusal, found.cache) == (None, None)
    assert [(each.target, each.place, each.skipped) for each in found.targets] == [
        ("one/m-one", None, "is for requests with: tags gold"),
        ("two/m-two", 1, None),
        ("three/m-three", 2, None),
    ]
    assert found.targets[0].condition == "tags gold"
    request = found.request
    assert (request.dialect, request.operation, request.stream) == ("openai_chat", "chat", False)
    assert (request.needs, request.tags, request.user) == (("tools",), ("vip",), "ann")
    assert (request.key, request.session, request.max_output_tokens) == ("k1", "", 100)


def test_the_order_is_what_a_call_does() -> None:
    pipe = RoutedPipe(
        targets=(target("one", weight=1.0), target("two", weight=3.0)), strategy="weighted"
    )
    for draw in (0.1, 0.5, 0.9):
        pipe.rng = draw
        found = explained(pipe)
        again = RoutedPipe(targets=pipe.route.targets, strategy="weighted")
        again.rng = draw
        again.ask_route()
        first = found.order[0].partition("/")[0]
        assert len(again.sent_to(first)) == 1
    assert [each.weight for each in found.targets] == [1.0, 3.0]


def test_the_price_is_that_of_the_tokens() -> None:
    pipe = RoutedPipe(targets=(target("one"), target("two/unpriced")))
    found = explained(pipe, tokens=1000, max_tokens=50)
    price = found.targets[0].price
    assert (price.input_usd_per_mtok, price.output_usd_per_mtok) == (1.0, 2.0)
    assert (price.output_tokens, price.output_tokens_source) == (50, "max_tokens")
    assert price.estimated_usd == pytest.approx((1000 * 1 + 50 * 2) / 1e6)
    assert found.targets[1].price.estimated_usd is None
    assert (found.request.input_tokens, found.request.input_tokens_source) == (1000, "counted")
    found = explained(pipe, means={"one/m-one": 123.45})
    prices = [each.price for each in found.targets]
    assert (prices[0].output_tokens, prices[0].output_tokens_source) == (123.5, "mean")
    assert (prices[1].output_tokens, prices[1].output_tokens_source) == (500, "assumed")
    assert found.request.input_tokens_source == "estimated"
    assert found.request.input_tokens == found.request.estimated_tokens > 0


def test_what_a_target_cannot_be_sent_is_told_with_what_is_changed() -> None:
    pipe = RoutedPipe(kinds={"one": "perplexity", "two": "anthropic", "three": "openai"})
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    found = explained(pipe, messages=[{"role": "user", "content": [part]}], seed=5)
    assert found.order == ("three/m-three",)
    assert [each.skipped for each in found.targets] == ["takes no audio", "takes no audio", None]
    assert [each.kind for each in found.targets] == ["perplexity", "anthropic", "openai"]
    assert "audio" in found.targets[0].lacks
    found = explained(pipe, seed=5)
    assert any(each.startswith("dropped seed") for each in found.targets[1].transformations)
    assert found.targets[2].transformations == ()
    found = explained(pipe, seed=5, strict=True)
    assert (found.targets[1].skipped or "").startswith("cannot be sent it: strict: two would get")


def test_where_nothing_can_be_sent_the_error_is_told() -> None:
    pipe = RoutedPipe(
        targets=(target("one"), target("gone/m")), upstreams={"one": {"api_key": None}}
    )
    found = explained(pipe)
    assert found.order == ()
    assert found.refusal is not None
    assert "gone/m has no provider of that name" in found.refusal
    assert "one/m-one cannot be sent it: There is no key for one" in found.refusal
    assert found.targets[1].kind is None


def test_what_follows_and_what_is_copied_is_told() -> None:
    pipe = RoutedPipe(
        targets=(target("one", context_window=1),),
        on_context_window=(target("two"),),
        on_content_policy=(target("three"),),
        shadow=Shadow(target=target("three/s"), share=0.1),
    )
    found = explained(pipe)
    assert found.why == "on_context_window, ordered"
    assert found.order == ("two/m-two",)
    assert [(each.target, each.role, each.place) for each in found.targets] == [
        ("one/m-one", "target", None),
        ("two/m-two", "on_context_window", 1),
        ("three/m-three", "on_content_policy", None),
        ("three/s", "shadow", None),
    ]
    assert (found.targets[0].skipped or "").startswith("takes 1 tokens, and the prompt has about ")
    assert found.rules.shadow_share == 0.1


def test_the_rules_are_those_of_the_route_and_of_the_headers() -> None:
    pipe = RoutedPipe(
        retries=1,
        limits=Limits(total=9.0, idle=2.0),
        fail_on=frozenset({"empty"}),
        hedging=Hedging(),
    )
    found = explained(pipe, (b"x-headway-timeout", b"5"), (b"x-headway-retries", b"2"))
    rules = found.rules
    assert (rules.retries, rules.max_attempts, rules.fail_on) == (2, 6, ("empty",))
    assert (rules.limits.total, rules.limits.idle) == (5.0, 2.0)
    assert (rules.hedge_max_share, rules.strategy, rules.sticky) == (0.05, "ordered", None)
    found = explained(pipe, (b"x-headway-no-fallback", b"1"))
    assert (found.order, found.why) == (("one/m-one",), "ordered, without fallbacks")
    found = explained(pipe, model="two/x", models=["one/y"])
    assert (found.route, found.order) == ("request", ("two/x", "one/y"))


def test_the_state_of_each_target_is_told() -> None:
    pipe = RoutedPipe(hedging=Hedging())
    state = pipe.gateway.routing_state.target("one/m-one")
    state.breaker.open(pipe.clock.now)
    speed = pipe.gateway.routing_state.target("two/m-two").streams
    for _ in range(30):
        speed.observe(0.25, pipe.clock.now)
        speed.observe_rate(100, 2.0)
    found = explained(pipe, stream=True)
    one, two, three = (each.state for each in found.targets)
    assert (one.breaker, one.rests_s, found.targets[0].skipped) == (
        "open",
        15.0,
        "failed lately: rests for 15 s",
    )
    assert (two.breaker, two.time_to_first_token_s, two.tokens_per_second) == ("closed", 0.25, 50.0)
    assert two.hedge_delay_s == pytest.approx(0.25, rel=0.2)
    assert (three.time_to_first_token_s, three.hedge_delay_s, three.outstanding) == (None, None, 0)


def test_each_key_is_told_with_how_long_it_waits_and_never_itself() -> None:
    pipe = RoutedPipe(upstreams={"one": {"keys": several_keys("one")}})
    state = pipe.gateway.routing_state
    observer = state.begin("one/m-one", "one#2", pipe.clock.now, stream=False)
    observer.on_failure(UpstreamRateLimited("Slow.", retry_after_s=7.0), pipe.clock.now)
    found = explained(pipe)
    assert [(key.name, key.waits_s) for key in found.targets[0].keys] == [("1", 0.0), ("2", 7.0)]
    assert [key.name for key in found.targets[1].keys] == ["two"]
    assert "sk-secret" not in repr(found)


# --- One model ------------------------------------------------------------------------------------


def test_a_request_of_one_model_is_explained_too() -> None:
    found = explained(RoutedPipe(), model="two/m-two")
    assert (found.route, found.why, found.order) == (None, "one model", ("two/m-two",))
    (only,) = found.targets
    assert (only.place, only.skipped, only.price.input_usd_per_mtok) == (1, None, 1.0)
    assert found.rules.max_attempts == 1


def test_a_key_of_the_clients_own_makes_up_for_one_that_is_missing() -> None:
    pipe = RoutedPipe(upstreams={"one": {"api_key": None, "has_key": False}})
    found = explained(pipe, model="one/m")
    assert found.order == ()
    assert "There is no key for one" in (found.refusal or "")
    assert explained(pipe, (b"x-headway-provider-key", b"own"), model="one/m").order == ("one/m",)


ERRORS: list[tuple[dict[str, Any], type[HeadwayError]]] = [
    ({"model": "nobody/m"}, UnknownProvider),
    ({"messages": "Hi"}, InvalidField),
    ({"provider": {"zdr": True}}, InvalidField),
    ({"model": "one/" + "m" * 5000}, InvalidField),
]


@for_each(("fields", "error"), ERRORS)
def test_a_request_that_would_be_refused_is_refused_in_the_same_way(
    fields: dict[str, Any], error: type[HeadwayError]
) -> None:
    with pytest.raises(error):
        explained(RoutedPipe(), **fields)


def test_an_address_of_the_clients_own_needs_leave() -> None:
    pipe = RoutedPipe()
    policy = BaseUrlPolicy(is_open=False)
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, base_urls=policy)
    body = {"model": "m", "chat_input": "Hi", "base_url": "http://own/v1"}
    request = ClientRequest("one", (), json.dumps(body).encode())
    with pytest.raises(Forbidden):
        asyncio.run(open_call(pipe.gateway, Engine(), request, KeyId("k1")))


def test_other_formats_and_operations_are_explained() -> None:
    found = explained(RoutedPipe(), dialect=AnthropicMessages(), max_tokens=5)
    assert found.request.dialect == "anthropic_messages"
    assert found.order[0] == "one/m-one"
    pipe = RoutedPipe(kinds={"one": "groq", "two": "openai"})
    found = explained(pipe, dialect=OpenAIEmbeddings(), input="Hi")
    assert found.request.operation == "embeddings"
    assert (found.order, found.targets[0].skipped) == (("two/m-two",), "has no embeddings")


# --- The cache ------------------------------------------------------------------------------------


def cache_state(pipe: RoutedPipe, *headers: tuple[bytes, bytes], **fields: Any) -> str | None:
    body = {"model": ROUTE, "messages": HELLO, **fields}
    request = ClientRequest("", headers, json.dumps(body).encode())

    async def ask() -> str | None:
        call = await open_call(pipe.gateway, OPENAI, request, KeyId("anonymous"))
        return await find_cache_state(call)

    return asyncio.run(ask())


class SharedCache(MemoryCache):
    """Another process has kept what this one has not."""

    is_shared = True

    def get(self, key: bytes, now: float) -> CachedResponse | None:
        return None

    async def load(self, key: bytes, now: float) -> CachedResponse | None:
        return super().get(key, now)


@for_each("cache", [MemoryCache, SharedCache])
def test_whether_a_kept_response_would_be_the_answer_is_told(cache: type[MemoryCache]) -> None:
    pipe = RoutedPipe(cache=CacheRule(ttl_s=60.0))
    pipe.gateway.response_cache = cache(1_000_000)
    assert cache_state(pipe) == "miss"
    pipe.ask_route()
    pipe.asked("one").whole(WHOLE)
    assert cache_state(pipe) == "hit"
    assert cache_state(pipe, temperature=1) == "miss"
    assert cache_state(pipe, (b"cache-control", b"no-cache")) == "miss"
    assert cache_state(pipe, (b"cache-control", b"no-cache, no-store")) == "bypass"
    assert cache_state(pipe, tools=[{}]) == "bypass"
    assert cache_state(pipe, model="one/m-one") is None


def test_of_one_model_the_cache_is_that_of_the_gateway() -> None:
    pipe = RoutedPipe()
    pipe.gateway.response_cache = MemoryCache(1_000_000)
    assert cache_state(pipe, model="one/m-one") is None
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, cache=CachePolicy(ttl_s=60.0))
    assert cache_state(pipe, model="one/m-one") == "miss"
    pipe.ask_route(model="one/m-one")
    pipe.asked("one").whole(WHOLE)
    assert cache_state(pipe, model="one/m-one") == "hit"
    assert cache_state(pipe, model="two/m-two") == "miss"
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, cache=CachePolicy())
    assert cache_state(pipe, (b"x-headway-cache-ttl", b"60"), model="one/m-one") == "hit"
