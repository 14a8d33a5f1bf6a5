"""Anthropic's list of models (platform.claude.com/docs/en/api/models-list)."""

from __future__ import annotations

from functools import partial

from headway.providers.model_lists import (
    MAX_PAGE_SIZE,
    ListedModel,
    ModelList,
    Page,
    as_mapping,
    count,
    get,
    name_of,
    object_of,
    paged,
    root_of,
)
from headway.types import HttpRequest, Target


def _encode(version: str, target: Target, page: str | None) -> HttpRequest:
    headers = [("anthropic-version", str(target.options.get("api_version") or version))]
    if target.api_key is not None:
        headers.append(("x-api-key", target.api_key))
    path = paged(f"/v1/models?limit={MAX_PAGE_SIZE}", "after_id", page)
    return get(target, root_of(target.base_url, "/v1"), path, *headers)


def _decode(body: bytes) -> Page:
    found = object_of(body)
    models = (
        ListedModel(id=name_of(row["id"]), context_window=count(row.get("max_input_tokens")))
        for row in map(as_mapping, found["data"])
    )
    return Page(tuple(models), found.get("last_id") if found.get("has_more") else None)


def model_list(version: str) -> ModelList:
    """``version`` is the API's, for the header ``anthropic-version``."""
    return ModelList(partial(_encode, version), _decode)
