"""Databricks.

Sources: docs.databricks.com; its REST API errors (``{"error_code": "INVALID_PARAMETER_VALUE",
"message": ...}``); docs.databricks.com/dev-tools/auth/env-vars;
docs.databricks.com/api/workspace/servingendpoints/list.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headway.providers import model_lists
from headway.providers.model_lists import JsonObject, ListedModel, ModelList, Page
from headway.providers.openai_compatible.errors import ErrorFormat
from headway.providers.openai_compatible.request_rules import PENALTIES, TO_MAX_TOKENS, RequestRules
from headway.providers.openai_compatible.vendor import OPEN_MODEL_SERVER, AddressOption, Vendor
from headway.providers.sdk_env import Variable, host_name
from headway.types import HttpRequest, Target

CHAT, EMBEDDINGS = "llm/v1/chat", "llm/v1/embeddings"
_any = msgspec.json.Decoder().decode


def _encode_list(target: Target, page: str | None) -> HttpRequest:
    """GET /api/2.0/serving-endpoints of the workspace, at the address that is configured for
    chat."""
    root = model_lists.root_of(target.base_url, "/serving-endpoints", "/ai-gateway/mlflow/v1")
    return model_lists.get(target, root, "/api/2.0/serving-endpoints", *model_lists.bearer(target))


def _decode_list(body: bytes) -> Page:
    """``{"endpoints": [{"name", "task", "creation_timestamp"}]}``, with milliseconds. A workspace
    without endpoints leaves the field out."""
    found = _any(body)
    endpoints = model_lists.rows_of(found, "endpoints") if found != {} else []
    rows = [
        row
        for row in map(model_lists.as_mapping, endpoints)
        if row.get("task", CHAT) in (CHAT, EMBEDDINGS)
    ]
    return Page(model_lists.models_of(rows, _model))


def _model(row: JsonObject) -> ListedModel:
    return ListedModel(
        id=model_lists.name_of(row["name"]), created=_seconds(row.get("creation_timestamp"))
    )


def _seconds(milliseconds: Any) -> int | None:
    known = model_lists.count(milliseconds)
    return None if known is None else known // 1000


VENDOR = Vendor(
    title="Databricks",
    order=230,
    key_env="DATABRICKS_TOKEN",
    environ={"workspace": Variable("DATABRICKS_HOST", host_name)},
    address_option=AddressOption(
        "workspace",
        "the workspace's host name, such as dbc-1a2b.cloud.databricks.com",
        "https://{}/serving-endpoints",
    ),
    price_id="databricks",
    wire="openai_chat_databricks",
    request_rules=RequestRules(unsupported=(*PENALTIES, "seed"), renamed=TO_MAX_TOKENS),
    errors=ErrorFormat(code_field="error_code"),
    model_list=ModelList(_encode_list, _decode_list),
    capabilities=OPEN_MODEL_SERVER,
)
