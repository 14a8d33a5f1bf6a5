"""Gemini's list of models (ai.google.dev/api/models#method:-models.list)."""

from __future__ import annotations

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
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
    rows = model_lists.rows_with(found.get("models", ()), "supportedGenerationMethods", METHODS)
    token = model_lists.page_token(found.get("nextPageToken"))
    return Page(model_lists.models_of(rows, _model), token)


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(
        id=model_lists.name_of(row["name"]).removeprefix("models/"),
        context_window=model_lists.count(row.get("inputTokenLimit")),
    )


MODEL_LIST = ModelList(_encode, _decode)
