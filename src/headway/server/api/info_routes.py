"""The small read-only routes: health, providers, models, parameters. Values in, JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from headway.catalog.catalog_cache import CatalogCache
from headway.catalog.model_catalog import ProviderCatalog
from headway.catalog.model_kinds import kind_of
from headway.dialects.base import decode_object, field
from headway.errors import InvalidField, MissingProvider, NotFound
from headway.pipeline import model_names
from headway.pipeline.gateway import Snapshot, Upstream
from headway.pipeline.unknown_names import unknown_provider
from headway.types import Headers, Parameter

Query = Mapping[str, str]


class InfoRequest(NamedTuple):
    """A request on one of these routes."""

    query: Query
    argument: str = ""
    """The parameter in the path."""
    is_anthropic: bool = False
    """The client is one for Anthropic's API, by the header that all of them send."""


Handler = Callable[[CatalogCache, InfoRequest], Awaitable[Any]]

MODEL = field("model", str, "a string, provider/model")
OLLAMA_VERSION = "0.13.0"
"""The version of Ollama whose API the routes of its shape follow. Some clients want a least one."""
MAX_PAGE_SIZE = 1000
"""Models on a page of Google's list, as its API has it."""
HEALTH = "/health"
OFF = ("", "0", "false")
"""Values of a query parameter that do not switch it on."""


class InfoRoutes:
    """The routes of one gateway."""

    def __init__(self, catalog: CatalogCache) -> None:
        self._catalog = catalog

    async def respond(self, path: str, query: Query, headers: Headers = ()) -> bytes:
        """The JSON for a path that ``find`` knows. Raises HeadwayError for a wrong request."""
        found = find(path)
        assert found is not None
        handler, argument = found
        is_anthropic = any(name == b"anthropic-version" for name, _ in headers)
        request = InfoRequest(query, argument, is_anthropic)
        return msgspec.json.encode(await handler(self._catalog, request))

    async def show(self, body: bytes) -> bytes:
        """The JSON of POST /api/show, Ollama's details of a model. Raises HeadwayError."""
        fields = decode_object(body)
        given = fields.get("model", fields.get("name"))  # the second is its older name
        name = MODEL.require({} if given is None else {"model": given})
        row = await listed_model(self._catalog, InfoRequest({}, name))
        return msgspec.json.encode(_ollama_details(row))


async def health(catalog: CatalogCache, request: InfoRequest) -> Any:
    """Says nothing of the providers: asking them would cost money."""
    gateway = catalog.gateway
    ledger = gateway.ledger_health()
    status, message = "healthy", "Headway is running."
    if not ledger.is_ok:
        status, message = "degraded", "Headway is running; its log says why records are not stored."
    if gateway.is_refusing:
        message = "Headway refuses requests, because it cannot keep records; its log says why."
    return {"status": status, "message": message, "ledger": ledger}


class ProviderDetails(msgspec.Struct, frozen=True):
    """A provider, without anything secret."""

    name: str
    """The name to show."""
    kind: str
    has_key: bool | None
    """As in ``Upstream``."""
    key_variable: str | None
    """The environment variable that holds the key by convention."""
    is_configured: bool


async def providers(catalog: CatalogCache, request: InfoRequest) -> Any:
    """The names of the providers that can be used, or with ``details`` what is known of each."""
    snapshot = catalog.gateway.snapshot
    names = snapshot.names(lists_all=_is_on(request.query, "all"))
    if not _is_on(request.query, "details"):
        return names
    return {name: _provider_details(snapshot.upstreams[name]) for name in names}


def _provider_details(upstream: Upstream) -> ProviderDetails:
    provider = upstream.provider
    return ProviderDetails(
        name=provider.title,
        kind=provider.name,
        has_key=upstream.has_key,
        key_variable=provider.key_env,
        is_configured=upstream.is_configured,
    )


async def models(catalog: CatalogCache, request: InfoRequest) -> Any:
    """The models of the providers that can be used, by provider, or one provider's."""
    query = request.query
    found = await _catalogs(catalog, query)
    described = {name: _show(one) for name, one in found.items()}
    return described[query["provider"]] if "provider" in query else described


def _show(catalog: ProviderCatalog) -> dict[str, Any]:
    described = {
        "name": catalog.title,
        "models": [entry.id for entry in catalog.entries],
        "details": {entry.id: entry.details for entry in catalog.entries},
        "source": catalog.source,
    }
    return described if catalog.error is None else {**described, "error": catalog.error}


