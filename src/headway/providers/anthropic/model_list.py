"""Anthropic's list of models (platform.claude.com/docs/en/api/models-list)."""

from __future__ import annotations

from functools import partial

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.types import HttpRequest, Target


def _encode(version: str, target: Target, page: str | None) -> HttpRequest:
    headers = [("anthropic-version", str(target.options.get("api_version") or version))]
    if target.api_key is not None:
        headers.append(("x-api-key", target.api_key))
    path = model_lists.paged(f"/v1/models?limit={model_lists.MAX_PAGE_SIZE}", "after_id", page)
    return model_lists.get(target, model_lists.root_of(target.base_url, "/v1"), path, *headers)


def _decode(body: bytes) -> Page:
    found = model_lists.object_of(body)
    last = model_lists.page_token(found.get("last_id"))
    return Page(
        model_lists.models_of(found["data"], _model), last if found.get("has_more") else None
    )


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(
        id=model_lists.name_of(row["id"]),
        context_window=model_lists.count(row.get("max_input_tokens")),
    )


def model_list(version: str) -> ModelList:
    """``version`` is the API's, for the header ``anthropic-version``."""
    return ModelList(partial(_encode, version), _decode)
