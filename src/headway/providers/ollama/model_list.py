"""Ollama's list of models (docs.ollama.com/api/tags), or the one of its OpenAI-compatible API."""

from __future__ import annotations

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.types import HttpRequest, Target


def _encode(target: Target, page: str | None) -> HttpRequest:
    root = model_lists.root_of(target.base_url, "/v1", "/api")
    is_v1 = target.base_url.rstrip("/").endswith("/v1")
    api = target.options.get("api", "openai" if is_v1 else "native")
    path = "/v1/models" if api == "openai" else "/api/tags"
    return model_lists.get(target, root, path, *model_lists.bearer(target))


def _decode(body: bytes) -> Page:
    found = model_lists.object_of(body)
    if "data" in found:
        return model_lists.decode_openai_list(body)
    return Page(model_lists.models_of(found["models"], _model))


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(id=model_lists.name_of(row.get("model") or row["name"]))


MODEL_LIST = ModelList(_encode, _decode)
