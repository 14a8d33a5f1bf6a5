"""Gemini's list of models (ai.google.dev/api/models#method:-models.list)."""

from __future__ import annotations

from headway.providers import model_lists
from headway.providers.model_lists import ListedModel, ModelList, Page
from headway.types import HttpRequest, Target

METHODS = {"generateContent", "embedContent", "batchEmbedContents"}
"""``supportedGenerationMethods`` of the models that chat or embed."""


def _encode(target: Target, page: str | None) -> HttpRequest:
    headers = () if target.api_key is None else (("x-goog-api-key", target.api_key),)
    path = model_lists.paged(f"/models?pageSize={model_lists.MAX_PAGE_SIZE}", "pageToken", page)
    return model_lists.get(target, target.base_url, path, *headers)


def _decode(body: bytes) -> Page:
    """Leaves out the models that make images, videos or speech."""
    found = model_lists.object_of(body)
    models = (
        ListedModel(
            id=model_lists.name_of(row["name"]).removeprefix("models/"),
            context_window=model_lists.count(row.get("inputTokenLimit")),
        )
        for row in model_lists.rows_with(
            found.get("models", ()), "supportedGenerationMethods", METHODS
        )
    )
    return Page(tuple(models), found.get("nextPageToken") or None)


MODEL_LIST = ModelList(_encode, _decode)
