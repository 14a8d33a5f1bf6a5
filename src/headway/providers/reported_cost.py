"""The cost that a provider reports with its usage, in US dollars.

- OpenRouter: ``cost`` is what its account is charged; with the client's own key at the model's
  provider (``is_byok``) that provider charges ``cost_details.upstream_inference_cost`` as well
  (openrouter.ai/docs/use-cases/usage-accounting).
- Perplexity: ``cost`` is an object with ``total_cost`` (docs.perplexity.ai, Chat Completions).
- xAI: ``cost_in_usd_ticks``, ten billion a dollar (docs.x.ai/docs/api-reference).
- Vercel: ``cost``, with ``is_byok`` and ``cost_details`` as OpenRouter has them
  (vercel.com/docs/ai-gateway).
- DeepInfra: ``estimated_cost`` (deepinfra.com/docs).

Some routers write amounts as strings.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from msgspec import Struct

COST_FIELDS = ("cost", "cost_in_usd_ticks", "estimated_cost", "is_byok", "cost_details")
"""Fields of a ``usage`` object, in the order of ``read_cost``'s parameters."""
_AMOUNT = re.compile(r"\d+(\.\d*)?([eE][+-]?\d{1,3})?|\.\d+", re.ASCII)
TICKS_PER_DOLLAR = Decimal(10**10)


class CostFields(Struct):
    """The fields of a ``usage`` object from which ``read_cost`` reads."""

    cost: Any = None
    cost_details: Any = None
    is_byok: Any = None
    cost_in_usd_ticks: Any = None
    estimated_cost: Any = None


def read_reported_cost(usage: CostFields) -> Decimal | None:
    """As ``read_cost``. Most providers report none, which takes no time."""
    cost, ticks, estimated = usage.cost, usage.cost_in_usd_ticks, usage.estimated_cost
    if cost is None is ticks is estimated:
        return None
    return read_cost(cost, ticks, estimated, usage.is_byok, usage.cost_details)


def read_cost(
    cost: Any,
    ticks: Any = None,
    estimated: Any = None,
    is_byok: Any = None,
    details: Any = None,
) -> Decimal | None:
    """The amount, or None where no field has one in US dollars. Values are parsed JSON; a value of
    any other shape is ignored."""
    dollars = _amount(cost)
    if dollars is not None:
        upstream = details.get("upstream_inference_cost") if isinstance(details, dict) else None
        return dollars + (_amount(upstream) or 0) if is_byok is True else dollars
    if isinstance(cost, dict) and cost.get("currency", "USD") == "USD":
        dollars = _amount(cost.get("total_cost"))
    if dollars is None and (found := _amount(ticks)) is not None:
        dollars = found / TICKS_PER_DOLLAR
    return _amount(estimated) if dollars is None else dollars


def _amount(value: Any) -> Decimal | None:
    """None for what is no number of at least 0. ``repr`` of a float has the digits on the wire."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = value if isinstance(value, str) else repr(value)
    return Decimal(text) if _AMOUNT.fullmatch(text) else None
