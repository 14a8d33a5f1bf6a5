"""Gemini's list of models (ai.google.dev/api/models#method:-models.list)."""

from __future__ import annotations

from headway.providers.model_lists import (
    MAX_PAGE_SIZE,
    ListedModel,
    ModelList,
    Page,
    count,
    get,
    name_of,
    object_of,
    paged,
    rows_with,
)
from headway.types import HttpRequest, Target

METHODS = {"generateContent", "embedContent", "batchEmbedContents"}
"""``supportedGenerationMethods`` of the models that chat or embed."""


def _encode(target: Target, page: str | None) -> HttpRequest:
    headers = () if target.api_key is None else (("x-goog-api-key", target.api_key),)
    path = paged(f"/models?pageSize={MAX_PAGE_SIZE}", "pageToken", page)
    return get(target, target.base_url, path, *headers)


def _decode(body: bytes) -> Page:
    """Leaves out the models that make images, videos or speech."""
    found = object_of(body)
    models = (
        ListedModel(
            id=name_of(row["name"]).removeprefix("models/"),
            context_window=count(row.get("inputTokenLimit")),
        )
        for row in rows_with(found.get("models", ()), "supportedGenerationMethods", METHODS)
    )
    return Page(tuple(models), found.get("nextPageToken") or None)


MODEL_LIST = ModelList(_encode, _decode)
