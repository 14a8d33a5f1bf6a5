"""Cloudflare Workers AI.

Sources: developers.cloudflare.com/workers-ai, workers-ai/platform/errors, workers/wrangler/
system-environment-variables, and api/resources/ai/subresources/models/methods/list; cloudflare/ai,
packages/tanstack-ai (content as an object).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from headway.errors import UpstreamAuth, UpstreamNotFound, UpstreamOverloaded, UpstreamQuota
from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ListedPrices, ModelList, Page
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.request_transforms import null_content_as_text
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, AddressOption, Vendor
from headway.providers.openai_compatible.wire_rules import content_required, strings_only
from headway.providers.sdk_env import Variable
from headway.types import HttpRequest, Target

_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

# --- Responses ------------------------------------------------------------------------------------

OBJECT_CONTENT = re.compile(rb'"content":\s*\{')


def _content_as_text(body: bytes) -> bytes:
    """In JSON mode ``content`` may be the object itself instead of its text."""
    if OBJECT_CONTENT.search(body) is None:
        return body
    response = _any(body)
    messages = [choice.get("message") for choice in response.get("choices") or ()]
    parsed = [one for one in messages if one and isinstance(one.get("content"), dict)]
    for message in parsed:
        message["content"] = _encode(message["content"]).decode()
    return _encode(response) if parsed else body


# --- Models ---------------------------------------------------------------------------------------

TASKS = ("Text Generation", "Text Embeddings")
PAGE_SIZE = 100
PRICE_UNITS = {
    "input": "per M input tokens",
    "output": "per M output tokens",
    "cached": "per M cached input tokens",
}


def _encode_list(target: Target, page: str | None) -> HttpRequest:
    """GET /accounts/{account_id}/ai/models/search"""
    root = model_lists.root_of(target.base_url, "/v1")
    path = f"/models/search?per_page={PAGE_SIZE}&page={page or 1}"
    return model_lists.get(target, root, path, *model_lists.bearer(target))


def _decode_list(body: bytes) -> Page:
    """``{"result": [{"name", "task", "properties"}], "result_info": {"page", ...}}``. Leaves out
    the models that neither chat nor embed."""
    found = _any(body)
    rows = [
        row
        for row in map(model_lists.as_mapping, model_lists.rows_of(found, "result"))
        if model_lists.as_mapping(row.get("task")).get("name", TASKS[0]) in TASKS
    ]
    more = _next_page(model_lists.as_mapping(found.get("result_info")))
    return Page(model_lists.models_of(rows, _model), more)


def _model(row: JsonObject) -> ListedModel:
    properties = dict(_properties(row))
    return ListedModel(
        id=model_lists.name_of(row["name"]),
        context_window=model_lists.count(properties.get("context_window")),
        prices=_prices(properties.get("price")),
        deprecated=True if properties.get("planned_deprecation_date") else None,
    )


def _properties(row: JsonObject) -> Iterator[tuple[str, Any]]:
    """Numbers are strings here."""
    for each in map(model_lists.as_mapping, model_lists.listed(row.get("properties"))):
        if isinstance(each.get("property_id"), str):
            yield each["property_id"], each.get("value")


def _prices(value: Any) -> ListedPrices | None:
    """``[{"unit": "per M input tokens", "price": 0.293, "currency": "USD"}]``."""
    prices = {
        str(each.get("unit")): each.get("price")
        for each in map(model_lists.as_mapping, model_lists.listed(value))
    }
    rates = {name: model_lists.dollars(prices.get(unit), 1) for name, unit in PRICE_UNITS.items()}
    return ListedPrices(**rates) if any(rate is not None for rate in rates.values()) else None


def _next_page(info: JsonObject) -> str | None:
    page, size, total = (
        model_lists.count(info.get(name)) for name in ("page", "per_page", "total_count")
    )
    if page is None or size is None or total is None or page * size >= total:
        return None
    return str(page + 1)


VENDOR = Vendor(
    title="Cloudflare Workers AI",
    order=240,
    key_env="CLOUDFLARE_API_TOKEN",
    environ={"account_id": Variable("CLOUDFLARE_ACCOUNT_ID")},
    address_option=AddressOption(
        "account_id", "the account's id", "https://api.cloudflare.com/client/v4/accounts/{}/ai/v1"
    ),
    price_id="cloudflare",
    wire="openai_chat_cloudflare",
    wire_rules=(
        *strings_only("https://developers.cloudflare.com/workers-ai/models"),
        content_required("https://developers.cloudflare.com/workers-ai/models"),
    ),
    request_transforms=(null_content_as_text,),
    request_rules=RequestRules(renamed=TO_MAX_TOKENS),
    transform_body=_content_as_text,
    errors=ErrorFormat(
        request_id=b"cf-ray",
        list_field="errors",
        classes={
            "3036": UpstreamQuota,  # the day's free allocation is used up, with status 429
            "3040": UpstreamOverloaded,  # out of capacity, with status 429
            "3042": UpstreamNotFound,
            "10000": UpstreamAuth,  # with status 403
            "5007": UpstreamNotFound,  # no such model, with status 400
        },
    ),
    model_list=ModelList(_encode_list, _decode_list),
    capabilities={**OPEN_MODEL_SERVER, "json_schema": "partial: some models, and not in streams"},
)
