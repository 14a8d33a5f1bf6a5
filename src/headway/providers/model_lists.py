"""The models that a provider itself lists: how to ask for them, and how to read what it says.

Rules as for adapters: pure, and free to index; what is not there raises LookupError, TypeError or
ValueError, and the caller makes one error of it. A field that a list lacks is None, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from headway.types import HttpRequest, Target
from headway.wire.url import join

Row = Mapping[str, Any]
Pairs = tuple[tuple[str, str], ...]
MILLION = 1_000_000
MOST = 1000
"""Models on a page: the most that Anthropic, Cohere and Google give."""

_any = msgspec.json.Decoder().decode


class ListedPrices(Struct, frozen=True, kw_only=True):
    """Dollars per million tokens, as the provider's own list says them."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


class ListedModel(Struct, frozen=True, kw_only=True):
    id: str
    """The name to call it by."""
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
    """What names the next page; None on the last."""


class ModelList(Struct, frozen=True):
    """How to get a provider's own list: one GET a page."""

    encode: Callable[[Target, str | None], HttpRequest]
    """(where, ``Page.more`` of the page before) -> request. Raises ValueError for an unusable
    address."""
    decode: Callable[[bytes], Page]


def get(target: Target, base_url: str, path: str, *headers: tuple[str, str]) -> HttpRequest:
    pairs = (("accept", "application/json"), *headers, *target.headers.items())
    return HttpRequest(join(base_url, path), pairs, b"", "GET")


def bearer(target: Target) -> Pairs:
    key = target.api_key or target.credentials.get("access_token")
    return () if key is None else (("authorization", f"Bearer {key}"),)


def root_of(base_url: str, *suffixes: str) -> str:
    """Addresses are given with a version in them, and without."""
    root = base_url.rstrip("/")
    suffix = next((suffix for suffix in suffixes if root.endswith(suffix)), "")
    return root.removesuffix(suffix)


def _paged(path: str, name: str, page: str | None) -> str:
    return path if page is None else f"{path}&{name}={quote(page, safe='')}"


# --- OpenAI's shape, and what those who copied it put beside it -----------------------------------


def read_openai(body: bytes) -> Page:
    """``{"data": [{"id": ...}]}``, or the bare list (docs.together.ai/reference/models-1)."""
    found = _any(body)
    rows = found if isinstance(found, list) else found["data"]
    return Page(tuple(_openai_model(row) for row in rows))


def _openai_model(said: Any) -> ListedModel:
    row = as_mapping(said)
    taken, given = _modalities(row, "input"), _modalities(row, "output")
    is_text = given is None or "text" in given  # others are priced by the second, the image, ...
    return ListedModel(
        id=name_of(row["id"]),
        created=count(row.get("created")),
        context_window=_context(row),
        input_modalities=taken,
        output_modalities=given,
        prices=_prices(_pricing(row)) if is_text else None,
        deprecated=row["deprecation"] is not None if "deprecation" in row else None,  # Mistral
    )


CONTEXT = (
    "context_window",  # Groq, Vercel
    "context_length",  # OpenRouter, Together, Fireworks, Moonshot
    "max_context_length",  # Mistral
    "max_model_len",  # vLLM, SGLang
    "context_size",  # Novita
)


def _context(row: Row) -> int | None:
    """Tokens. llama.cpp's ``n_ctx`` is what the server was started with; hosts behind Hugging
    Face's router count only where they agree."""
    said = [count(row.get(name)) for name in CONTEXT]
    said.append(count(as_mapping(row.get("meta")).get("n_ctx")))
    said.append(count(as_mapping(row.get("metadata")).get("context_length")))  # DeepInfra
    known = next((size for size in said if size), None)
    hosts = {count(as_mapping(host).get("context_length")) for host in listed(row.get("providers"))}
    return known or (hosts.pop() if len(hosts) == 1 else None)


