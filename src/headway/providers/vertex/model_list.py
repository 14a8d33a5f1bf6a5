"""What Vertex AI lists: a publisher's models in Model Garden
(docs.cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list), of which there
is a list in v1beta1 only. It has a name for each, and says nothing of windows or prices.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from headway.providers.model_lists import (
    ListedModel,
    ModelList,
    Page,
    as_mapping,
    get,
    name_of,
    object_of,
)
from headway.types import HttpRequest, Target

VERSION = "v1beta1"
MOST = 100
"""Models on a page; there are some hundreds of Google's."""

Place = Callable[[Target], str]
"""Where the target's region is, without a version."""
Headers = Callable[[Target], tuple[tuple[str, str], ...]]


def _encode(
    publisher: str, place: Place, headers: Headers, target: Target, page: str | None
) -> HttpRequest:
    path = f"/{VERSION}/publishers/{publisher}/models?pageSize={MOST}"
    more = "" if page is None else f"&pageToken={quote(page, safe='')}"
    return get(target, place(target), path + more, *headers(target))


def _decode(pattern: re.Pattern[str], body: bytes) -> Page:
    """The publisher's other models draw, film and find: they are left out by their names, as
    nothing else tells."""
    found = object_of(body)
    empty = not found.keys() - {"nextPageToken"}  # what would be empty is left out
    rows = () if empty else map(as_mapping, found["publisherModels"])
    names = [name_of(row["name"]).rpartition("/")[2] for row in rows]
    models = tuple(ListedModel(id=name) for name in names if pattern.match(name))
    return Page(models, found.get("nextPageToken") or None)


def of(publisher: str, pattern: str, place: Place, headers: Headers) -> ModelList:
    """``pattern`` begins the names of the models that the kind speaks to."""
    return ModelList(
        partial(_encode, publisher, place, headers), partial(_decode, re.compile(pattern))
    )
