"""Lists of models: the requests, and the decoded responses."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from headway.errors import UpstreamAuth, UpstreamRejected
from headway.providers import KINDS
from headway.providers import model_lists as listing
from headway.providers.model_lists import ListedModel, ListedPrices, Page
from headway.types import HttpRequest, Target
from support.for_each import for_each
from support.recordings import Recording, chosen, each

KEY = "sk-secret"
KINDS_WITH_LIST = [kind for kind in KINDS if KINDS[kind].list_models is not None]


def decode(kind: str, body: bytes) -> Page:
    model_list = KINDS[kind].list_models
    assert model_list is not None
    return model_list.decode(body)


def request(
    kind: str, base_url: str | None = None, page: str | None = None, **more: Any
) -> HttpRequest:
    model_list = KINDS[kind].list_models
    assert model_list is not None
    url = KINDS[kind].base_url if base_url is None else base_url
    target = Target(provider=kind, base_url=url or "", **{"api_key": KEY, **more})
    return model_list.encode(target, page)


# --- Requests -------------------------------------------------------------------------------------


KEY_CHECKS: list[tuple[str, str, dict[str, Any], str, tuple[str, str]]] = [
    (
        "openrouter",
        "https://openrouter.ai/api/v1",
        {},
        "/api/v1/key",
        ("authorization", f"Bearer {KEY}"),
    ),
    ("azure_openai", "https://a.openai.azure.com", {}, "/openai/v1/models", ("api-key", KEY)),
    (
        "azure_openai_responses",
        "https://a.openai.azure.com",
        {"api_version": "2024-10-21"},
        "/openai/models?api-version=2024-10-21",
        ("api-key", KEY),
    ),
]


@for_each(("kind", "base_url", "options", "path", "header"), KEY_CHECKS)
def test_a_key_is_checked_by_a_request_of_its_own_where_the_list_does_not_tell(
    kind: str, base_url: str, options: dict[str, Any], path: str, header: tuple[str, str]
) -> None:
    make = KINDS[kind].key_check
    assert make is not None
    sent = make(Target(provider=kind, base_url=base_url, api_key=KEY, options=options))
    assert (sent.method, sent.url.path, sent.body) == ("GET", path, b"")
    assert header in sent.headers


# kind, base URL, page, the URL of the request
URLS = [
    ("openai", None, None, "api.openai.com/v1/models"),
    ("openai_responses", None, None, "api.openai.com/v1/models"),
    ("groq", None, None, "api.groq.com/openai/v1/models"),
    ("deepseek", None, None, "api.deepseek.com/models"),
    ("perplexity", None, None, "api.perplexity.ai/v1/models"),
    ("perplexity", "http://own/v1", None, "own/v1/models"),
    ("github_models", None, None, "models.github.ai/catalog/models"),
    ("anthropic", None, None, "api.anthropic.com/v1/models?limit=1000"),
    ("anthropic", "http://own/v1/", "m 1", "own/v1/models?limit=1000&after_id=m%201"),
    ("gemini", None, None, "generativelanguage.googleapis.com/v1beta/models?pageSize=1000"),
    ("gemini", "http://own/v1", "a/b=", "own/v1/models?pageSize=1000&pageToken=a%2Fb%3D"),
    ("cohere", None, None, "api.cohere.com/v1/models?page_size=1000"),
    ("cohere", "http://own/v2", "n", "own/v1/models?page_size=1000&page_token=n"),
    ("ollama", None, None, "127.0.0.1/api/tags"),
    ("ollama", "http://own/api", None, "own/api/tags"),
    ("ollama", "http://own/v1", None, "own/v1/models"),
]


@for_each(("kind", "base_url", "page", "place"), URLS)
def test_a_list_is_requested_at_its_url(
    kind: str, base_url: str | None, page: str | None, place: str
) -> None:
    sent = request(kind, base_url, page)
    assert (sent.method, sent.body) == ("GET", b"")
    assert sent.url.host + sent.url.path == place


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("openai", "authorization", f"Bearer {KEY}"),
        ("cohere", "authorization", f"Bearer {KEY}"),
        ("ollama", "authorization", f"Bearer {KEY}"),
        ("anthropic", "x-api-key", KEY),
        ("gemini", "x-goog-api-key", KEY),
    ],
)
def test_the_key_is_sent_in_a_header_if_there_is_one(kind: str, name: str, value: str) -> None:
    assert dict(request(kind, headers={"x-own": "1"}).headers)[name] == value
    without = dict(request(kind, api_key=None, headers={"x-own": "1"}).headers)
    assert name not in without
    assert (without["x-own"], without["accept"]) == ("1", "application/json")


def test_a_token_of_a_credential_source_is_sent_as_a_bearer_token() -> None:
    sent = request("openai", api_key=None, credentials={"access_token": "t"})
    assert dict(sent.headers)["authorization"] == "Bearer t"


def test_options_change_the_request() -> None:
    sent = request("anthropic", options={"api_version": "2026-10-21"})
    assert dict(sent.headers)["anthropic-version"] == "2026-10-21"
    assert request("ollama", options={"api": "openai"}).url.path == "/v1/models"
    mantle = request("bedrock_mantle", options={"region": "eu-west-1"})
    assert mantle.url.host == "bedrock-mantle.eu-west-1.api.aws"
    assert mantle.url.path == "/v1/models"


@for_each("kind", KINDS_WITH_LIST)
def test_every_list_can_be_requested_from_any_server(kind: str) -> None:
    assert request(kind, "http://127.0.0.1:9").url.port == 9


# --- Responses ------------------------------------------------------------------------------------


# kind, response, decoded models
RESPONSES: list[tuple[str, Any, list[ListedModel]]] = [
    (
        "openai",
        {"data": [{"id": "a", "created": 7}, {"id": "b", "created": True}]},
        [ListedModel(id="a", created=7), ListedModel(id="b")],
    ),
    (
        "together",
        [{"id": "a", "context_length": 10, "pricing": {"hourly": 0, "input": 0, "output": 0}}],
        [ListedModel(id="a", context_window=10)],
    ),
    (
        "together",
        [{"id": "a", "pricing": {"hourly": 0, "input": 0.3, "output": 1, "base": 0}}],
        [ListedModel(id="a", prices=ListedPrices(input=Decimal("0.3"), output=Decimal(1)))],
    ),
    (
        "openrouter",
        {
            "data": [
                {
                    "id": "a",
                    "context_length": 10,
                    "architecture": {
                        "input_modalities": ["text", "image"],
                        "output_modalities": ["text"],
                    },
                    "pricing": {
                        "prompt": "0.000003",
                        "completion": "0.000015",
                        "input_cache_read": "0.0000003",
                        "input_cache_write": "0.00000375",
                    },
                },
                {"id": "free", "pricing": {"prompt": "0", "completion": "0"}},
                {"id": "auto", "pricing": {"prompt": "-1", "completion": "-1"}},
                {"id": "odd", "pricing": {"prompt": "much", "completion": True}},
            ]
        },
        [
            ListedModel(
                id="a",
                context_window=10,
                input_modalities=("text", "image"),
                output_modalities=("text",),
                prices=ListedPrices(
                    input=Decimal(3),
                    output=Decimal(15),
                    cached=Decimal("0.3"),
                    cache_write=Decimal("3.75"),
                ),
            ),
            ListedModel(id="free", prices=ListedPrices(input=Decimal(0), output=Decimal(0))),
            ListedModel(id="auto"),
            ListedModel(id="odd"),
        ],
    ),
    (
        "vercel",
        {"data": [{"id": "a", "pricing": {"input": "0.000001", "output": "0.000002"}}]},
        [ListedModel(id="a", prices=ListedPrices(input=Decimal(1), output=Decimal(2)))],
    ),
    (
        "groq",
        {"data": [{"id": "a", "output_modalities": ["audio"], "pricing": {"prompt": "0.00002"}}]},
        [ListedModel(id="a", output_modalities=("audio",))],
    ),
    ("vllm", {"data": [{"id": "a", "max_model_len": 9}]}, [ListedModel(id="a", context_window=9)]),
    (
        "huggingface",
        {
            "data": [
                {"id": "a", "providers": [{"context_length": 9}, {"context_length": 9}]},
                {"id": "b", "providers": [{"context_length": 9}, {"context_length": 8}]},
                {"id": "c", "providers": [{"context_length": 9}, {}]},
            ]
        },
        [ListedModel(id="a", context_window=9), ListedModel(id="b"), ListedModel(id="c")],
    ),
    (
        "github_models",
        [{"id": "o/a", "supported_input_modalities": ["text"], "supported_output_modalities": []}],
        [ListedModel(id="o/a", input_modalities=("text",))],
    ),
    (
        "mistral",
        {
            "data": [
                {
                    "id": "a",
                    "max_context_length": 9,
                    "capabilities": {"completion_chat": True, "vision": True, "audio": False},
                    "deprecation": None,
                },
                {
                    "id": "b",
                    "capabilities": {"completion_chat": False, "vision": False},
                    "deprecation": "2026-01-31T12:00:00Z",
                },
            ]
        },
        [
            ListedModel(
                id="a", context_window=9, input_modalities=("text", "image"), deprecated=False
            ),
            ListedModel(id="b", deprecated=True),
        ],
    ),
    (
        "anthropic",
        {"data": [{"id": "a", "max_input_tokens": 9}, {"id": "b"}], "has_more": False},
        [ListedModel(id="a", context_window=9), ListedModel(id="b")],
    ),
    (
        "gemini",
        {
            "models": [
                {
                    "name": "models/a",
                    "inputTokenLimit": 9,
                    "supportedGenerationMethods": ["generateContent", "countTokens"],
                },
                {"name": "models/film", "supportedGenerationMethods": ["predictLongRunning"]},
                {"name": "tunedModels/b"},
            ]
        },
        [ListedModel(id="a", context_window=9), ListedModel(id="tunedModels/b")],
    ),
    ("gemini", {}, []),
    (
        "cohere",
        {
            "models": [
                {"name": "a", "context_length": 9.0, "endpoints": ["chat"], "is_deprecated": True},
                {"name": "rank", "endpoints": ["rerank"]},
                {"name": "b", "context_length": 9},
            ]
        },
        [
            ListedModel(id="a", context_window=9, deprecated=True),
            ListedModel(id="b", context_window=9),
        ],
    ),
    (
        "ollama",
        {"models": [{"name": "a:latest", "model": "a:latest"}, {"name": "b"}]},
        [ListedModel(id="a:latest"), ListedModel(id="b")],
    ),
    ("ollama", {"object": "list", "data": [{"id": "a"}]}, [ListedModel(id="a")]),
]


@for_each(("kind", "said", "meant"), RESPONSES)
def test_a_list_is_decoded(kind: str, said: Any, meant: list[ListedModel]) -> None:
    assert decode(kind, json.dumps(said).encode()) == Page(tuple(meant))


@pytest.mark.parametrize(
    ("kind", "said", "more"),
    [
        ("anthropic", {"data": [], "has_more": True, "last_id": "a"}, "a"),
        ("anthropic", {"data": [], "has_more": False, "last_id": "a"}, None),
        ("gemini", {"models": [], "nextPageToken": "t"}, "t"),
        ("cohere", {"models": [], "next_page_token": "t"}, "t"),
        ("cohere", {"models": [], "next_page_token": ""}, None),
    ],
)
def test_a_page_has_the_token_of_the_next(kind: str, said: Any, more: str | None) -> None:
    assert decode(kind, json.dumps(said).encode()).more == more


NOT_A_LIST = [
    b"",
    b"<html>",
    b"null",
    b"7",
    b'"models"',
    b'{"data": null, "models": 7}',
    b'{"data": [7], "models": [7]}',
    b'{"data": [{}], "models": [{}]}',
    b'{"data": [{"id": 7}], "models": [{"name": 7}]}',
    b'{"data": [{"id": ""}], "models": [{"name": ""}]}',
]


@for_each("kind", KINDS_WITH_LIST)
def test_anything_but_a_list_raises_an_expected_error(kind: str) -> None:
    for body in NOT_A_LIST:
        try:
            page = decode(kind, body)
        except (LookupError, TypeError, ValueError):
            continue
        assert (kind, page) == ("gemini", Page(())), body  # it leaves out what would be empty


CLOUDS = {"bedrock", "vertex", "vertex_anthropic"}
"""Their lists have other formats: test_cloud_model_lists.py."""


@for_each("kind", [kind for kind in KINDS_WITH_LIST if kind not in CLOUDS])
def test_unexpected_values_next_to_a_name_are_ignored(kind: str) -> None:
    for odd in (None, 7, "x", [7], {"a": [None]}, [{"b": 1}]):
        model = {"id": "a", "name": "a", **dict.fromkeys(FIELDS, odd)}
        if kind in ("gemini", "cohere"):
            model = {name: value for name, value in model.items() if name not in FILTERS}
        body = json.dumps({name: [model] for name in LIST_FIELDS}).encode()
        assert [one.id for one in decode(kind, body).models] == ["a"]


FILTERS = ("endpoints", "supportedGenerationMethods")
LIST_FIELDS = ("data", "models", "endpoints", "result")
FIELDS = (
    "created", "context_window", "context_length", "max_context_length", "meta", "providers",
    "input_modalities", "output_modalities", "architecture", "pricing", "capabilities",
    "max_input_tokens", "inputTokenLimit", "is_deprecated", "metadata", "model_spec", "properties",
    "creation_timestamp", *FILTERS,
)  # fmt: skip


def test_these_kinds_have_no_list() -> None:
    without = set(KINDS) - set(KINDS_WITH_LIST)
    assert without == {
        "azure_openai",  # its list has models, but requests name deployments
        "azure_openai_responses",
        "echo",
        "local",
    }


def test_patterns_divide_a_price_list_among_kinds() -> None:
    by_pattern = {kind: KINDS[kind].model_pattern for kind in KINDS if KINDS[kind].model_pattern}
    assert set(by_pattern) == {"gemini", "vertex", "vertex_anthropic", "bedrock_mantle"}


# --- Recordings -----------------------------------------------------------------------------------

LISTS = chosen(lambda r: r.api == "models" and r.status == 200)
ERRORS = chosen(lambda r: r.api == "models" and r.status != 200)


@each(LISTS)
def test_a_recorded_list_is_decoded(recording: Recording) -> None:
    said = json.loads(recording.body)["data"]
    page = decode(recording.provider, recording.body)
    assert [model.id for model in page.models] == [row["id"] for row in said]
    assert page.more is None
    for model, row in zip(page.models, said, strict=True):
        assert model.created == (row.get("created") if recording.provider != "anthropic" else None)
        wanted = [row[name] for name in listing.CONTEXT_FIELDS if name in row]
        assert not wanted or model.context_window == wanted[0]
        assert list(model.input_modalities or []) == input_modalities(row)


def input_modalities(row: Any) -> Any:
    abilities = row.get("capabilities", {})
    if abilities.get("completion_chat"):
        more = (("vision", "image"), ("audio", "audio"))
        return ["text", *(word for name, word in more if abilities.get(name))]
    return row.get("input_modalities") or row.get("architecture", {}).get("input_modalities", [])


# name of a recording: model, its window and its prices
FACTS = {
    "groq/models-sync-basic": (
        "openai/gpt-oss-20b",
        131072,
        ListedPrices(input=Decimal("0.075"), output=Decimal("0.3"), cached=Decimal("0.0375")),
    ),
    "perplexity/models-sync-basic": (
        "anthropic/claude-opus-4-5",
        None,
        ListedPrices(
            input=Decimal(5), output=Decimal(25), cached=Decimal("0.5"), cache_write=Decimal("6.25")
        ),
    ),
    "llamacpp/models-sync-basic": ("/REDACTED_PATH/Qwen3-1.7B-Q4_K_M.gguf", 4096, None),
}
WITH_FACTS = [recording for recording in LISTS if recording.name in FACTS]


@each(WITH_FACTS)
def test_windows_and_prices_of_a_recorded_list_are_decoded(recording: Recording) -> None:
    name, window, prices = FACTS[recording.name]
    models = {model.id: model for model in decode(recording.provider, recording.body).models}
    assert (models[name].context_window, models[name].prices) == (window, prices)


@each(ERRORS)
def test_a_recorded_error_is_an_authentication_error(recording: Recording) -> None:
    provider = KINDS[recording.provider]
    error = provider.decode_error(recording.status, recording.headers, recording.body)
    assert isinstance(error, UpstreamAuth | UpstreamRejected)
    assert error.message
