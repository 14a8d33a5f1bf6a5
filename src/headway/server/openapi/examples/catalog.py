"""The models and the providers in flat lists."""

from __future__ import annotations

from typing import Any

import msgspec

from headway.catalog.model_rows import ModelRow, ParameterRange, RowPrices, TierPrices
from headway.ledger.usage_views import Distribution
from headway.server.api.model_list_route import ModelList
from headway.server.api.provider_routes import (
    KeyNow,
    ProviderList,
    ProviderRow,
    RecentUse,
    TargetLeftAlone,
)
from headway.server.openapi.examples.base import PROVIDER, Example

_MODEL = ModelRow(
    id="my-gemini/gemini-2.5-pro",
    provider="my-gemini",
    provider_name="Google Gemini",
    model="gemini-2.5-pro",
    name="Gemini 2.5 Pro",
    kind="chat",
    context_window=1_048_576,
    max_output=65_536,
    prices=RowPrices(
        input=1.25,
        output=10.0,
        cached=0.125,
        cache_write=None,
        tiers=(TierPrices(above=200_000, input=2.5, output=15.0, cached=0.25, cache_write=None),),
        further={"web_searches": 35.0},
    ),
    listed_prices=None,
    abilities={
        "tools": True,
        "images": True,
        "documents": None,
        "audio": True,
        "json_schema": True,
        "json_object": None,
        "reasoning": True,
        "logprobs": None,
    },
    refuses=("frequency_penalty", "presence_penalty", "seed"),
    parameters={
        "temperature": ParameterRange(
            name="Temperature", type="float", default=1, minimum=0, maximum=2, step=0.01
        )
    },
    deprecated=False,
    created=None,
    usable=True,
)
_ALIAS = msgspec.structs.replace(_MODEL, id="best", is_alias=True, targets=(_MODEL.id,))


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


_TARGET = "azure-eu/gpt-4.1"
_NOON = "2026-11-30T12:00:00.000Z"
_PROVIDER = ProviderRow(
    name="azure-eu",
    title="OpenAI",
    kind=PROVIDER,
    wire="openai_chat",
    host="eu.example.com",
    is_local=False,
    is_configured=True,
    usable=True,
    has_key=True,
    key_variable="OPENAI_API_KEY",
    keys=(
        KeyNow(name="1", is_left_alone=False, left_alone_s=0.0, until=None, limited={_TARGET: 2.5}),
        KeyNow(name="2", is_left_alone=True, left_alone_s=60.0, until=_NOON, limited={}),
    ),
    can_check=True,
    models=2,
    models_source="configuration",
    breaker="half_open",
    targets_left_alone=(
        TargetLeftAlone(target=_TARGET, state="half_open", left_alone_s=0.0, error_share=0.6),
    ),
    outstanding=1,
    recent=RecentUse(
        since=_NOON,
        attempts=200,
        errors=3,
        cancelled=1,
        error_rate=0.015,
        calls=197,
        output_tokens=51_220,
        cost_usd=0.4118,
        metrics={
            "latency_s": Distribution(count=197, sum=246.25, mean=1.25, p50=1.2, p95=2.1, p99=2.4)
        },
    ),
)
PROVIDERS = (Example("One of them", _plain(ProviderList(data=(_PROVIDER,), note=None))),)


def _check(**facts: Any) -> dict[str, Any]:
    return {"key": "1", "status": "ok", "latency_ms": 82.4, "models": 2, "message": None, **facts}


_REFUSED = _check(
    key="2", status="wrong_key", models=None, message="Incorrect API key provided: ***."
)
CHECKS = (
    Example(
        "One of two keys is wrong",
        {
            **_REFUSED,
            "models": 2,
            "provider": "azure-eu",
            "keys": [_check(), _REFUSED],
            "checked_at": _NOON,
        },
    ),
)
MODELS = (Example("An alias and a model", _plain(ModelList(data=(_ALIAS, _MODEL), errors={}))),)
