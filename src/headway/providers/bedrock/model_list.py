"""Bedrock's lists of its models: those that are called by their own ids, then the inference
profiles, whose ids newer models require (docs.aws.amazon.com/bedrock/latest/APIReference/
API_ListFoundationModels.html and API_ListInferenceProfiles.html). Both belong to the control plane,
which has a host of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from urllib.parse import quote

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.types import HttpRequest, Target

DATA_PLANE_HOST = re.compile(r"(?<=//)bedrock-runtime(?=[.-])")
"""The control plane's host has "bedrock" here."""
OUTPUT_MODALITIES = {"TEXT", "EMBEDDING"}
"""Output modalities of the models that chat or embed; others make images."""
ON_DEMAND = "ON_DEMAND"
"""The inference type of models that are called by their id; others are provisioned, or have
profiles."""
APPLICATION = "APPLICATION"
"""The type of the profiles that an account made, which are called by their ARN."""
FIRST_PROFILES_PAGE = ""
"""The token of the first page of profiles, which follows the only page of models."""


def _encode(url_of: Callable[[Target], str], target: Target, page: str | None) -> HttpRequest:
    key = target.api_key
    headers = () if key is None else (("authorization", f"Bearer {key}"),)
    address = DATA_PLANE_HOST.sub("bedrock", url_of(target))
    if page is None:
        return model_lists.get(target, address, "/foundation-models", *headers)
    path = f"/inference-profiles?maxResults={model_lists.MAX_PAGE_SIZE}"
    more = f"&nextToken={quote(page, safe='')}" if page else ""
    return model_lists.get(target, address, path + more, *headers)


def _decode(body: bytes) -> Page:
    found = model_lists.object_of(body)
    if "modelSummaries" in found:
        rows = map(model_lists.as_mapping, found["modelSummaries"])
        on_demand = [row for row in rows if _can_be_called(row)]
        return Page(model_lists.models_of(on_demand, _model), FIRST_PROFILES_PAGE)
    profiles = model_lists.models_of(found["inferenceProfileSummaries"], _profile)
    return Page(profiles, model_lists.page_token(found.get("nextToken")))


def _can_be_called(row: JsonObject) -> bool:
    inference = model_lists.listed(row.get("inferenceTypesSupported"))
    outputs = model_lists.texts(row.get("outputModalities"))
    is_on_demand = not inference or ON_DEMAND in inference
    return is_on_demand and (not outputs or bool(OUTPUT_MODALITIES & outputs))


def _model(row: JsonObject) -> ListedModel:
    state = model_lists.as_mapping(row.get("modelLifecycle")).get("status")
    return ListedModel(
        id=model_lists.name_of(row["modelId"]),
        input_modalities=_lower_case(row, "inputModalities"),
        output_modalities=_lower_case(row, "outputModalities"),
        deprecated=None if state is None else state == "LEGACY",
    )


def _lower_case(row: JsonObject, name: str) -> tuple[str, ...] | None:
    return tuple(str(word).lower() for word in model_lists.listed(row.get(name))) or None


def _profile(row: JsonObject) -> ListedModel:
    is_application = row.get("type") == APPLICATION
    return ListedModel(
        id=model_lists.name_of(
            row["inferenceProfileArn" if is_application else "inferenceProfileId"]
        )
    )


def model_list(url_of: Callable[[Target], str]) -> ModelList:
    """``url_of`` is the URL of the data plane; it raises RequestError where no region is known."""
    return ModelList(partial(_encode, url_of), _decode)