def _modalities(row: Row, way: str) -> tuple[str, ...] | None:
    """``way`` is input or output (Groq, OpenRouter, Hugging Face, GitHub)."""
    places = (row, as_mapping(row.get("architecture")))
    names = (f"{way}_modalities", f"supported_{way}_modalities")
    found = [listed(place.get(name)) for place in places for name in names]
    words = tuple(str(word) for word in next((words for words in found if words), ()))
    return words or (_capable(row.get("capabilities")) if way == "input" else None)


def _capable(capabilities: Any) -> tuple[str, ...] | None:
    """Mistral's booleans, of models that chat (docs.mistral.ai/api, List Models)."""
    said = as_mapping(capabilities)
    if not said.get("completion_chat") or "vision" not in said:
        return None
    more = (("vision", "image"), ("audio", "audio"))
    return ("text", *(word for name, word in more if said.get(name)))


# By the names that a list uses: ours to theirs, and dollars for how many tokens.
PER_TOKEN = {
    "input": "prompt",
    "output": "completion",
    "cached": "input_cache_read",
    "cache_write": "input_cache_write",
}
"""OpenRouter and those after it (Groq, SambaNova): text, dollars a token."""
TEXT_PER_TOKEN = {**PER_TOKEN, "input": "input", "output": "output"}
"""Vercel's."""
PER_MILLION = {
    "input": "input",
    "output": "output",
    "cached": "cache_read",
    "cache_write": "cache_write",
}
"""Perplexity and Together: numbers, dollars a million tokens."""
COUNTED = {"input": "input_tokens", "output": "output_tokens", "cached": "cache_read_tokens"}
"""DeepInfra's, dollars a million tokens, in ``metadata``."""
IN_DOLLARS = {**PER_MILLION, "cached": "cache_input"}
"""Venice's ``{"usd": 0.7}``, dollars a million tokens, in ``model_spec`` (docs.venice.ai)."""


def _pricing(row: Row) -> Row:
    places = (row, as_mapping(row.get("metadata")), as_mapping(row.get("model_spec")))
    return next((said for place in places if (said := as_mapping(place.get("pricing")))), {})


def _prices(said: Row) -> ListedPrices | None:
    if "prompt" in said or "completion" in said:
        names, scale = PER_TOKEN, MILLION
    elif "input_tokens" in said:
        names, scale = COUNTED, 1
    elif "usd" in as_mapping(said.get("input")):
        said = {name: as_mapping(price).get("usd") for name, price in said.items()}
        names, scale = IN_DOLLARS, 1
    elif isinstance(said.get("input"), str):
        names, scale = TEXT_PER_TOKEN, MILLION
    else:
        names, scale = PER_MILLION, 1
    rates = {ours: dollars(said.get(theirs), scale) for ours, theirs in names.items()}
    if scale == 1 and not any(rates.values()):  # Together writes 0 for what it does not sell so
        return None
    known = any(rate is not None for rate in rates.values())
    return ListedPrices(**rates) if known else None


def dollars(value: Any, scale: int) -> Decimal | None:
    """Below zero is OpenRouter's word for a price that depends."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value)) * scale
    except InvalidOperation:
        return None
    return amount.normalize() if amount.is_finite() and amount >= 0 else None


def name_of(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a model in the list has no name")
    return value


def count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def object_of(body: bytes) -> Row:
    found = _any(body)
    if not isinstance(found, dict):
        raise TypeError("a list of models is an object")
    return found


def as_mapping(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _encode_openai(path: str, target: Target, page: str | None) -> HttpRequest:
    return get(target, target.base_url, path, *bearer(target))


def _encode_versioned(target: Target, page: str | None) -> HttpRequest:
    return get(target, root_of(target.base_url, "/v1"), "/v1/models", *bearer(target))


def _encode_github(target: Target, page: str | None) -> HttpRequest:
    root = root_of(target.base_url, "/inference")
    return get(target, root, "/catalog/models", *bearer(target))


OPENAI = ModelList(partial(_encode_openai, "/models"), read_openai)
"""GET /models behind the base URL (platform.openai.com/docs/api-reference/models/list)."""
VERBOSE = ModelList(partial(_encode_openai, "/models?verbose=true"), read_openai)
"""The same with windows and prices in it (docs.tokenfactory.nebius.com, List models)."""
VERSIONED = ModelList(_encode_versioned, read_openai)
"""GET /v1/models, where chat's address has no version in it (Perplexity)."""
GITHUB = ModelList(_encode_github, read_openai)
"""docs.github.com/en/rest/models/catalog."""


