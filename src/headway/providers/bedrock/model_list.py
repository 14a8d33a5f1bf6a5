"""What Amazon Bedrock lists: the models that can be called by their own ids, then the inference
profiles, which are called by theirs and without which the newer models cannot be
(docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html and
API_ListInferenceProfiles.html). Both are the control plane's, whose host is another one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from headway.providers.model_lists import (
    MOST,
    ListedModel,
    ModelList,
    Page,
    Row,
    as_mapping,
    get,
    listed,
    name_of,
    object_of,
)
from headway.types import HttpRequest, Target

RUNTIME = re.compile(r"(?<=//)bedrock-runtime(?=[.-])")
"""In the data plane's own host: the control plane's lacks the word."""
ANSWERS = {"TEXT", "EMBEDDING"}
"""What comes out of models that are spoken to here; others draw."""
CALLED = "ON_DEMAND"
"""How a model can be called by its id; others are provisioned, or have profiles."""
OWN = "APPLICATION"
"""The type of profiles that an account made, which are called by their ARN."""
FIRST = ""
"""The first page of the profiles, which comes after the only one of the models."""


def _encode(place: Callable[[Target], str], target: Target, page: str | None) -> HttpRequest:
    key = target.api_key
    headers = () if key is None else (("authorization", f"Bearer {key}"),)
    address = RUNTIME.sub("bedrock", place(target))
    if page is None:
        return get(target, address, "/foundation-models", *headers)
    path = f"/inference-profiles?maxResults={MOST}"
    more = f"&nextToken={quote(page, safe='')}" if page else ""
    return get(target, address, path + more, *headers)


def _decode(body: bytes) -> Page:
    found = object_of(body)
    if "modelSummaries" in found:
        rows = map(as_mapping, found["modelSummaries"])
        return Page(tuple(_model(row) for row in rows if _can_be_called(row)), FIRST)
    profiles = map(as_mapping, found["inferenceProfileSummaries"])
    return Page(tuple(map(_profile, profiles)), found.get("nextToken") or None)


def _can_be_called(row: Row) -> bool:
    ways, given = listed(row.get("inferenceTypesSupported")), listed(row.get("outputModalities"))
    return (not ways or CALLED in ways) and (not given or bool(ANSWERS & {*given}))


def _model(row: Row) -> ListedModel:
    state = as_mapping(row.get("modelLifecycle")).get("status")
    return ListedModel(
        id=name_of(row["modelId"]),
        input_modalities=_words(row, "inputModalities"),
        output_modalities=_words(row, "outputModalities"),
        deprecated=None if state is None else state == "LEGACY",
    )


def _words(row: Row, name: str) -> tuple[str, ...] | None:
    return tuple(str(word).lower() for word in listed(row.get(name))) or None


def _profile(row: Row) -> ListedModel:
    is_own = row.get("type") == OWN
    return ListedModel(id=name_of(row["inferenceProfileArn" if is_own else "inferenceProfileId"]))


def of(place: Callable[[Target], str]) -> ModelList:
    """``place`` says where the data plane is; it raises RequestError where no region is known."""
    return ModelList(partial(_encode, place), _decode)
