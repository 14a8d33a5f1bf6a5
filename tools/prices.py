"""Refreshes the price data that ships: ``python tools/prices.py``.

Compiles what the pinned genai-prices package bundles into ``src/headway/metering/prices.json``.
Upgrade the pin, run this, read the difference, commit both. Nothing is downloaded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from genai_prices import types as genai
from genai_prices.data import providers as bundled

from headway.metering.price_data import (
    DatedRates,
    Model,
    ModelMatcher,
    Rate,
    Rates,
    RateVariant,
    Tiered,
)

SOURCE = "genai-prices"
FILE = Path(__file__).parents[1] / "src/headway/metering/prices.json"

KEPT = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "cache_audio_read_mtok": "cache_audio_read",
    "output_mtok": "output",
    "output_audio_mtok": "output_audio",
    "output_reasoning_mtok": "reasoning",
    "requests_kcount": "requests",
}

LEFT_OUT = {
    "web_searches_kcount": "searches are not in a chat answer's usage",
    "storage_searches_kcount": "searches are not in a chat answer's usage",
    "input_image_mtok": "pictures are not told apart in a chat answer's usage",
    "cache_image_read_mtok": "pictures are not told apart in a chat answer's usage",
    "output_image_mtok": "pictures are not told apart in a chat answer's usage",
    "input_video_mtok": "films are not told apart in a chat answer's usage",
    "output_video_mtok": "films are not told apart in a chat answer's usage",
    "output_citation_mtok": "citations are not told apart in a chat answer's usage",
    "audio_hours": "transcription is no chat",
    "input_audio_hours": "transcription is no chat",
    "input_document_kpages": "document reading is no chat",
    "input_annotated_document_kpages": "document reading is no chat",
    "input_mchars": "speech is no chat",
    "input_text_messages_kcount": "moderation is no chat",
}
"""Prices that a chat call's usage cannot use, and why. A key in neither table stops the tool."""

SAYS_FREE = ("free of charge", "included in the subscription")
"""The package lists no rate both for what is free and for what it does not know. Free is what its
name (``:free``) or its comment says is free; the rest stays unknown."""

CLAUSES = {
    genai.ClauseEquals: "equals",
    genai.ClauseStartsWith: "starts_with",
    genai.ClauseEndsWith: "ends_with",
    genai.ClauseContains: "contains",
}


def main() -> int:
    """Writes the file and says what it holds."""
    installed = version(SOURCE)
    FILE.write_bytes(compiled(installed, taken(installed)))
    models = sum(len(provider.models) for provider in bundled)
    sys.stdout.write(f"{FILE.name}: {SOURCE} {installed}, {models} models\n")
    return 0


def taken(installed: str) -> date:
    """The date of the data: that of the present file while the version stays, else today."""
    present = json.loads(FILE.read_bytes()) if FILE.exists() else {}
    if present.get("version") == installed:
        return date.fromisoformat(present["date"])
    return datetime.now(UTC).date()


def compiled(installed: str, day: date) -> bytes:
    """The whole file. Models keep the package's order where names could match several."""
    head = _json({"source": SOURCE, "version": installed, "date": day})[:-1]
    parts = ",\n".join(_provider(one) for one in sorted(bundled, key=lambda one: one.id))
    return f'{head},"providers":{{\n{parts}\n}}}}\n'.encode()


def _provider(provider: genai.Provider) -> str:
    head: dict[str, Any] = {"name": provider.name}
    if provider.fallback_model_providers:
        head["fallback"] = provider.fallback_model_providers
    models = ",\n".join(_json(_model(one)) for one in provider.models)
    return f'{_json(provider.id)}:{_json(head)[:-1]},"models":[\n{models}\n]}}'


def _model(model: genai.ModelInfo) -> Model:
    variants = [_variant(one) for one in model.price_variants or []]
    return Model(
        id=model.id,
        match=_clause(model.match),
        name=model.name,
        context_window=model.context_window,
        deprecated=bool(model.deprecated),
        prices=list(_prices(model)),
        variants=[one for one in variants if one.rates != Rates()],
    )


def _prices(model: genai.ModelInfo) -> Iterator[DatedRates]:
    if isinstance(model.prices, list):
        for one in model.prices:
            yield DatedRates(rates=_rates(one.prices), **_term(one.constraint))
    elif is_free(model):
        yield DatedRates(rates=Rates(input=Decimal(0), output=Decimal(0)))
    elif (rates := _rates(model.prices)) != Rates():
        yield DatedRates(rates=rates)


def is_free(model: genai.ModelInfo) -> bool:
    """No rate is listed, and the data says that there is nothing to pay."""
    comment = (model.price_comments or "").lower()
    said = model.id.endswith(":free") or any(words in comment for words in SAYS_FREE)
    return said and not vars(model.prices)


def _variant(variant: genai.PriceVariant) -> RateVariant:
    rates = _rates(variant.prices)
    return RateVariant(when=variant.when, rates=rates, **_term(variant.constraint))


def _term(constraint: Any) -> dict[str, Any]:
    if constraint is None:
        return {}
    if isinstance(constraint, genai.StartDateConstraint):
        return {"start": constraint.start_date}
    return {"between": (_utc(constraint.start_time), _utc(constraint.end_time))}


def _utc(moment: time) -> time:
    day = datetime.combine(date(2000, 1, 1), moment, moment.tzinfo or UTC)
    return day.astimezone(UTC).timetz()


def _rates(prices: genai.ModelPrice) -> Rates:
    given = {key: value for key, value in vars(prices).items() if value is not None}
    if unknown := given.keys() - KEPT.keys() - LEFT_OUT.keys():
        raise SystemExit(f"new kinds of price, keep them or leave them out: {sorted(unknown)}")
    return Rates(**{KEPT[key]: _rate(value) for key, value in given.items() if key in KEPT})


def _rate(value: Any) -> Rate:
    if isinstance(value, genai.TieredPrices):
        return Tiered(value.base, [(tier.start, tier.price) for tier in value.tiers])
    amount: Decimal = value
    return amount


def _clause(match: Any) -> ModelMatcher:
    """In lower case, but for patterns: those are matched against the name in lower case as is."""
    match match:
        case genai.ClauseOr():
            return ModelMatcher(any_of=[_clause(one) for one in match.or_])
        case genai.ClauseAnd():
            return ModelMatcher(all_of=[_clause(one) for one in match.and_])
        case genai.ClauseRegex():
            return ModelMatcher(regex=match.regex)
    field = CLAUSES[type(match)]
    return ModelMatcher(**{field: getattr(match, field).lower()})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


if __name__ == "__main__":
    sys.exit(main())