# --- Others ---------------------------------------------------------------------------------------


def _encode_anthropic(version: str, target: Target, page: str | None) -> HttpRequest:
    """platform.claude.com/docs/en/api/models-list."""
    headers = [("anthropic-version", str(target.options.get("api_version") or version))]
    if target.api_key is not None:
        headers.append(("x-api-key", target.api_key))
    path = _paged(f"/v1/models?limit={MOST}", "after_id", page)
    return get(target, root_of(target.base_url, "/v1"), path, *headers)


def read_anthropic(body: bytes) -> Page:
    found = object_of(body)
    models = (
        ListedModel(id=name_of(row["id"]), context_window=count(row.get("max_input_tokens")))
        for row in map(as_mapping, found["data"])
    )
    return Page(tuple(models), found.get("last_id") if found.get("has_more") else None)


def anthropic(version: str) -> ModelList:
    """``version`` is that of the API."""
    return ModelList(partial(_encode_anthropic, version), read_anthropic)


def _encode_gemini(target: Target, page: str | None) -> HttpRequest:
    """ai.google.dev/api/models#method:-models.list."""
    headers = () if target.api_key is None else (("x-goog-api-key", target.api_key),)
    path = _paged(f"/models?pageSize={MOST}", "pageToken", page)
    return get(target, target.base_url, path, *headers)


GEMINI_METHODS = {"generateContent", "embedContent", "batchEmbedContents"}


def read_gemini(body: bytes) -> Page:
    """Those that chat or embed; others draw, film or speak at other doors."""
    found = object_of(body)
    models = (
        ListedModel(
            id=name_of(row["name"]).removeprefix("models/"),
            context_window=count(row.get("inputTokenLimit")),
        )
        for row in _capable_of(
            found.get("models", ()), "supportedGenerationMethods", GEMINI_METHODS
        )
    )
    return Page(tuple(models), found.get("nextPageToken") or None)


GEMINI = ModelList(_encode_gemini, read_gemini)


def _encode_cohere(target: Target, page: str | None) -> HttpRequest:
    """docs.cohere.com/reference/list-models."""
    root = root_of(target.base_url, "/v1", "/v2")
    path = _paged(f"/v1/models?page_size={MOST}", "page_token", page)
    return get(target, root, path, *bearer(target))


def read_cohere(body: bytes) -> Page:
    found = object_of(body)
    models = (
        ListedModel(
            id=name_of(row["name"]),
            context_window=count(row.get("context_length")),
            deprecated=row["is_deprecated"] is True if "is_deprecated" in row else None,
        )
        for row in _capable_of(found["models"], "endpoints", {"chat", "embed"})
    )
    return Page(tuple(models), found.get("next_page_token") or None)


COHERE = ModelList(_encode_cohere, read_cohere)


def _capable_of(rows: Any, name: str, wanted: set[str]) -> Iterable[Row]:
    """The rows that say one of these words, or that say none at all."""
    found = map(as_mapping, rows)
    return (row for row in found if not listed(row.get(name)) or wanted & {*row[name]})


def _encode_ollama(target: Target, page: str | None) -> HttpRequest:
    """docs.ollama.com/api/tags; where it is spoken to as OpenAI is, that list."""
    root = root_of(target.base_url, "/v1", "/api")
    is_v1 = target.base_url.rstrip("/").endswith("/v1")
    api = target.options.get("api", "openai" if is_v1 else "native")
    path = "/v1/models" if api == "openai" else "/api/tags"
    return get(target, root, path, *bearer(target))


def read_ollama(body: bytes) -> Page:
    found = object_of(body)
    if "data" in found:
        return read_openai(body)
    rows = map(as_mapping, found["models"])
    return Page(tuple(ListedModel(id=name_of(row.get("model") or row["name"])) for row in rows))


OLLAMA = ModelList(_encode_ollama, read_ollama)
