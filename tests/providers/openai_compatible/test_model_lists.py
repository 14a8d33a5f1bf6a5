"""Lists of models that have more fields than OpenAI's, or another address."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from headway.errors import InvalidField
from headway.providers import KINDS
from headway.providers.model_lists import ListedModel, ListedPrices, Page
from headway.types import Target


def prices(**rates: str) -> ListedPrices:
    return ListedPrices(**{name: Decimal(rate) for name, rate in rates.items()})


def property_of(name: str, value: Any) -> dict[str, Any]:
    return {"property_id": name, "value": value}


CLOUDFLARE = {
    "success": True,
    "result": [
        {
            "id": "uuid",
            "name": "@cf/ibm-granite/granite-4.0-h-micro",
            "task": {"name": "Text Generation"},
            "properties": [
                property_of("context_window", "131000"),
                property_of(
                    "price",
                    [
                        {"unit": "per M input tokens", "price": 0.017, "currency": "USD"},
                        {"unit": "per M output tokens", "price": 0.11, "currency": "USD"},
                    ],
                ),
            ],
        },
        {
            "name": "@cf/old",
            "task": {"name": "Text Embeddings"},
            "properties": [property_of("planned_deprecation_date", "2026-05-30"), 7, {}],
        },
        {"name": "@cf/whisper", "task": {"name": "Automatic Speech Recognition"}},
        {"name": "@cf/odd", "properties": [property_of("price", "x"), property_of("beta", "true")]},
    ],
    "result_info": {"page": 1, "per_page": 4, "count": 4, "total_count": 5},
}
LISTS: list[tuple[str, Any, Page]] = [
    (
        "cloudflare",
        CLOUDFLARE,
        Page(
            (
                ListedModel(
                    id="@cf/ibm-granite/granite-4.0-h-micro",
                    context_window=131000,
                    prices=prices(input="0.017", output="0.11"),
                ),
                ListedModel(id="@cf/old", deprecated=True),
                ListedModel(id="@cf/odd"),
            ),
            "2",
        ),
    ),
    (
        "cloudflare",
        {"result": [], "result_info": {"page": 2, "per_page": 4, "total_count": 5}},
        Page(()),
    ),
    ("cloudflare", {"result": [], "result_info": None}, Page(())),
    (
        "databricks",
        {
            "endpoints": [
                {"name": "a", "task": "llm/v1/chat", "creation_timestamp": 1699617587000},
                {"name": "b", "task": "llm/v1/embeddings"},
                {"name": "c", "task": "llm/v1/completions"},
                {"name": "d"},
            ]
        },
        Page((ListedModel(id="a", created=1699617587), ListedModel(id="b"), ListedModel(id="d"))),
    ),
    ("databricks", {}, Page(())),
    (
        "deepinfra",
        {
            "data": [
                {
                    "id": "a",
                    "metadata": {
                        "context_length": 9,
                        "pricing": {
                            "input_tokens": 0.08,
                            "output_tokens": 0.24,
                            "cache_read_tokens": 0.01,
                        },
                    },
                },
                {"id": "b", "metadata": None},
            ]
        },
        Page(
            (
                ListedModel(
                    id="a",
                    context_window=9,
                    prices=prices(input="0.08", output="0.24", cached="0.01"),
                ),
                ListedModel(id="b"),
            )
        ),
    ),
    (
        "venice",
        {
            "data": [
                {
                    "id": "a",
                    "context_length": 9,
                    "model_spec": {
                        "pricing": {
                            "input": {"usd": 0.7, "diem": 7},
                            "cache_input": {"usd": 0.35, "diem": 3.5},
                            "cache_write": {"usd": 7.5, "diem": 75},
                            "output": {"usd": 2.8, "diem": 28},
                        }
                    },
                }
            ]
        },
        Page(
            (
                ListedModel(
                    id="a",
                    context_window=9,
                    prices=prices(input="0.7", output="2.8", cached="0.35", cache_write="7.5"),
                ),
            )
        ),
    ),
    (
        "nebius",
        {
            "data": [
                {
                    "id": "a",
                    "context_length": 9,
                    "pricing": {"prompt": "0.0000002", "completion": "0.0000006"},
                }
            ]
        },
        Page((ListedModel(id="a", context_window=9, prices=prices(input="0.2", output="0.6")),)),
    ),
]


@pytest.mark.parametrize(("kind", "said", "expected"), LISTS)
def test_a_list_is_decoded_with_windows_and_prices(kind: str, said: Any, expected: Page) -> None:
    how = KINDS[kind].list_models
    assert how is not None
    assert how.decode(json.dumps(said).encode()) == expected


@pytest.mark.parametrize("kind", ["cloudflare", "databricks"])
@pytest.mark.parametrize("body", [b'{"result": 7, "endpoints": "x"}', b'{"a": 1}', b"null", b"[7]"])
def test_anything_but_a_list_raises(kind: str, body: bytes) -> None:
    how = KINDS[kind].list_models
    assert how is not None
    with pytest.raises((LookupError, TypeError)):
        how.decode(body)


ACCOUNT = "/client/v4/accounts/a1/ai/models/search?per_page=100&page="
# kind, base URL, options, page, the URL of the list
PLACES: list[tuple[str, str, dict[str, str], str | None, str]] = [
    ("databricks", "", {"workspace": "dbc.example"}, None,
     "dbc.example/api/2.0/serving-endpoints"),
    ("databricks", "https://dbc.example/serving-endpoints/", {}, None,
     "dbc.example/api/2.0/serving-endpoints"),
    ("databricks", "https://dbc.example/ai-gateway/mlflow/v1", {}, None,
     "dbc.example/api/2.0/serving-endpoints"),
    ("cloudflare", "", {"account_id": "a1"}, None, f"api.cloudflare.com{ACCOUNT}1"),
    ("cloudflare", "", {"account_id": "a1"}, "2", f"api.cloudflare.com{ACCOUNT}2"),
    ("cloudflare", "http://own/ai/v1", {}, None, "own/ai/models/search?per_page=100&page=1"),
    ("nebius", "https://api.tokenfactory.nebius.com/v1", {}, None,
     "api.tokenfactory.nebius.com/v1/models?verbose=true"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "base_url", "options", "page", "place"), PLACES)
def test_a_list_is_requested_at_its_url(
    kind: str, base_url: str, options: dict[str, str], page: str | None, place: str
) -> None:
    how = KINDS[kind].list_models
    assert how is not None
    target = Target(provider=kind, base_url=base_url, options=options, api_key="k")
    request = how.encode(target, page)
    assert (request.method, f"{request.url.host}{request.url.path}") == ("GET", place)
    assert ("authorization", "Bearer k") in request.headers


@pytest.mark.parametrize("kind", ["databricks", "cloudflare"])
def test_the_error_for_a_missing_address_names_the_option(kind: str) -> None:
    how, options = KINDS[kind].list_models, KINDS[kind].options
    assert how is not None
    with pytest.raises(InvalidField, match=next(iter(options))):
        how.encode(Target(provider=kind, base_url=""), None)
