"""What the small routes answer: of models, from bundled data and from the providers themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from msgspec.structs import replace

from headway.catalog import live_models, model_catalog
from headway.catalog.catalog_cache import CatalogCache
from headway.errors import InvalidField, UnknownProvider, UpstreamError, UpstreamUnreachable
from headway.metering.prices import ConfiguredPrice, PriceBook, read_shipped_prices
from headway.pipeline.gateway import Gateway, Upstream
from headway.ports import ResponseReceiver
from headway.providers import KINDS
from headway.server.api import info_routes
from headway.server.api.info_routes import InfoRoutes
from headway.types import HttpRequest, Timeouts
from pipeline_fakes import KEY, Pipe

NOW = 1_760_000_000.0
"""Unix time: October 2025."""
OWN_PRICE = {"mine": {"a": ConfiguredPrice(input=Decimal(1), cached=Decimal("0.5"))}}


def make(upstreams: Mapping[str, Upstream]) -> Gateway:
    gateway = Pipe().gateway
    gateway.unix_time = lambda: NOW
    prices = PriceBook.load(read_shipped_prices(), OWN_PRICE)
    gateway.snapshot = replace(gateway.snapshot, upstreams=upstreams, prices=prices)
    return gateway


def upstream(name: str, kind: str = "", base_url: str | None = None, **more: Any) -> Upstream:
    provider = KINDS[kind or name]
    known = Pipe().gateway.snapshot.upstreams["openai"]
    url = provider.base_url if base_url is None else base_url
    return replace(known, **{"name": name, "provider": provider, "base_url": url, **more})


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    """With the shipped prices, and one provider a kind besides ``mine``, which lists its models."""
    return make(
        {
            "openai": upstream("openai"),
            "mine": upstream("mine", "openai", "http://own", models=("b", "a", "o3")),
            "echo": upstream("echo"),
            "cohere": upstream("cohere"),
        }
    )


ROUTES: WeakKeyDictionary[Gateway, InfoRoutes] = WeakKeyDictionary()
"""Of each gateway one, for its cache."""


def answer(gateway: Gateway, path: str, **query: str) -> Any:
    routes = ROUTES.setdefault(gateway, InfoRoutes(gateway))
    return json.loads(asyncio.run(routes.respond(path, query)))


def listed(gateway: Gateway, provider: str, **query: str) -> Any:
    return answer(gateway, "/api/engine/models", provider=provider, **query)


def test_health_says_that_it_is_healthy(gateway: Gateway) -> None:
    health = answer(gateway, "/health")
    assert list(health) == ["status", "message"]
    assert health["status"] == "healthy"


def test_providers_are_listed_by_their_configured_names(gateway: Gateway) -> None:
    assert answer(gateway, "/api/engine/providers") == ["openai", "mine", "echo", "cohere"]


# --- Models, from bundled data --------------------------------------------------------------------

NOTHING_KNOWN = {"context_window": None, "prices": None, "refuses": [], "deprecated": None}


def test_models_are_listed_by_provider(gateway: Gateway) -> None:
    found = answer(gateway, "/api/engine/models")
    assert list(found) == ["openai", "mine", "echo", "cohere"]
    assert list(found["openai"]) == ["name", "models", "details", "source"]
    assert found["openai"]["name"] == "OpenAI"
    assert "gpt-4o-mini" in found["openai"]["models"]
    assert list(found["openai"]["details"]) == found["openai"]["models"]
    assert found["echo"] == {
        "name": "Echo",
        "models": ["echo"],
        "details": {"echo": NOTHING_KNOWN},
        "source": "bundled",
    }


def test_configured_models_are_those_of_the_provider(gateway: Gateway) -> None:
    found = listed(gateway, "mine")
    assert (found["models"], found["source"]) == (["b", "a", "o3"], "configuration")


def test_a_model_is_shown_with_its_window_its_prices_and_what_it_refuses(gateway: Gateway) -> None:
    assert listed(gateway, "openai")["details"]["o3"] == {
        "context_window": 200_000,
        "prices": {"input": 2.0, "output": 8.0, "cached": 0.5, "cache_write": None},
        "refuses": ["temperature", "top_p", "frequency_penalty", "presence_penalty"],
        "deprecated": False,
    }


def test_a_configured_model_has_the_configured_price_and_what_the_data_knows(
    gateway: Gateway,
) -> None:
    details = listed(gateway, "mine")["details"]
    assert details["a"]["prices"] == {
        "input": 1.0,
        "output": None,
        "cached": 0.5,
        "cache_write": None,
    }
    assert details["b"] == NOTHING_KNOWN
    assert details["o3"]["context_window"] == 200_000


def test_models_that_are_no_more_are_not_listed(gateway: Gateway) -> None:
    found = listed(gateway, "cohere")["models"]
    known = gateway.snapshot.prices.models("cohere", gateway.unix_time())
    gone = {model.id for model in known if model.deprecated}
    assert gone
    assert found
    assert not gone & set(found)


def test_a_model_that_is_no_more_is_told_so_where_it_is_configured() -> None:
    known = PriceBook.load(read_shipped_prices()).models("cohere", 1_800_000_000)
    gone = next(model.id for model in known if model.deprecated)
    own = make({"cohere": upstream("cohere", models=(gone,))})
    assert listed(own, "cohere")["details"][gone]["deprecated"] is True


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        ("gemini", ("gemini", "gemma")),
        ("vertex", ("gemini",)),
        ("vertex_anthropic", ("claude",)),
        ("bedrock_mantle", ("openai.",)),
    ],
)
def test_kinds_that_share_a_price_list_show_the_part_that_they_speak_to(
    kind: str, begins: tuple[str, ...]
) -> None:
    found = listed(make({kind: upstream(kind)}), kind)["models"]
    assert found
    assert [name for name in found if not name.startswith(begins)] == []


@pytest.mark.parametrize(
    ("name", "kind", "base_url", "has_vendor_models"),
    [
        ("mine", "openai", None, True),
        ("mine", "openai", "https://api.openai.com/v1/", True),
        ("mine", "openai", "https://eu.api.openai.com/v1", True),
        ("openai", "openai", "http://127.0.0.1:9/v1", True),
        ("mine", "openai", "http://127.0.0.1:9/v1", False),
        ("mine", "openai", "https://api.openai.com.evil.example/v1", False),
        ("mine", "openrouter", "https://eu.openrouter.ai/api/v1", True),
        ("mine", "openrouter", "https://not-openrouter.ai/api/v1", False),
        ("mine", "vertex", "https://us-central1-aiplatform.googleapis.com", True),
        ("mine", "bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com", True),
        ("mine", "bedrock", "http://own", False),
        ("mine", "azure_openai", "https://own.openai.azure.com", False),
        ("mine", "openai", "unix:/run/model.sock", False),
    ],
)
def test_a_server_of_ones_own_does_not_claim_the_vendors_models(
    name: str, kind: str, base_url: str | None, has_vendor_models: bool
) -> None:
    one = upstream(name, kind, base_url)
    assert model_catalog.serves_vendor_models(one) == has_vendor_models
    assert bool(listed(make({name: one}), name)["models"]) == has_vendor_models


def test_prices_are_those_of_the_hour_and_between_changes_nothing_is_made_anew() -> None:
    pipe = Pipe()
    own, prices = pipe.gateway, PriceBook.load(read_shipped_prices())
    only = {"deepseek": upstream("deepseek")}
    own.snapshot = replace(own.snapshot, prices=prices, upstreams=only)
    catalog = CatalogCache(own)
    seen: set[str] = set()
    for _ in range(48):
        found = asyncio.run(catalog.get(only, is_live=False))["deepseek"]
        assert asyncio.run(catalog.get(only, is_live=False))["deepseek"] is found
        seen.add(str([entry.details.prices for entry in found.entries]))
        pipe.clock.now += 1800
    assert len(seen) > 1  # by day and by night


def test_another_configuration_is_not_answered_from_the_memory_of_the_one_before() -> None:
    own = make({"openai": upstream("openai", models=("a",))})
    assert listed(own, "openai")["models"] == ["a"]
    again = {"openai": upstream("openai", models=("b",))}
    own.snapshot = replace(own.snapshot, upstreams=again)
    assert listed(own, "openai")["models"] == ["b"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", "a/b:c", "gpt-5 ü", "x" * 999, "claude-", "gemini-9.9-x"])
def test_any_name_of_a_model_can_be_shown(kind: str, name: str) -> None:
    assert list(listed(make({kind: upstream(kind, models=(name,))}), kind)["details"]) == [name]


# --- OpenAI's list --------------------------------------------------------------------------------


def test_openais_list_names_each_model_behind_its_provider(gateway: Gateway) -> None:
    found = answer(gateway, "/v1/models")
    assert list(found) == ["object", "data"]
    by_id = {model["id"]: model for model in found["data"]}
    four = {"id": "mine/b", "object": "model", "created": 0, "owned_by": "mine"}
    assert by_id["mine/b"] == {**four, **NOTHING_KNOWN}
    assert by_id["openai/o3"]["prices"]["input"] == 2
    assert "openai/gpt-4o" in by_id


def test_openais_list_can_be_of_one_provider(gateway: Gateway) -> None:
    found = answer(gateway, "/v1/models", provider="echo")
    assert [model["id"] for model in found["data"]] == ["echo/echo"]


# --- Models, from the providers -------------------------------------------------------------------

Reply = tuple[int, Any] | UpstreamError | None


class Canned:
    """A transport that answers each path from a table, in the next turn of the event loop; None is
    never answered."""

    def __init__(self, **replies: Reply) -> None:
        self.replies: dict[str, Reply] = {f"/{path}": reply for path, reply in replies.items()}
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, timeouts: Timeouts, receiver: ResponseReceiver) -> Canned:
        self.requests.append(request)
        reply = self.replies[request.url.path]
        asyncio.get_running_loop().call_soon(self._play, reply, receiver)
        return self

    def _play(self, reply: Reply, receiver: ResponseReceiver) -> None:
        match reply:
            case (int(status), said):
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                receiver.on_response(status, [(b"content-type", b"application/json")], 0.0)
                receiver.on_chunk(body, 0.0)
                receiver.on_end(0.0)
            case UpstreamError():
                receiver.on_error(reply, 0.0)

    def cancel(self) -> None:
        """Nothing is under way."""

    finish = pause = resume = cancel

    async def close(self) -> None:
        """Nothing is held."""


LIST = {"object": "list", "data": [{"id": "new", "created": 7, "context_length": 9}, {"id": "o3"}]}


def at(transport: Any, name: str = "openai", kind: str = "", **more: Any) -> Upstream:
    return upstream(name, kind or name, "http://own", transport=transport, **more)


def test_a_provider_is_asked_for_its_own_list_with_the_configured_key() -> None:
    transport = Canned(models=(200, LIST))
    found = listed(make({"openai": at(transport)}), "openai", live="true")
    assert (found["models"], found["source"]) == (["new", "o3"], "provider")
    assert found["details"]["new"] == {**NOTHING_KNOWN, "context_window": 9}
    assert found["details"]["o3"]["prices"]["output"] == 8
    assert ("authorization", f"Bearer {KEY}") in transport.requests[0].headers


def test_the_providers_own_word_comes_first_and_its_prices_beside_ours() -> None:
    said = {
        "id": "o3",
        "context_window": 9,
        "input_modalities": ["text"],
        "output_modalities": ["text"],
        "pricing": {"prompt": "0.000003"},
    }
    own = make({"openai": at(Canned(models=(200, {"data": [said]})))})
    found = listed(own, "openai", live="1")["details"]["o3"]
    assert found["context_window"] == 9
    assert (found["input_modalities"], found["output_modalities"]) == (["text"], ["text"])
    assert found["prices"]["input"] == 2
    assert found["listed_prices"] == {
        "input": 3.0,
        "output": None,
        "cached": None,
        "cache_write": None,
    }


def test_providers_keep_their_order_whoever_is_asked() -> None:
    transport = Canned(models=(200, LIST))
    own = make({"groq": at(transport, "groq"), "echo": upstream("echo"), "openai": at(transport)})
    found = answer(own, "/api/engine/models", live="1")
    assert list(found) == ["groq", "echo", "openai"]
    assert [one["source"] for one in found.values()] == ["provider", "bundled", "provider"]


@pytest.mark.parametrize("off", ["", "0", "false"])
def test_nobody_is_asked_who_need_not_be(off: str) -> None:
    transport = Canned()
    own = make({"openai": at(transport), "echo": upstream("echo", transport=transport)})
    assert answer(own, "/api/engine/models", live=off) == answer(own, "/api/engine/models")
    assert listed(own, "echo", live="1")["source"] == "bundled"
    assert transport.requests == []


def test_all_pages_are_read_and_no_model_twice() -> None:
    second = "v1/models?limit=1000&after_id=b"
    transport = Canned(
        **{
            "v1/models?limit=1000": (
                200,
                {"data": [{"id": "a"}, {"id": "b"}], "has_more": True, "last_id": "b"},
            ),
            second: (200, {"data": [{"id": "b"}, {"id": "c"}], "has_more": False}),
        }
    )
    assert listed(make({"anthropic": at(transport, "anthropic")}), "anthropic", live="1")[
        "models"
    ] == ["a", "b", "c"]


def test_pages_without_end_come_to_one() -> None:
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    paths = ("v1/models?limit=1000", "v1/models?limit=1000&after_id=a")
    transport = Canned(**dict.fromkeys(paths, (200, page)))
    own = make({"anthropic": at(transport, "anthropic")})
    assert listed(own, "anthropic", live="1")["models"] == ["a"]
    assert len(transport.requests) == live_models.PAGE_LIMIT


def refusal(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": "bad_key"}}


FAILURES: list[tuple[Reply, str, str]] = [
    ((401, refusal("no such key")), "authentication_error", "no such key"),
    ((500, b"<html>"), "provider_error", "<html>"),
    ((404, b""), "not_found_error", "404"),
    ((200, b"<html>"), "protocol_error", "openai sent what is no list of models"),
    ((200, {"models": []}), "protocol_error", "openai sent what is no list of models"),
    ((200, b"[" * 99_999), "protocol_error", "openai sent what is no list of models"),
    (UpstreamUnreachable("cannot reach own"), "connection_error", "cannot reach own"),
]


@pytest.mark.parametrize(("reply", "kind", "says"), FAILURES)
def test_one_that_fails_is_reported_beside_the_others(reply: Reply, kind: str, says: str) -> None:
    own = make({"openai": at(Canned(models=reply)), "groq": at(Canned(models=(200, LIST)), "groq")})
    found = answer(own, "/api/engine/models", live="1")
    assert found["groq"]["models"] == ["new", "o3"]
    assert "error" not in found["groq"]
    assert (found["openai"]["models"], found["openai"]["details"]) == ([], {})
    error = found["openai"]["error"]
    assert (error["type"], error["provider"]) == (kind, "openai")
    assert says in error["message"]
    data = answer(own, "/v1/models", live="1")
    assert [model["id"] for model in data["data"]] == ["groq/new", "groq/o3"]
    assert [model["created"] for model in data["data"]] == [7, 0]
    assert data["errors"]["openai"]["type"] == kind


def test_a_key_that_the_provider_quotes_is_not_shown() -> None:
    said = refusal(f"Incorrect key {KEY}, sent by header-secret")
    own = make({"openai": at(Canned(models=(401, said)), headers={"x-own": "header-secret"})})
    error = listed(own, "openai", live="1")["error"]
    assert error["message"] == "Incorrect key ***, sent by ***"


def test_a_provider_without_its_key_is_not_asked() -> None:
    transport = Canned()
    own = make({"openai": at(transport, api_key=None)})
    error = listed(own, "openai", live="1")["error"]
    assert (error["type"], error["param"]) == ("authentication_error", "api_key")
    assert "set OPENAI_API_KEY" in error["message"]
    assert transport.requests == []


def test_an_address_that_is_none_is_named() -> None:
    own = make({"openai": replace(at(Canned()), base_url="own")})
    error = listed(own, "openai", live="1")["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "base_url")


class Tokens:
    async def credentials(self) -> Mapping[str, str]:
        return {"access_token": "token-secret"}


class BadTokens:
    async def credentials(self) -> Mapping[str, str]:
        raise ZeroDivisionError("a defect, with its-secrets")


def test_credentials_that_expire_are_fetched_and_not_shown() -> None:
    transport = Canned(models=(401, refusal("bad token-secret")))
    one = at(transport, api_key=None, needs_key=False, credentials=Tokens())
    error = listed(make({"openai": one}), "openai", live="1")["error"]
    assert error["message"] == "bad ***"
    assert ("authorization", "Bearer token-secret") in transport.requests[0].headers


def test_a_request_that_wants_a_signature_gets_one() -> None:
    transport = Canned(models=(200, LIST))
    options = {"region": "us-east-1", "access_key": "AKIA", "secret_key": "s"}
    one = at(transport, "bedrock_mantle", api_key=None, needs_key=False, options=options)
    assert listed(make({"bedrock_mantle": one}), "bedrock_mantle", live="1")["models"]
    assert "AWS4-HMAC-SHA256" in dict(transport.requests[0].headers)["authorization"]


def test_a_defect_is_told_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    one = at(Canned(), api_key=None, needs_key=False, credentials=BadTokens())
    error = listed(make({"openai": one}), "openai", live="1")["error"]
    assert error["type"] == "internal_error"
    assert "secrets" not in error["message"]
    assert "ZeroDivisionError" in caplog.text


def test_one_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_models, "LIMIT_S", 0.05)
    error = listed(make({"openai": at(Canned(models=None))}), "openai", live="1")["error"]
    assert (error["type"], error["code"]) == ("timeout_error", "total_timeout")


# --- What is remembered of that -------------------------------------------------------------------


def test_a_list_is_remembered_for_a_minute_and_a_failure_is_not() -> None:
    pipe = Pipe()
    own, transport = pipe.gateway, Canned(models=(500, b""))
    own.snapshot = replace(own.snapshot, upstreams={"openai": at(transport)})
    assert "error" in listed(own, "openai", live="1")
    transport.replies["/models"] = (200, LIST)
    first = listed(own, "openai", live="1")
    assert first["models"] == ["new", "o3"]
    transport.replies["/models"] = (200, {"data": []})
    pipe.clock.now += 59
    assert listed(own, "openai", live="1") == first
    pipe.clock.now += 2
    assert listed(own, "openai", live="1")["models"] == []
    assert len(transport.requests) == 3


def test_those_who_ask_at_once_share_one_request_though_the_first_leaves() -> None:
    transport = Canned(models=(200, LIST))
    routes = InfoRoutes(make({"openai": at(transport)}))
    query = {"provider": "openai", "live": "1"}

    async def scene() -> None:
        asking = [
            asyncio.ensure_future(routes.respond("/api/engine/models", query)) for _ in range(3)
        ]
        while not transport.requests:
            await asyncio.sleep(0)
        asking[0].cancel()
        first, *others = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(first, asyncio.CancelledError)
        assert all(isinstance(each, bytes) and b'"new"' in each for each in others)

    asyncio.run(scene())
    assert len(transport.requests) == 1


# --- Parameters, and what is asked in vain --------------------------------------------------------


def test_parameters_are_listed_in_the_contracts_shape(gateway: Gateway) -> None:
    first = answer(gateway, "/api/engine/parameters", provider="openai")[0]
    assert list(first) == ["id", "name", "type", "default", "min", "max", "step"]
    assert first["id"] == "temperature"


def test_parameters_of_a_model_are_those_that_it_takes(gateway: Gateway) -> None:
    found = answer(gateway, "/api/engine/parameters", provider="openai", model="o3")
    assert [spec["id"] for spec in found] == ["max_completion_tokens"]


@pytest.mark.parametrize("path", ["/api/engine/models", "/api/engine/parameters", "/v1/models"])
def test_an_unknown_provider_is_told_the_configured_ones(gateway: Gateway, path: str) -> None:
    with pytest.raises(UnknownProvider) as caught:
        answer(gateway, path, provider="nobody")
    assert caught.value.message == (
        "No provider is called 'nobody'; configured are: cohere, echo, mine, openai."
    )
    assert (caught.value.status, caught.value.param) == (404, "provider")


def test_parameters_of_no_provider_are_asked_for_in_vain(gateway: Gateway) -> None:
    with pytest.raises(InvalidField) as caught:
        answer(gateway, "/api/engine/parameters")
    assert caught.value.param == "provider"


def test_only_health_is_open(gateway: Gateway) -> None:
    assert set(info_routes.OPEN) == {"/health"}
    assert set(info_routes.ROUTES) > info_routes.OPEN