async def parameters(catalog: CatalogCache, request: InfoRequest) -> list[Parameter]:
    """The parameters that a provider takes, without those that the given model rejects."""
    query = request.query
    name = query.get("provider")
    if name is None:
        raise InvalidField("`provider` is missing from the query.", param="provider")
    upstream = _upstream(catalog.gateway.snapshot, name)
    return list(upstream.provider.parameters_of(query.get("model")))


async def listed_models(catalog: CatalogCache, request: InfoRequest) -> Any:
    """OpenAI's list, or Anthropic's for its clients. Each model is named as the chat routes take
    it; the names of the configuration come first."""
    found = await _catalogs(catalog, request.query)
    rows = list(_rows(found))
    if "provider" not in request.query:
        rows = [*_aliases(catalog.gateway.snapshot, rows), *rows]
    if request.is_anthropic:
        return _anthropic_list(rows)
    errors = {name: one.error for name, one in found.items() if one.error is not None}
    return {"object": "list", "data": rows, **({"errors": errors} if errors else {})}


async def listed_model(catalog: CatalogCache, request: InfoRequest) -> Any:
    """One of them, by its id. Raises NotFound."""
    snapshot = catalog.gateway.snapshot
    try:
        provider, model = model_names.find(snapshot, request.argument)
    except MissingProvider as error:
        raise NotFound(error.message, param="model") from None
    found = await catalog.get([provider], is_live=_is_on(request.query, "live"))
    rows = [row for row in _rows(found) if row["id"] == f"{provider}/{model}"]
    if not rows:
        raise NotFound(f"{provider} has no model {model!r} that is listed here.")
    row = {**rows[0], "id": request.argument}
    return _anthropic_model(row) if request.is_anthropic else row


def _rows(found: Mapping[str, ProviderCatalog]) -> Iterator[dict[str, Any]]:
    for name, one in found.items():
        for entry in one.entries:
            yield {
                "id": f"{name}/{entry.id}",
                "object": "model",
                "created": entry.created,
                "owned_by": name,
                **msgspec.to_builtins(entry.details),
            }


