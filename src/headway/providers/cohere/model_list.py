"""Cohere's list of models (docs.cohere.com/reference/list-models)."""

from __future__ import annotations

from headway.providers.model_lists import (
    MAX_PAGE_SIZE,
    ListedModel,
    ModelList,
    Page,
    bearer,
    count,
    get,
    name_of,
    object_of,
    paged,
    root_of,
    rows_with,
)
from headway.types import HttpRequest, Target


def _encode(target: Target, page: str | None) -> HttpRequest:
    root = root_of(target.base_url, "/v1", "/v2")
    path = paged(f"/v1/models?page_size={MAX_PAGE_SIZE}", "page_token", page)
    return get(target, root, path, *bearer(target))


def _decode(body: bytes) -> Page:
    """Leaves out the models that neither chat nor embed."""
    found = object_of(body)
    models = (
        ListedModel(
            id=name_of(row["name"]),
            context_window=count(row.get("context_length")),
            deprecated=row["is_deprecated"] is True if "is_deprecated" in row else None,
        )
        for row in rows_with(found["models"], "endpoints", {"chat", "embed"})
    )
    return Page(tuple(models), found.get("next_page_token") or None)


MODEL_LIST = ModelList(_encode, _decode)
