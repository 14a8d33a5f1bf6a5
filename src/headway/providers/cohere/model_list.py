"""Cohere's list of models (docs.cohere.com/reference/list-models)."""

from __future__ import annotations

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.types import HttpRequest, Target


def _encode(target: Target, page: str | None) -> HttpRequest:
    root = model_lists.root_of(target.base_url, "/v1", "/v2")
    path = model_lists.paged(
        f"/v1/models?page_size={model_lists.MAX_PAGE_SIZE}", "page_token", page
    )
    return model_lists.get(target, root, path, *model_lists.bearer(target))


def _decode(body: bytes) -> Page:
    """Leaves out the models that neither chat nor embed."""
    found = model_lists.object_of(body)
    rows = model_lists.rows_with(found["models"], "endpoints", {"chat", "embed"})
    token = model_lists.page_token(found.get("next_page_token"))
    return Page(model_lists.models_of(rows, _model), token)


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(
        id=model_lists.name_of(row["name"]),
        context_window=model_lists.count(row.get("context_length")),
        deprecated=row["is_deprecated"] is True if "is_deprecated" in row else None,
    )


MODEL_LIST = ModelList(_encode, _decode)
