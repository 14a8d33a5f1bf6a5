"""Vertex AI's list of a publisher's models in Model Garden
(docs.cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list), which exists
in v1beta1 only. It has their names, and neither context windows nor prices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.types import HttpRequest, Target

API_VERSION = "v1beta1"
PAGE_SIZE = 100
"""Models on a page; Google has some hundreds."""

UrlOf = Callable[[Target], str]
"""The base URL of the target's region, without a version."""
Headers = Callable[[Target], tuple[tuple[str, str], ...]]


def _encode(
    publisher: str, url_of: UrlOf, headers: Headers, target: Target, page: str | None
) -> HttpRequest:
    path = f"/{API_VERSION}/publishers/{publisher}/models?pageSize={PAGE_SIZE}"
    more = "" if page is None else f"&pageToken={quote(page, safe='')}"
    return model_lists.get(target, url_of(target), path + more, *headers(target))


def _decode(pattern: re.Pattern[str], body: bytes) -> Page:
    """Models that do not chat or embed are left out by their names: the list does not say what a
    model does."""
    found = model_lists.object_of(body)
    empty = not found.keys() - {"nextPageToken"}  # Google leaves out an empty list
    listed = () if empty else model_lists.models_of(found["publisherModels"], _model)
    models = tuple(model for model in listed if pattern.match(model.id))
    return Page(models, model_lists.page_token(found.get("nextPageToken")))


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(id=model_lists.name_of(row["name"]).rpartition("/")[2])


def model_list(publisher: str, pattern: str, url_of: UrlOf, headers: Headers) -> ModelList:
    """``pattern`` matches the beginnings of the names of the models to list."""
    return ModelList(
        partial(_encode, publisher, url_of, headers), partial(_decode, re.compile(pattern))
    )
