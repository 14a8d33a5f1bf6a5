"""The lists of clouds that have one of their own beside OpenAI's wire: Databricks, Cloudflare."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from headway.providers.model_lists import (
    ListedModel,
    ListedPrices,
    ModelList,
    Page,
    Row,
    as_mapping,
    bearer,
    count,
    dollars,
    get,
    name_of,
    root_of,
)
from headway.types import HttpRequest, Target

_any = msgspec.json.Decoder().decode
CHATS = "llm/v1/chat"
VECTORS = "llm/v1/embeddings"
MILLISECONDS = 1000
PER_PAGE = 100


def _rows(found: Any, name: str) -> list[Row]:
    rows = found[name]
    if not isinstance(rows, list):
        raise TypeError("there is no list of models")
    return [as_mapping(row) for row in rows]


# --- Databricks -----------------------------------------------------------------------------------


def _encode_databricks(target: Target, page: str | None) -> HttpRequest:
    """GET /api/2.0/serving-endpoints of the workspace, whichever of its doors chat goes through
    (docs.databricks.com/api/workspace/servingendpoints/list)."""
    root = root_of(target.base_url, "/serving-endpoints", "/ai-gateway/mlflow/v1")
    return get(target, root, "/api/2.0/serving-endpoints", *bearer(target))


def read_databricks(body: bytes) -> Page:
    """``{"endpoints": [{"name", "task", "creation_timestamp"}]}``, in milliseconds. A workspace
    without any leaves the field out."""
    found = _any(body)
    models = (
        ListedModel(id=name_of(row["name"]), created=_seconds(row.get("creation_timestamp")))
        for row in (_rows(found, "endpoints") if found != {} else ())
        if row.get("task", CHATS) in (CHATS, VECTORS)
    )
    return Page(tuple(models))


def _seconds(milliseconds: Any) -> int | None:
    known = count(milliseconds)
    return None if known is None else known // MILLISECONDS


DATABRICKS = ModelList(_encode_databricks, read_databricks)


# --- Cloudflare -----------------------------------------------------------------------------------

TASKS = ("Text Generation", "Text Embeddings")
UNITS = {
    "input": "per M input tokens",
    "output": "per M output tokens",
    "cached": "per M cached input tokens",
}


def _encode_cloudflare(target: Target, page: str | None) -> HttpRequest:
    """GET /accounts/{account_id}/ai/models/search
    (developers.cloudflare.com/api/resources/ai/subresources/models/methods/list)."""
    root = root_of(target.base_url, "/v1")
    path = f"/models/search?per_page={PER_PAGE}&page={page or 1}"
    return get(target, root, path, *bearer(target))


def read_cloudflare(body: bytes) -> Page:
    """``{"result": [{"name", "task", "properties"}], "result_info": {"page", ...}}``, of models of
    every sort: those that chat or embed."""
    found = _any(body)
    models = (
        _cloudflare_model(row)
        for row in _rows(found, "result")
        if as_mapping(row.get("task")).get("name", TASKS[0]) in TASKS
    )
    return Page(tuple(models), _next(as_mapping(found.get("result_info"))))


def _cloudflare_model(row: Row) -> ListedModel:
    properties = dict(_properties(row))
    return ListedModel(
        id=name_of(row["name"]),
        context_window=_number(properties.get("context_window")),
        prices=_prices(properties.get("price")),
        deprecated=True if properties.get("planned_deprecation_date") else None,
    )


def _properties(row: Row) -> Iterator[tuple[str, Any]]:
    listed = row.get("properties")
    for each in listed if isinstance(listed, list) else ():
        said = as_mapping(each)
        if isinstance(said.get("property_id"), str):
            yield said["property_id"], said.get("value")


def _number(value: Any) -> int | None:
    """Numbers are written as text there."""
    return int(value) if isinstance(value, str) and value.isdecimal() else count(value)


def _prices(value: Any) -> ListedPrices | None:
    """``[{"unit": "per M input tokens", "price": 0.293, "currency": "USD"}]``."""
    said = [as_mapping(each) for each in value] if isinstance(value, list) else []
    told = {str(each.get("unit")): dollars(each.get("price"), 1) for each in said}
    rates: dict[str, Decimal | None] = {name: told.get(unit) for name, unit in UNITS.items()}
    return ListedPrices(**rates) if any(rate is not None for rate in rates.values()) else None


def _next(info: Row) -> str | None:
    page, size, total = (count(info.get(name)) for name in ("page", "per_page", "total_count"))
    if page is None or size is None or total is None or page * size >= total:
        return None
    return str(page + 1)


CLOUDFLARE = ModelList(_encode_cloudflare, read_cloudflare)
