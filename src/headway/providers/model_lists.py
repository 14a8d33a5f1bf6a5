"""Fetch and decode the models that a provider lists: shared types, and lists in OpenAI's shape.

Rules as for adapters: pure, and free to index; a missing field raises LookupError, TypeError or
ValueError, from which the caller makes one error. A field that a list lacks is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from headway.types import HttpRequest, Target
from headway.wire.lenient_json import as_count, as_text
from headway.wire.url import join

JsonObject = Mapping[str, Any]
HeaderPairs = tuple[tuple[str, str], ...]
MILLION = 1_000_000
MAX_PAGE_SIZE = 1000
"""Models on a page: the largest page size of the APIs that have pages of that size."""

_any = msgspec.json.Decoder().decode


class ListedPrices(Struct, frozen=True, kw_only=True):
    """US dollars per million tokens, as the provider's list states them."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


class ListedModel(Struct, frozen=True, kw_only=True):
    id: str
    """The name that requests use."""
    created: int | None = None
    """Unix seconds."""
    context_window: int | None = None
    """Tokens."""
    input_modalities: tuple[str, ...] | None = None
    output_modalities: tuple[str, ...] | None = None
    prices: ListedPrices | None = None
    deprecated: bool | None = None


class Page(Struct, frozen=True):
    models: tuple[ListedModel, ...]
    more: str | None = None
    """The token of the next page; None on the last page."""


class ModelList(Struct, frozen=True):
    """How to fetch a provider's list: one GET a page."""

    encode: Callable[[Target, str | None], HttpRequest]
    """(target, ``Page.more`` of the page before) -> request. Raises ValueError for an unusable
    address."""
    decode: Callable[[bytes], Page]


# --- Helpers for requests -------------------------------------------------------------------------


def get(target: Target, base_url: str, path: str, *headers: tuple[str, str]) -> HttpRequest:
    pairs = (("accept", "application/json"), *headers, *target.headers.items())
    return HttpRequest(join(base_url, path), pairs, b"", "GET")


def bearer(target: Target) -> HeaderPairs:
    key = target.api_key or target.credentials.get("access_token")
    return () if key is None else (("authorization", f"Bearer {key}"),)


def root_of(base_url: str, *suffixes: str) -> str:
    """``base_url`` without the first of these suffixes that it ends with: base URLs are configured
    with a version in them and without."""
    root = base_url.rstrip("/")
    suffix = next((suffix for suffix in suffixes if root.endswith(suffix)), "")
    return root.removesuffix(suffix)


def paged(path: str, name: str, page: str | None) -> str:
    """``path``, which has a query, with the page token ``page`` as the parameter ``name``."""
    return path if page is None else f"{path}&{name}={quote(page, safe='')}"


# --- Helpers for responses ------------------------------------------------------------------------


def name_of(value: Any) -> str:
    """Raises TypeError for anything but a non-empty string."""
    if not isinstance(value, str) or not value:
        raise TypeError("a model in the list has no name")
    return value


def count(value: Any) -> int | None:
    return as_count(value)


def page_token(value: Any) -> str | None:
    return as_text(value) or None


def models_of(rows: Any, read: Callable[[JsonObject], ListedModel]) -> tuple[ListedModel, ...]:
    """The models in the rows of a list; rows that ``read`` raises for are left out. Raises
    TypeError where there is no list, or no model in any of its rows."""
    if not isinstance(rows, list):
        raise TypeError("there is no list of models")
    found = []
    for row in map(as_mapping, rows):
        with suppress(LookupError, TypeError, ValueError):
            found.append(read(row))
    if rows and not found:
        raise TypeError("no model in the list has a name")
    return tuple(found)


def object_of(body: bytes) -> JsonObject:
    """Raises TypeError for JSON that is not an object."""
    found = _any(body)
    if not isinstance(found, dict):
        raise TypeError("a list of models is an object")
    return found


def as_mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def rows_of(found: Any, name: str) -> list[Any]:
    """The list ``name`` of a response. Raises LookupError or TypeError where there is none."""
    rows = found[name]
    if not isinstance(rows, list):
        raise TypeError("there is no list of models")
    return rows


def rows_with(rows: Any, name: str, wanted: set[str]) -> list[JsonObject]:
    """The rows whose list ``name`` has one of ``wanted``, or that have no such list."""
    found = map(as_mapping, rows)
    return [row for row in found if not (given := texts(row.get(name))) or wanted & given]


def texts(value: Any) -> set[str]:
    """The texts in a list."""
    return {item for item in listed(value) if isinstance(item, str)}


