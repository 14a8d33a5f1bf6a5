from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.pipeline import target_facts
from headway.pipeline.gateway import Snapshot
from headway.pipeline.target_facts import PERIOD_S, TargetFactsTable, facts_table, find_facts
from headway.providers import KINDS
from headway.routing.conditions import Table, compile_table
from headway.routing.route import Route, RouteTarget
from support.pipeline_fakes import Pipe
from support.routed_pipe import several_keys

NOW = 1_780_000_000.0
PRICES = PriceBook.load(
    read_shipped_prices(), {"gpu": {"llama": ConfiguredPrice(input=Decimal("0.5"))}}
)


def snapshot_of(**upstreams: Any) -> Snapshot:
    """A gateway with these providers; each is its kind, and fields that differ."""
    snapshot = Pipe().gateway.snapshot
    known = replace(snapshot.upstreams["openai"], models=(), has_key=True)
    made = {
        name: replace(
            known,
            name=name,
            **{
                "provider": KINDS[kind],
                "base_url": KINDS[kind].base_url,
                **fields,
            },
        )
        for name, (kind, fields) in upstreams.items()
    }
    return replace(snapshot, upstreams=made, prices=PRICES)


SNAPSHOT = snapshot_of(
    openai=("openai", {}),
    gpu=("openai", {"base_url": "http://gpu/v1"}),
    deepseek=("deepseek", {}),
    keyless=("groq", {"has_key": False, "key_name": "GROQ_API_KEY"}),
    nowhere=("vllm", {"lacks_address": True}),
    two=("openai", {"keys": several_keys("two")}),
)


def test_the_facts_of_a_target_are_those_of_its_provider_and_its_price() -> None:
    facts = find_facts(SNAPSHOT, "openai", "gpt-4o", NOW)
    assert facts.unusable is None
    assert facts.names == {"openai"}
    assert facts.lacks == frozenset()
    assert facts.context_window == 128000
    assert (facts.input_usd, facts.output_usd) == (2.5, 10.0)
    assert facts.keys == ("openai",)
    assert facts.operations is not None
    assert {"embeddings", "images/generations"} <= facts.operations | {"images/generations"}


def test_configured_prices_count_and_what_is_unknown_is_none() -> None:
    facts = find_facts(SNAPSHOT, "gpu", "llama", NOW)
    assert facts.names == {"gpu", "openai"}
    assert (facts.input_usd, facts.output_usd, facts.context_window) == (0.5, None, None)


def test_what_a_provider_drops_silently_is_nothing_that_a_target_lacks() -> None:
    assert find_facts(SNAPSHOT, "deepseek", "deepseek-chat", NOW).lacks == {"documents", "audio"}


def test_the_data_that_ships_is_for_the_vendor_s_own_models() -> None:
    assert find_facts(SNAPSHOT, "openai", "gpt-4", NOW).may_lack == {
        "images",
        "audio",
        "json_schema",
    }
    assert find_facts(SNAPSHOT, "gpu", "gpt-4", NOW).may_lack == frozenset()
    azure = (
        "azure_openai",
        {"base_url": "https://x.openai.azure.com", "options": {"model_name": "gpt-4"}},
    )
    snapshot = snapshot_of(azure=azure)
    assert "images" in find_facts(snapshot, "azure", "our-deployment", NOW).may_lack
    assert "images" not in find_facts(snapshot, "azure", "gpt-4o", NOW).may_lack


def test_what_an_adapter_emulates_no_model_lacks() -> None:
    """DeepSeek gets a JSON schema as an instruction."""
    facts = find_facts(SNAPSHOT, "deepseek", "deepseek-reasoner", NOW)
    assert "json_schema" not in facts.may_lack


def test_a_target_that_cannot_be_called_says_why() -> None:
    unusable = {
        name: find_facts(SNAPSHOT, name, "m", NOW).unusable
        for name in ("keyless", "nowhere", "none", "openai")
    }
    assert unusable == {
        "keyless": "has no key: set GROQ_API_KEY",
        "nowhere": "has no address: its provider is not configured",
        "none": "has no provider of that name",
        "openai": None,
    }


def test_each_of_several_keys_has_an_id() -> None:
    assert find_facts(SNAPSHOT, "two", "m", NOW).keys == ("two#1", "two#2")


def test_facts_are_found_once_in_half_an_hour() -> None:
    snapshot = replace(SNAPSHOT, target_facts={})
    table = facts_table(snapshot, NOW)
    assert table["openai/gpt-4o"] is table["openai/gpt-4o"]
    assert facts_table(snapshot, NOW // PERIOD_S * PERIOD_S) is table
    assert facts_table(snapshot, NOW + PERIOD_S) is not table
    assert len(snapshot.target_facts) == 1


def test_only_so_many_facts_are_kept(monkeypatch) -> None:
    monkeypatch.setattr(target_facts, "MAX_KEPT", 2)
    table = TargetFactsTable(SNAPSHOT, NOW)
    for model in "abc":
        assert table[f"openai/{model}"].unusable is None
    assert list(table) == ["openai/c"]
    routes = [Route(name=name, targets=(target(f"openai/{name}"),)) for name in "abc"]
    for route in routes:
        assert table.interests_of(route) is table.interests_of(route)


def target(target_id: str, **more: Any) -> RouteTarget:
    provider, _, model = target_id.partition("/")
    return RouteTarget(provider=provider, model=model, **more)


def test_a_plan_is_interested_in_what_conditions_read_and_in_what_targets_lack() -> None:
    table = TargetFactsTable(SNAPSHOT, NOW)
    tagged = target("gpu/llama", condition=compile_table(Table(tags=("vip",), max_tokens=5)))
    route = Route(
        name="r",
        targets=(target("openai/gpt-4o"), tagged),
        on_content_policy=(target("deepseek/deepseek-chat"),),
    )
    interests = table.interests_of(route)
    assert interests.reads == {"tags", "input_tokens"}
    assert interests.lacks >= {"documents", "audio"}
    assert interests.least_window is not None
    assert interests.least_window <= 128000
    assert table.interests_of(route) is interests
    plain = table.interests_of(Route(name="r", targets=(target("gpu/llama"),)))
    assert (plain.reads, plain.lacks, plain.least_window) == (frozenset(), frozenset(), None)
