from __future__ import annotations

from headway.routing.abilities import (
    NEEDS,
    TargetFacts,
    find_doubt,
    find_refusal,
)
from headway.routing.conditions import Table, compile_table
from headway.routing.route import RouteTarget
from headway.routing.routed_request import RoutedRequest
from headway.routing.wishes import NO_WISHES, Wishes
from support.for_each import for_each

TARGET = RouteTarget(provider="p", model="m")
FACTS = TargetFacts(
    names=frozenset({"p", "kind"}),
    lacks=frozenset({"images", "audio"}),
    operations=frozenset({"images"}),
    context_window=1000,
    input_usd=1.0,
    output_usd=2.5,
)


def request(**more: object) -> RoutedRequest:
    return RoutedRequest(model="r", dialect="openai", **more)  # type: ignore[arg-type]


# the request, why the target cannot answer it
REQUESTS: list[tuple[RoutedRequest, str | None]] = [
    (request(), None),
    (request(needs=frozenset({"tools"})), None),
    (request(needs=frozenset({"images"})), "takes no images"),
    (request(needs=frozenset(NEEDS)), "takes no images and takes no audio"),
    (request(operation="images"), None),
    (request(operation="embeddings"), "has no embeddings"),
    (request(input_tokens=10**9), None),
]


@for_each(("asked", "reason"), REQUESTS)
def test_what_a_target_lacks_is_a_reason(asked: RoutedRequest, reason: str | None) -> None:
    assert find_refusal(TARGET, FACTS, asked) == reason


def test_what_is_unknown_of_a_target_is_no_reason() -> None:
    asked = request(needs=frozenset(NEEDS), operation="images", input_tokens=10**9)
    assert find_refusal(TARGET, TargetFacts(), asked) is None


def test_a_target_without_a_provider_or_a_key_cannot_be_used() -> None:
    facts = TargetFacts(unusable="has no key", lacks=frozenset({"tools"}))
    assert find_refusal(TARGET, facts, request(needs=frozenset({"tools"}))) == "has no key"


def test_a_condition_that_does_not_hold_is_a_reason() -> None:
    condition = compile_table(Table(tags=("vip",), stream=True))
    target = RouteTarget(provider="p", model="m", condition=condition)
    assert find_refusal(target, FACTS, request(stream=True)) == "is for requests with: tags vip"
    assert find_refusal(target, FACTS, request(stream=True, tags=("vip",))) is None


DOUBTS: list[tuple[RouteTarget, RoutedRequest, str | None]] = [
    (TARGET, request(input_tokens=1000), None),
    (TARGET, request(input_tokens=1001), "takes 1000 tokens, and the prompt has about 1001"),
    (TARGET, request(needs=frozenset({"tools"})), "has no tools"),
    (
        TARGET,
        request(needs=frozenset({"tools", "json_schema"})),
        "has no tools and follows no JSON schema",
    ),
    (RouteTarget(provider="p", model="m", context_window=2000), request(input_tokens=2000), None),
    (
        RouteTarget(provider="p", model="m", context_window=500),
        request(input_tokens=501),
        "takes 500 tokens, and the prompt has about 501",
    ),
    (
        RouteTarget(provider="p", model="m", supports=frozenset({"tools"})),
        request(needs=frozenset({"tools"})),
        None,
    ),
]


@for_each(("target", "asked", "doubt"), DOUBTS)
def test_what_the_data_says_is_a_doubt_unless_the_configuration_knows_better(
    target: RouteTarget, asked: RoutedRequest, doubt: str | None
) -> None:
    facts = TargetFacts(context_window=1000, may_lack=frozenset({"tools", "json_schema"}))
    assert find_doubt(target, facts, asked) == doubt
    assert find_doubt(target, TargetFacts(), asked) == (doubt if target.context_window else None)


# the wishes, why they exclude the target
WISHES: list[tuple[Wishes, str | None]] = [
    (NO_WISHES, None),
    (Wishes(), None),
    (Wishes(only=("other", "kind")), None),
    (Wishes(only=("other",)), "is not in the request's provider.only"),
    (Wishes(ignore=("other",)), None),
    (Wishes(ignore=("other", "p")), "is in the request's provider.ignore"),
    (Wishes(order=("other",)), None),
    (Wishes(order=("other", "p"), allows_fallbacks=False), None),
    (
        Wishes(order=("other",), allows_fallbacks=False),
        "is not in the request's provider.order, which allows no fallbacks",
    ),
    (Wishes(max_input_usd=1.0, max_output_usd=2.5), None),
    (
        Wishes(max_input_usd=0.5, max_output_usd=0.5),
        "costs 1 a million tokens, above the request's provider.max_price.prompt",
    ),
    (
        Wishes(max_output_usd=2.25),
        "costs 2.5 a million tokens, above the request's provider.max_price.completion",
    ),
]


@for_each(("wishes", "reason"), WISHES)
def test_a_request_may_exclude_targets(wishes: Wishes, reason: str | None) -> None:
    assert find_refusal(TARGET, FACTS, request(), wishes) == reason


def test_a_request_with_a_highest_price_uses_no_target_of_unknown_price() -> None:
    reason = find_refusal(TARGET, TargetFacts(), request(), Wishes(max_input_usd=1.0))
    assert reason == "has no known price, and the request a provider.max_price.prompt"