def dollars(value: Any, scale: int) -> Decimal | None:
    """A price times ``scale``. None for no price: below zero is OpenRouter's mark of a price that
    depends on the request."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value)) * scale
    except InvalidOperation:
        return None
    return amount.normalize() if amount.is_finite() and amount >= 0 else None


# --- Lists in OpenAI's shape, with the fields that copies of it add -------------------------------


def openai_model_list(path: str = "/models", *, without: str = "") -> ModelList:
    """GET ``path`` below the base URL (platform.openai.com/docs/api-reference/models/list), from
    which the suffix ``without`` is removed first."""
    return ModelList(partial(_encode_openai, path, without), decode_openai_list)


def _encode_openai(path: str, without: str, target: Target, page: str | None) -> HttpRequest:
    root = root_of(target.base_url, without) if without else target.base_url
    return get(target, root, path, *bearer(target))


def decode_openai_list(body: bytes) -> Page:
    """``{"data": [{"id": ...}]}``, or the bare list (docs.together.ai/reference/models-1)."""
    found = _any(body)
    rows = found if isinstance(found, list) else found["data"]
    return Page(models_of(rows, _openai_model))


def _openai_model(row: JsonObject) -> ListedModel:
    inputs, outputs = _modalities(row, "input"), _modalities(row, "output")
    is_text = outputs is None or "text" in outputs  # other models are priced per second or image
    return ListedModel(
        id=name_of(row["id"]),
        created=count(row.get("created")),
        context_window=_context(row),
        input_modalities=inputs,
        output_modalities=outputs,
        prices=_prices(_pricing(row)) if is_text else None,
        deprecated=row["deprecation"] is not None if "deprecation" in row else None,  # Mistral
    )


CONTEXT_FIELDS = (
    "context_window",  # Groq, Vercel
    "context_length",  # OpenRouter, Together, Fireworks, Moonshot
    "max_context_length",  # Mistral
    "max_model_len",  # vLLM, SGLang
    "context_size",  # Novita
)


def _context(row: JsonObject) -> int | None:
    """Tokens. llama.cpp's ``n_ctx`` is what the server was started with. The hosts behind Hugging
    Face's router state one each, which counts only where they agree."""
    sizes = [count(row.get(name)) for name in CONTEXT_FIELDS]
    sizes.append(count(as_mapping(row.get("meta")).get("n_ctx")))
    sizes.append(count(as_mapping(row.get("metadata")).get("context_length")))  # DeepInfra
    known = next((size for size in sizes if size), None)
    hosts = {count(as_mapping(host).get("context_length")) for host in listed(row.get("providers"))}
    return known or (hosts.pop() if len(hosts) == 1 else None)


def _modalities(row: JsonObject, direction: str) -> tuple[str, ...] | None:
    """``direction`` is input or output (fields of Groq, OpenRouter, Hugging Face, GitHub)."""
    places = (row, as_mapping(row.get("architecture")))
    names = (f"{direction}_modalities", f"supported_{direction}_modalities")
    found = [listed(place.get(name)) for place in places for name in names]
    names_found = tuple(str(name) for name in next((each for each in found if each), ()))
    is_input = direction == "input"
    return names_found or (_from_capabilities(row.get("capabilities")) if is_input else None)


def _from_capabilities(capabilities: Any) -> tuple[str, ...] | None:
    """From Mistral's booleans, of models that chat (docs.mistral.ai/api, List Models)."""
    flags = as_mapping(capabilities)
    if not flags.get("completion_chat") or "vision" not in flags:
        return None
    more = (("vision", "image"), ("audio", "audio"))
    return ("text", *(modality for name, modality in more if flags.get(name)))


# Field of ListedPrices -> field of the list. The scale turns its unit into dollars per million.
PER_TOKEN = {
    "input": "prompt",
    "output": "completion",
    "cached": "input_cache_read",
    "cache_write": "input_cache_write",
}
"""Text, dollars per token: OpenRouter, and Groq and SambaNova after it."""
TEXT_PER_TOKEN = {**PER_TOKEN, "input": "input", "output": "output"}
"""Text, dollars per token: Vercel."""
PER_MILLION = {
    "input": "input",
    "output": "output",
    "cached": "cache_read",
    "cache_write": "cache_write",
}
"""Numbers, dollars per million tokens: Perplexity and Together."""
METADATA_PER_MILLION = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cached": "cache_read_tokens",
}
"""Numbers, dollars per million tokens, in ``metadata``: DeepInfra."""
USD_PER_MILLION = {**PER_MILLION, "cached": "cache_input"}
"""``{"usd": 0.7}``, dollars per million tokens, in ``model_spec``: Venice (docs.venice.ai)."""


def _pricing(row: JsonObject) -> JsonObject:
    places = (row, as_mapping(row.get("metadata")), as_mapping(row.get("model_spec")))
    return next((found for place in places if (found := as_mapping(place.get("pricing")))), {})


def _prices(pricing: JsonObject) -> ListedPrices | None:
    if "prompt" in pricing or "completion" in pricing:
        fields, scale = PER_TOKEN, MILLION
    elif "input_tokens" in pricing:
        fields, scale = METADATA_PER_MILLION, 1
    elif "usd" in as_mapping(pricing.get("input")):
        pricing = {name: as_mapping(price).get("usd") for name, price in pricing.items()}
        fields, scale = USD_PER_MILLION, 1
    elif isinstance(pricing.get("input"), str):
        fields, scale = TEXT_PER_TOKEN, MILLION
    else:
        fields, scale = PER_MILLION, 1
    rates = {rate: dollars(pricing.get(name), scale) for rate, name in fields.items()}
    if scale == 1 and not any(rates.values()):  # Together writes 0 for models not sold by tokens
        return None
    is_known = any(rate is not None for rate in rates.values())
    return ListedPrices(**rates) if is_known else None


OPENAI = openai_model_list()