def _aliases(snapshot: Snapshot, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The names of the configuration, with what is known of their models."""
    known = {row["id"]: row for row in rows}
    for name, target in snapshot.aliases.exact.items():
        unlisted = {
            "object": "model",
            "created": 0,
            "owned_by": target.partition("/")[0],
            "context_window": None,
            "prices": None,
        }
        yield {**known.get(target, unlisted), "id": name}


def _anthropic_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole list as one page (platform.claude.com/docs/en/api/models-list)."""
    data = [_anthropic_model(row) for row in rows]
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def _anthropic_model(row: Mapping[str, Any]) -> dict[str, Any]:
    moment = datetime.fromtimestamp(row["created"] or 0, UTC)
    return {
        "type": "model",
        "id": row["id"],
        "display_name": row.get("name") or row["id"],
        "created_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


# --- Google's shape (ai.google.dev/api/models) ---------------------------------------------------


async def gemini_models(catalog: CatalogCache, request: InfoRequest) -> Any:
    """The same list in Google's shape and pages. Raises InvalidField for a wrong page."""
    found = await _catalogs(catalog, request.query)
    rows = list(_rows(found))
    rows = [*_aliases(catalog.gateway.snapshot, rows), *rows]
    size = min(_number(request.query, "pageSize", MAX_PAGE_SIZE) or MAX_PAGE_SIZE, MAX_PAGE_SIZE)
    start = _number(request.query, "pageToken", 0)
    page = {"models": [_gemini_model(row) for row in rows[start : start + size]]}
    rest = {"nextPageToken": str(start + size)} if start + size < len(rows) else {}
    return {**page, **rest}


async def gemini_model(catalog: CatalogCache, request: InfoRequest) -> Any:
    """One of them, by its name with or without ``models/``. Raises NotFound."""
    argument = request.argument.removeprefix("models/")
    row = await listed_model(catalog, InfoRequest(request.query, argument))
    return _gemini_model(row)


def _gemini_model(row: Mapping[str, Any]) -> dict[str, Any]:
    method = "embedContent" if kind_of(row["id"]) == "embedding" else "generateContent"
    model = {
        "name": f"models/{row['id']}",
        "version": "",
        "displayName": row["id"],
        "supportedGenerationMethods": [method, "countTokens"],
    }
    limit = row.get("context_window")
    return model if limit is None else {**model, "inputTokenLimit": limit}


# --- Ollama's shape (docs.ollama.com/api/tags) ----------------------------------------------------


async def ollama_models(catalog: CatalogCache, request: InfoRequest) -> Any:
    """The same list in Ollama's shape. No model here is a file: its size is 0."""
    found = await _catalogs(catalog, request.query)
    rows = list(_rows(found))
    rows = [*_aliases(catalog.gateway.snapshot, rows), *rows]
    return {"models": [_ollama_model(row) for row in rows]}


def _ollama_model(row: Mapping[str, Any]) -> dict[str, Any]:
    name, family = row["id"], row["owned_by"]
    moment = datetime.fromtimestamp(row["created"] or 0, UTC)
    details = {
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family],
        "parameter_size": "",
        "quantization_level": "",
    }
    return {
        "name": name,
        "model": name,
        "modified_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "size": 0,
        "digest": sha256(name.encode()).hexdigest(),
        "details": details,
    }


def _ollama_details(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of tools and thinking the lists of providers say nothing: clients try what is named here."""
    family = row["owned_by"]
    info = {"general.architecture": family}
    if row.get("context_window") is not None:
        info[f"{family}.context_length"] = row["context_window"]
    is_embedder = kind_of(row["id"]) == "embedding"
    abilities = ["embedding"] if is_embedder else ["completion", "tools", "thinking"]
    if "image" in (row.get("input_modalities") or ()):
        abilities.append("vision")
    model = _ollama_model(row)
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": model["details"],
        "model_info": info,
        "capabilities": abilities,
        "modified_at": model["modified_at"],
    }


async def ollama_running(catalog: CatalogCache, request: InfoRequest) -> Any:
    """No model is loaded here."""
    return {"models": []}


async def ollama_version(catalog: CatalogCache, request: InfoRequest) -> Any:
    return {"version": OLLAMA_VERSION}


def _number(query: Query, name: str, default: int) -> int:
    given = query.get(name, "")
    if given and not (given.isdecimal() and len(given) < 10):
        raise InvalidField(f"`{name}` must be a number.", param=name)
    return int(given or default)


async def _catalogs(catalog: CatalogCache, query: Query) -> Mapping[str, ProviderCatalog]:
    snapshot = catalog.gateway.snapshot
    name = query.get("provider")
    if name is not None:
        _upstream(snapshot, name)
    names = snapshot.names(lists_all=_is_on(query, "all")) if name is None else [name]
    return await catalog.get(names, is_live=_is_on(query, "live"))


def _is_on(query: Query, name: str) -> bool:
    return query.get(name, "") not in OFF


ROUTES: dict[str, Handler] = {
    HEALTH: health,
    "/api/engine/providers": providers,
    "/api/engine/models": models,
    "/api/engine/parameters": parameters,
    "/v1/models": listed_models,
    "/openai/v1/models": listed_models,
    "/anthropic/v1/models": listed_models,
}
GEMINI_LISTS = ("/v1beta/models", *(f"/gemini{base}/models" for base in ("", "/v1beta", "/v1")))
ROUTES |= dict.fromkeys(GEMINI_LISTS, gemini_models)
for _base in ("", "/ollama"):
    ROUTES |= {f"{_base}/api/tags": ollama_models, f"{_base}/api/version": ollama_version}
    ROUTES[f"{_base}/api/ps"] = ollama_running
SHOW = ("/api/show", "/ollama/api/show")
"""The routes of ``InfoRoutes.show``."""
BY_ID: dict[str, Handler] = {
    **{f"{prefix}/v1/models/": listed_model for prefix in ("", "/openai", "/anthropic")},
    **{f"{path}/": gemini_model for path in GEMINI_LISTS},
}
"""Routes with an argument at the end of their path, which may have slashes."""
OPEN = frozenset({HEALTH})
"""Routes that require no key."""


def find(path: str) -> tuple[Handler, str] | None:
    """The handler of a path and the argument in it; None for a path that is none of these."""
    handler = ROUTES.get(path)
    if handler is not None:
        return handler, ""
    for start, by_id in BY_ID.items():
        if path.startswith(start) and path != start:
            return by_id, path.removeprefix(start)
    return None


def _upstream(snapshot: Snapshot, name: str) -> Upstream:
    found = snapshot.upstreams.get(name)
    if found is None or found.lacks_address:
        raise unknown_provider(snapshot, name)
    return found
