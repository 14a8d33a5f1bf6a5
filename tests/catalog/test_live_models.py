"""Models from the providers' own lists."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from catalog.canned import Canned, Reply
from catalog.gateways import NOTHING_KNOWN, answer, four_providers, listed, make, upstream
from headway.catalog import live_models
from headway.catalog.catalog_cache import CatalogCache
from headway.errors import UpstreamUnreachable
from headway.pipeline.gateway import Gateway, Upstream
from headway.server.api.info_routes import InfoRoutes
from support.pipeline_fakes import KEY, Pipe


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return four_providers()


LIST = {"object": "list", "data": [{"id": "new", "created": 7, "context_length": 9}, {"id": "o3"}]}


def at(transport: Any, name: str = "openai", kind: str = "", **more: Any) -> Upstream:
    return upstream(name, kind or name, "http://own", transport=transport, **more)


def test_a_live_list_is_fetched_with_the_configured_key() -> None:
    transport = Canned(models=(200, LIST))
    found = listed(make({"openai": at(transport)}), "openai", live="true")
    assert (found["models"], found["source"]) == (["new", "o3"], "provider")
    assert found["details"]["new"] == {**NOTHING_KNOWN, "context_window": 9}
    assert found["details"]["o3"]["prices"]["output"] == 8
    assert ("authorization", f"Bearer {KEY}") in transport.requests[0].headers


def test_the_providers_own_details_take_precedence_and_its_prices_are_listed_separately() -> None:
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


def test_providers_keep_their_order_with_live_lists() -> None:
    transport = Canned(models=(200, LIST))
    own = make({"groq": at(transport, "groq"), "echo": upstream("echo"), "openai": at(transport)})
    found = answer(own, "/api/engine/models", live="1")
    assert list(found) == ["groq", "echo", "openai"]
    assert [one["source"] for one in found.values()] == ["provider", "bundled", "provider"]


@pytest.mark.parametrize("off", ["", "0", "false"])
def test_nothing_is_fetched_without_live_or_without_a_readable_list(off: str) -> None:
    transport = Canned()
    own = make({"openai": at(transport), "echo": upstream("echo", transport=transport)})
    assert answer(own, "/api/engine/models", live=off) == answer(own, "/api/engine/models")
    assert listed(own, "echo", live="1")["source"] == "bundled"
    assert transport.requests == []


def test_all_pages_are_read_and_repeated_models_shown_once() -> None:
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


def test_endless_pages_are_cut_off() -> None:
    page = {"data": [{"id": "a"}], "has_more": True, "last_id": "a"}
    paths = ("v1/models?limit=1000", "v1/models?limit=1000&after_id=a")
    transport = Canned(**dict.fromkeys(paths, (200, page)))
    own = make({"anthropic": at(transport, "anthropic")})
    assert listed(own, "anthropic", live="1")["models"] == ["a"]
    assert len(transport.requests) == live_models.PAGE_LIMIT


@pytest.mark.parametrize("id_", [b"a\\ud83d", b"a\xff"], ids=["half", "byte"])
def test_what_is_no_character_does_not_hide_the_list(id_: bytes) -> None:
    transport = Canned(models=(200, b'{"data": [{"id": "' + id_ + b'"}, {"id": "b"}]}'))
    own = make({"openai": at(transport)})
    assert listed(own, "openai", live="1")["models"] == ["a\ufffd", "b"]


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
def test_a_failed_list_is_reported_with_the_other_lists(reply: Reply, kind: str, says: str) -> None:
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


def test_a_key_that_the_provider_quotes_is_redacted() -> None:
    said = refusal(f"Incorrect key {KEY}, sent by header-secret")
    own = make({"openai": at(Canned(models=(401, said)), headers={"x-own": "header-secret"})})
    error = listed(own, "openai", live="1")["error"]
    assert error["message"] == "Incorrect key ***, sent by ***"


def test_a_provider_without_a_key_is_not_called() -> None:
    transport = Canned()
    own = make({"openai": at(transport, api_key=None)})
    error = listed(own, "openai", live="1")["error"]
    assert (error["type"], error["param"]) == ("authentication_error", "api_key")
    assert "set OPENAI_API_KEY" in error["message"]
    assert transport.requests == []


def test_an_unusable_address_is_reported() -> None:
    own = make({"openai": replace(at(Canned()), base_url="own")})
    error = listed(own, "openai", live="1")["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "base_url")


class Tokens:
    async def credentials(self) -> Mapping[str, str]:
        return {"access_token": "token-secret"}


class BadTokens:
    async def credentials(self) -> Mapping[str, str]:
        raise ZeroDivisionError("a defect, with its-secrets")


def test_credentials_are_fetched_and_redacted() -> None:
    transport = Canned(models=(401, refusal("bad token-secret")))
    one = at(transport, api_key=None, needs_key=False, credentials=Tokens())
    error = listed(make({"openai": one}), "openai", live="1")["error"]
    assert error["message"] == "bad ***"
    assert ("authorization", "Bearer token-secret") in transport.requests[0].headers


def test_a_request_is_signed_where_the_provider_requires_it() -> None:
    transport = Canned(models=(200, LIST))
    options = {"region": "us-east-1", "access_key": "AKIA", "secret_key": "s"}
    one = at(transport, "bedrock_mantle", api_key=None, needs_key=False, options=options)
    assert listed(make({"bedrock_mantle": one}), "bedrock_mantle", live="1")["models"]
    assert "AWS4-HMAC-SHA256" in dict(transport.requests[0].headers)["authorization"]


def test_a_defect_is_reported_without_details(caplog: pytest.LogCaptureFixture) -> None:
    one = at(Canned(), api_key=None, needs_key=False, credentials=BadTokens())
    error = listed(make({"openai": one}), "openai", live="1")["error"]
    assert error["type"] == "internal_error"
    assert "secrets" not in error["message"]
    assert "ZeroDivisionError" in caplog.text


def test_a_list_that_takes_too_long_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_models, "LIMIT_S", 0.05)
    error = listed(make({"openai": at(Canned(models=None))}), "openai", live="1")["error"]
    assert (error["type"], error["code"]) == ("timeout_error", "total_timeout")


# --- What is remembered of that -------------------------------------------------------------------


def test_a_list_is_cached_for_a_minute_and_a_failure_is_not() -> None:
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


def test_concurrent_callers_share_one_request_even_if_the_first_is_cancelled() -> None:
    transport = Canned(models=(200, LIST))
    routes = InfoRoutes(CatalogCache(make({"openai": at(transport)})))
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
