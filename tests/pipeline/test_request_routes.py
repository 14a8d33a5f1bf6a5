"""Routes that requests describe, in the fields of OpenRouter's clients, and what headers change."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from headway.dialects.anthropic.messages import AnthropicMessages
from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai_responses.dialect import OpenAIResponses
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook
from headway.pipeline.caching import name_route
from headway.routing.model_aliases import ModelAliases
from headway.routing.route import Limits
from headway.routing.wishes import NO_WISHES, Wishes
from support.for_each import for_each
from support.pipeline_fakes import NO_PRICES, OPENAI, WHOLE
from support.routed_pipe import ROUTE, RoutedPipe, target

BUSY = b'{"error":{"message":"busy"}}'


def fail_all(pipe: RoutedPipe) -> list[str]:
    """The providers in the order in which they were asked."""
    asked: list[str] = []
    while not pipe.sink.is_over:
        before = pipe.requests
        name = next(
            name
            for name, transport in pipe.transports.items()
            if any(not one.history for one in transport.upstream_requests)
        )
        asked.append(name)
        pipe.asked(name).history.append("failed")
        pipe.asked(name).whole(BUSY, status=503)
        assert pipe.requests != before or pipe.sink.is_over
    return asked


def order(*headers: tuple[bytes, bytes], pipe: RoutedPipe | None = None, **fields: Any) -> str:
    pipe = pipe or RoutedPipe()
    pipe.ask_route(*headers, **fields)
    return " ".join(fail_all(pipe))


def refusal(*headers: tuple[bytes, bytes], **fields: Any) -> dict[str, Any]:
    pipe = RoutedPipe()
    pipe.ask_route(*headers, **fields)
    assert pipe.requests == (0, 0, 0)
    error: dict[str, Any] = pipe.sink.json["error"]
    return error


def test_the_models_of_a_request_are_tried_after_its_model() -> None:
    assert order(model="two/m", models=["one/m", "two/m", "three/m"]) == "two one three"
    pipe = RoutedPipe()
    pipe.ask_route(model="two/m", models=["one/m"])
    pipe.asked("two").whole(BUSY, status=503)
    pipe.asked("one").whole(WHOLE)
    assert pipe.sink.headers[b"x-headway-route"] == b"request"
    assert pipe.sink.headers[b"x-headway-served-by"] == b"one/m"
    assert json.loads(pipe.asked("one").request.body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
    }
    assert [record.route_name for record in pipe.records] == ["request", "request"]


def test_a_route_among_the_models_stands_for_its_targets() -> None:
    assert order(model="three/x", models=[ROUTE]) == "three one two three"
    assert order(model=ROUTE, models=["one/x"]) == "one two three one"


FORMATS: list[tuple[Dialect, dict[str, Any]]] = [
    (OPENAI, {"messages": [{"role": "user", "content": "Hi"}]}),
    (AnthropicMessages(), {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}),
    (OpenAIResponses(), {"input": "Hi"}),
    (OpenAIEmbeddings(), {"input": "Hi"}),
]


@for_each(("dialect", "body"), FORMATS)
def test_every_format_may_have_the_fields_and_no_provider_gets_them(
    dialect: Dialect, body: dict[str, Any]
) -> None:
    pipe = RoutedPipe()
    asked = {**body, "model": "one/m", "models": ["two/m"], "provider": {"ignore": ["one"]}}
    pipe.send(ClientRequest("", [], json.dumps(asked).encode()), dialect)
    assert pipe.requests == (0, 1, 0)
    sent = json.loads(pipe.asked("two").request.body)
    assert "models" not in sent
    assert "provider" not in sent


def test_without_a_wish_in_the_fields_a_model_is_called_as_ever() -> None:
    pipe = RoutedPipe()
    pipe.ask_route(model="one/m", models=None, provider={"allow_fallbacks": True})
    pipe.asked("one").whole(WHOLE)
    assert b"x-headway-route" not in pipe.sink.headers
    assert b"provider" not in pipe.asked("one").request.body
    pipe = RoutedPipe()
    pipe.ask_route(model=ROUTE, provider={})
    pipe.asked("one").whole(WHOLE)
    assert pipe.sink.headers[b"x-headway-route"] == ROUTE.encode()


PREFERENCES: list[tuple[dict[str, Any], str]] = [
    ({"order": ["Three", "one"]}, "three one two"),
    ({"order": ["three"], "allow_fallbacks": False}, "three"),
    ({"only": ["two", "three"]}, "two three"),
    ({"ignore": ["one"]}, "two three"),
    ({"only": ["openai"]}, "one two three"),
    ({"allow_fallbacks": False}, "one"),
    ({"sort": "price"}, "two one three"),
    ({"max_price": {"prompt": 1}}, "one two"),
    ({"max_price": {"completion": "1.5"}}, "two"),
]


@for_each(("provider", "asked"), PREFERENCES)
def test_a_request_may_choose_among_the_targets_of_a_route(
    provider: dict[str, Any], asked: str
) -> None:
    pipe = RoutedPipe(targets=(target("one"), target("two"), target("three/unpriced")))
    assert order(pipe=with_prices(pipe), provider=provider) == asked


def with_prices(pipe: RoutedPipe) -> RoutedPipe:
    """``two`` is the cheapest, and of ``three`` no price is known."""

    def price(dollars: str, out: str) -> ConfiguredPrice:
        return ConfiguredPrice(input=Decimal(dollars), output=Decimal(out))

    book = PriceBook.load(
        NO_PRICES, {"one": {"m-one": price("1", "2")}, "two": {"m-two": price("0.5", "1")}}
    )
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, prices=book)
    return pipe


def test_where_no_target_is_left_the_client_learns_why() -> None:
    error = refusal(provider={"only": ["four"]}, model="two/m")
    assert error["code"] == "no_target"
    assert error["message"] == (
        "No target of the route 'request' can take this request. two/m is not in the request's "
        "provider.only."
    )


def test_a_name_that_several_providers_have_may_be_all_of_them() -> None:
    upstreams = {"one": {"models": ("m",)}, "three": {"models": ("m",)}}
    pipe = RoutedPipe(upstreams=upstreams)
    assert order(pipe=pipe, model="m", provider={"order": ["three"]}) == "three one"
    pipe = RoutedPipe(upstreams=upstreams)
    pipe.ask_route(model="m")
    assert pipe.sink.json["error"]["param"] == "model"
    assert order(pipe=RoutedPipe(upstreams=upstreams), model="two/x", models=["m"]) == (
        "two one three"
    )


def test_wrong_names_and_fields_are_the_clients_errors() -> None:
    assert refusal(models=["one/m", "four/m"])["param"] == "models[1]"
    assert refusal(models=["one/m", "no-such"])["param"] == "models[1]"
    assert refusal(provider={"zdr": True})["param"] == "provider.zdr"
    assert refusal(model="no-such", provider={"sort": "price"})["param"] == "model"


def test_a_provider_that_routes_itself_gets_the_fields_as_they_are() -> None:
    pipe = RoutedPipe(kinds={"one": "openrouter", "two": "openai"})
    fields = {"models": ["a/b"], "provider": {"zdr": True}}
    pipe.ask_route(model="one/c/d", **fields)
    sent = json.loads(pipe.asked("one").request.body)
    assert {name: sent[name] for name in fields} == fields
    pipe = RoutedPipe(kinds={"one": "openrouter", "two": "openai"})
    pipe.ask_route(models=["two/x"])
    assert "models" not in json.loads(pipe.asked("one").request.body)


def test_a_target_that_would_not_get_a_parameter_may_be_left_out() -> None:
    pipe = RoutedPipe(kinds={"one": "perplexity", "two": "openai"})
    pipe.ask_route(provider={"require_parameters": True}, seed=5, logit_bias={"5": 1}, n=2)
    assert pipe.requests == (0, 1)
    assert "provider.require_parameters" in (pipe.asked("two") and str(decision(pipe)))


def decision(pipe: RoutedPipe) -> dict[str, Any]:
    pipe.asked("two").whole(WHOLE)
    (record,) = pipe.records
    found: dict[str, Any] = json.loads(record.decision or "{}")
    return found


# --- Headers --------------------------------------------------------------------------------------


def test_a_request_without_fallback_is_sent_to_one_target() -> None:
    assert order((b"x-headway-no-fallback", b"1")) == "one"
    assert order((b"x-headway-no-fallback", b"0")) == "one two three"
    long = b'{"error":{"message":"too long","code":"context_length_exceeded"}}'
    for headers, requests in (((), (1, 0, 1)), (((b"x-headway-no-fallback", b"1"),), (1, 0, 0))):
        pipe = RoutedPipe(
            targets=(target("one"), target("two")), on_context_window=(target("three"),)
        )
        pipe.ask_route(*headers)
        pipe.asked("one").whole(long, status=400)
        assert pipe.requests == requests


def test_a_request_may_ask_for_retries_on_each_target() -> None:
    assert order((b"x-headway-retries", b"1")) == "one one two two three three"
    pipe = RoutedPipe(retries=1)
    assert order((b"x-litellm-num-retries", b"0"), pipe=pipe) == "one two three"
    assert order((b"x-headway-retries", b"2"), model="one/m") == "one one one"


TIMES: list[tuple[list[tuple[bytes, bytes]], float | None, float]] = [
    ([(b"x-headway-timeout", b"5")], None, 5.0),
    ([(b"x-litellm-timeout", b"5")], 9.0, 5.0),
    ([(b"x-headway-timeout", b"50")], 9.0, 9.0),
    ([(b"x-stainless-read-timeout", b"5")], 9.0, 5.0),
    ([(b"x-stainless-read-timeout", b"no")], 9.0, 9.0),
    ([(b"x-stainless-read-timeout", b"7"), (b"x-headway-timeout", b"8")], None, 7.0),
]


@for_each(("headers", "total", "seconds"), TIMES)
def test_a_call_ends_when_its_client_has_no_more_time(
    headers: list[tuple[bytes, bytes]], total: float | None, seconds: float
) -> None:
    pipe = RoutedPipe(limits=Limits(total=total))
    pipe.ask_route(*headers)
    pipe.advance(seconds - 0.1)
    assert not pipe.sink.is_over
    pipe.advance(0.2)
    assert (pipe.sink.status, pipe.sink.json["error"]["code"]) == (504, "deadline_exceeded")


def test_a_stream_may_last_longer_than_its_client_waits_for_a_byte() -> None:
    pipe = RoutedPipe()
    pipe.ask_route((b"x-stainless-read-timeout", b"5"), stream=True)
    assert pipe.timers == []


def test_a_call_of_one_model_has_no_more_time_than_its_client_gives_it() -> None:
    pipe = RoutedPipe()
    pipe.ask_route((b"x-headway-timeout", b"5"), model="one/m")
    pipe.advance(5.1)
    assert (pipe.sink.status, pipe.sink.json["error"]["code"]) == (504, "deadline_exceeded")
    pipe = RoutedPipe()
    pipe.ask_route((b"x-stainless-read-timeout", b"5"), model="one/m")
    assert pipe.timers == []


def test_a_wrong_header_is_the_clients_error() -> None:
    error = refusal((b"x-headway-timeout", b"soon"))
    assert (error["param"], error["type"]) == ("x-headway-timeout", "invalid_request_error")
    assert refusal((b"x-headway-retries", b"99"), model="one/m")["param"] == "x-headway-retries"


def test_an_alias_may_be_the_first_of_the_models() -> None:
    pipe = RoutedPipe()
    aliases = ModelAliases.from_table({"fast": "two/m"})
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, aliases=aliases)
    assert order(pipe=pipe, model="fast", models=["one/m"]) == "two one"


def test_what_is_kept_for_a_request_is_not_for_one_with_other_wishes() -> None:
    route = RoutedPipe().route
    assert name_route(route, NO_WISHES) == name_route(route, Wishes())
    assert name_route(route, Wishes(only=("one",))) != name_route(route, Wishes(only=("two",)))
    assert name_route(route, Wishes(only=("one",))) != name_route(route, NO_WISHES)
