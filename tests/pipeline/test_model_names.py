"""Which provider and model the name in a request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.dialects.base import DecodedRequest, split_model
from headway.errors import AmbiguousModel, MissingProvider, UnknownProvider
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline import model_names
from headway.pipeline.gateway import Snapshot
from headway.providers import KINDS
from headway.routing.model_aliases import ModelAliases
from headway.routing.route import Route, RouteTarget
from headway.routing.route_table import RouteTable
from headway.types import ChatRequest
from support.pipeline_fakes import Pipe

PRICES = PriceBook.load(read_shipped_prices())
NO_ALIASES: Mapping[str, str] = {}


def snapshot_of(*kinds: str, aliases: Mapping[str, str] = NO_ALIASES, **more: Any) -> Snapshot:
    """A gateway with a provider of each kind, and those of ``more`` with their own fields."""
    snapshot = Pipe().gateway.snapshot
    known = replace(snapshot.upstreams["openai"], models=())
    upstreams = {
        kind: replace(known, name=kind, provider=KINDS[kind], base_url=KINDS[kind].base_url)
        for kind in kinds
    }
    for name, fields in more.items():
        upstreams[name] = replace(known, name=name, base_url=f"http://{name}/v1", **fields)
    return replace(
        snapshot,
        upstreams=upstreams,
        prices=PRICES,
        aliases=ModelAliases.from_table(aliases),
    )


ALIASES = {
    "fast": "openai/gpt-4o-mini",
    "team/best": "anthropic/claude-opus-4-1",
    "claude-*": "openai/gpt-4o",
    "any-*": "openai/*",
    "openai/o3": "echo/echo",
}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openai/ft:a/b", ("openai", "ft:a/b")),
        ("fast", ("openai", "gpt-4o-mini")),
        ("team/best", ("anthropic", "claude-opus-4-1")),
        ("claude-sonnet-4-5", ("openai", "gpt-4o")),
        ("any-gpt-9", ("openai", "gpt-9")),
        ("openai/o3", ("echo", "echo")),
        ("echo", ("echo", "echo")),
        ("gpt-4o", ("openai", "gpt-4o")),
    ],
)
def test_a_name_is_an_alias_or_a_provider_and_its_model_or_a_model(
    name: str, meant: tuple[str, str]
) -> None:
    snapshot = snapshot_of("openai", "anthropic", "echo", aliases=ALIASES)
    assert model_names.find(snapshot, name) == meant


def test_a_model_with_a_slash_of_its_own_means_its_provider() -> None:
    snapshot = snapshot_of("openai", gpu={"models": ("meta-llama/llama-3",)})
    assert model_names.find(snapshot, "meta-llama/llama-3") == ("gpu", "meta-llama/llama-3")
    with pytest.raises(UnknownProvider):
        model_names.find(snapshot, "meta-llama/llama-4")


def test_a_model_of_several_providers_is_refused_with_the_choices() -> None:
    snapshot = snapshot_of(a={"models": ("m",)}, b={"models": ("m", "n")})
    with pytest.raises(
        AmbiguousModel, match=r"send one of a/m, b/m, or .* \(models\.m\)"
    ) as caught:
        model_names.find(snapshot, "m")
    assert (caught.value.param, caught.value.status) == ("model", 422)
    assert model_names.find(snapshot, "n") == ("b", "n")


def test_of_several_providers_one_with_a_key_is_meant() -> None:
    snapshot = snapshot_of(a={"models": ("m",), "has_key": False}, b={"models": ("m",)})
    assert model_names.find(snapshot, "m") == ("b", "m")


def test_of_one_vendors_kinds_the_one_of_the_clients_format_is_meant_or_the_first() -> None:
    snapshot = snapshot_of("openai", "openai_responses")
    assert model_names.find(snapshot, "gpt-4o") == ("openai", "gpt-4o")
    responses = KINDS["openai_responses"].wire
    assert model_names.find(snapshot, "gpt-4o", responses) == ("openai_responses", "gpt-4o")


def test_every_other_name_may_mean_one_model() -> None:
    snapshot = snapshot_of("openai", "echo", aliases={"unknown": "echo/echo"})
    for name in ("gpt-99", "nobody/gpt-4o"):
        assert model_names.find(snapshot, name) == ("echo", "echo")
    with pytest.raises(MissingProvider) as caught:
        model_names.find(snapshot_of("openai"), "gpt-4oo")
    assert "did you mean openai/gpt-4o" in caught.value.message


def test_an_alias_of_a_provider_that_is_not_served_is_an_error() -> None:
    with pytest.raises(UnknownProvider):
        model_names.find(snapshot_of("echo", aliases={"fast": "openai/gpt-4o"}), "fast")


def test_a_call_goes_to_the_provider_that_is_meant() -> None:
    pipe = Pipe()
    aliases = ModelAliases.from_table({"fast": "openai/gpt-4o-mini"})
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, aliases=aliases, prices=PRICES)
    for name in ("fast", "gpt-4o-mini", "fast"):
        pipe.ask_openai(model=name)
        assert b'"model":"gpt-4o-mini"' in pipe.upstream.request.body
    assert len(pipe.gateway.snapshot.resolved_models) == 2
    pipe.ask_openai(model="openai/gpt-4o")
    assert b'"model":"gpt-4o"' in pipe.upstream.request.body
    assert len(pipe.gateway.snapshot.resolved_models) == 2


def test_a_long_name_is_not_kept() -> None:
    pipe = Pipe()
    long = "x" * 1000
    aliases = ModelAliases.from_table({"x*": "openai/gpt-4o"})
    pipe.gateway.snapshot = replace(pipe.gateway.snapshot, aliases=aliases)
    pipe.ask_openai(model=long)
    assert len(pipe.upstream_requests) == 1
    assert pipe.gateway.snapshot.resolved_models == {}


# --- Routes -------------------------------------------------------------------------------------


def route(name: str, *targets: str) -> Route:
    parts = (target.split("/", 1) for target in targets)
    return Route(
        name=name, targets=tuple(RouteTarget(provider=one, model=model) for one, model in parts)
    )


SAFE = route("safe", "openai/gpt-4o", "anthropic/claude-opus-4-1")
OWN = route("openai/o3", "openai/o3", "echo/echo")
TEAM = route("team-*", "openai/*", "echo/*")
LOST = route("unknown", "openai/gpt-4o", "echo/echo")


def routed(*routes: Route, **aliases: str) -> Snapshot:
    names = {**{each.name: each.targets[0].id for each in routes}, **aliases}
    meanings = [*((each.name, each) for each in routes), *((name, None) for name in aliases)]
    snapshot = snapshot_of("openai", "anthropic", "echo", aliases=names)
    return replace(snapshot, routes=RouteTable.from_names(meanings))


def route_of(snapshot: Snapshot, name: str | None) -> Route | None:
    provider = "" if name is None else split_model(name)[0]
    request = ChatRequest(model=name or "m", messages=Raw(b"[]"))
    decoded = DecodedRequest(provider=provider, request=request, model_name=name)
    return model_names.find_route(snapshot, decoded)


def test_a_name_of_the_configuration_may_be_a_route() -> None:
    snapshot = routed(SAFE, OWN, fast="openai/gpt-4o-mini")
    assert route_of(snapshot, "safe") is SAFE
    assert route_of(snapshot, "openai/o3") is OWN
    for name in ("fast", "openai/gpt-4o", "gpt-4o", "no-such", None):
        assert route_of(snapshot, name) is None


def test_a_pattern_of_a_route_matches_what_is_no_name_and_no_provider() -> None:
    snapshot = routed(SAFE, TEAM, **{"team-a": "openai/a"})
    found = route_of(snapshot, "team-b")
    assert found is not None
    assert [each.id for each in found.targets] == ["openai/b", "echo/b"]
    assert route_of(snapshot, "team-b") is found, "it is kept"
    for name in ("team-a", "openai/team-b", "gpt-4o", "other"):
        assert route_of(snapshot, name) is None


def test_a_route_for_unknown_names_is_for_those_of_no_model() -> None:
    snapshot = routed(LOST, **{"x-*": "openai/*"})
    assert route_of(snapshot, "no-such") is LOST
    assert route_of(snapshot, "no/such") is LOST
    for name in ("gpt-4o", "x-1", "openai/no-such"):
        assert route_of(snapshot, name) is None


def test_meanings_of_very_long_names_are_not_kept() -> None:
    snapshot = routed(LOST)
    name = "n" * (model_names.MAX_LENGTH + 1)
    assert route_of(snapshot, name) is LOST
    assert not snapshot.resolved_routes


def test_only_so_many_meanings_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_names, "MAX_KEPT", 1)
    snapshot = routed(LOST)
    assert [route_of(snapshot, name) for name in ("a", "b", "b")] == [LOST] * 3
    assert list(snapshot.resolved_routes) == ["a"]
