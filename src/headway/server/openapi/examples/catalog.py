"""The models and the providers in flat lists."""

from __future__ import annotations

from typing import Any

import msgspec

from headway.catalog.model_rows import ModelRow, ParameterRange, RowPrices, TierPrices
from headway.server.api.model_list_route import ModelList
from headway.server.openapi.examples.base import Example

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


MODELS = (Example("An alias and a model", _plain(ModelList(data=(_ALIAS, _MODEL), errors={}))),)
