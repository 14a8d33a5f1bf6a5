"""The model lists of Bedrock and Vertex AI: hosts, authentication, decoding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from headway.errors import RequestError
from headway.providers import KINDS
from headway.providers.model_lists import ListedModel, Page
from headway.types import HttpRequest, Target
from providers.test_kinds_over_http import TOKEN, USER
from support.gateway_process import Gateway
from support.lazy_import import lazy_import
from support.scripted_server import Received, ThreadedServer, answer

boto3 = lazy_import("boto3")
genai = lazy_import("google.genai")

KEY = "sk-secret"
REGION = {"region": "eu-west-1"}
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"


def ask(kind: str, page: str | None = None, base_url: str = "", **more: Any) -> HttpRequest:
    how = KINDS[kind].list_models
    assert how is not None
    url = base_url or KINDS[kind].base_url or ""
    return how.encode(Target(provider=kind, base_url=url, **more), page)


def read(kind: str, said: Any) -> Page:
    how = KINDS[kind].list_models
    assert how is not None
    return how.decode(json.dumps(said).encode())


# --- Requests -------------------------------------------------------------------------------------

RUNTIME = "https://bedrock-runtime.eu-west-1.amazonaws.com"
FIPS = "https://bedrock-runtime-fips.us-east-1.amazonaws.com"
PROFILES = "/inference-profiles?maxResults=1000"


@pytest.mark.parametrize(
    ("base_url", "page", "place"),
    [
        ("", None, "bedrock.eu-west-1.amazonaws.com/foundation-models"),
        ("", "", f"bedrock.eu-west-1.amazonaws.com{PROFILES}"),
        ("", "a/b=", f"bedrock.eu-west-1.amazonaws.com{PROFILES}&nextToken=a%2Fb%3D"),
        (RUNTIME, None, "bedrock.eu-west-1.amazonaws.com/foundation-models"),
        (FIPS, None, "bedrock-fips.us-east-1.amazonaws.com/foundation-models"),
        ("http://own/p", None, "own/p/foundation-models"),
    ],
)
def test_bedrocks_lists_are_requested_from_the_control_plane(
    base_url: str, page: Any, place: str
) -> None:
    asked = ask("bedrock", page, base_url, options=REGION, headers={"x-own": "1"})
    assert (asked.method, asked.body) == ("GET", b"")
    assert asked.url.host + asked.url.path == place
    assert asked.headers == (("accept", "application/json"), ("x-own", "1"))


def test_bedrocks_list_needs_a_region() -> None:
    with pytest.raises(RequestError, match="region"):
        ask("bedrock")


def test_bedrocks_list_is_requested_with_a_signature_or_a_key() -> None:
    keyed = ask("bedrock", options=REGION, api_key=KEY)
    assert dict(keyed.headers)["authorization"] == f"Bearer {KEY}"
    options = {**REGION, "access_key": "AKIA", "secret_key": "s"}
    sign = KINDS["bedrock"].sign
    assert sign is not None
    target = Target(provider="bedrock", base_url=KINDS["bedrock"].base_url or "", options=options)
    signed = sign(ask("bedrock", options=options), target, 0.0)
    assert "Credential=AKIA/19700101/eu-west-1/bedrock/" in dict(signed.headers)["authorization"]


@pytest.mark.parametrize(
    ("kind", "options", "base_url", "place"),
    [
        ("vertex", {}, "", "aiplatform.googleapis.com"),
        ("vertex", {"region": "us-central1"}, "", "us-central1-aiplatform.googleapis.com"),
        ("vertex", {"region": "eu"}, "", "aiplatform.eu.rep.googleapis.com"),
        ("vertex", {}, "http://own/p", "own/p"),
        ("vertex_anthropic", {}, "", "aiplatform.googleapis.com"),
        ("vertex_anthropic", {"region": "us-east5"}, "", "us-east5-aiplatform.googleapis.com"),
        ("vertex_anthropic", {}, "http://own/p/v1", "own/p"),
    ],
)
def test_vertex_lists_the_models_of_a_publisher(kind, options, base_url, place) -> None:
    publisher = {"vertex": "google"}.get(kind, "anthropic")
    credentials = {"access_token": "t", "quota_project": "p"}
    asked = ask(kind, None, base_url, options=options, credentials=credentials)
    path = f"{place}/v1beta1/publishers/{publisher}/models?pageSize=100"
    assert asked.url.host + asked.url.path == path
    assert dict(asked.headers)["authorization"] == "Bearer t"
    assert dict(asked.headers).get("x-goog-user-project") == ("p" if kind == "vertex" else None)
    again = ask(kind, "a/b", base_url, options=options, api_key=KEY)
    assert again.url.path.endswith("&pageToken=a%2Fb")
    assert KEY in str(again.headers)


# --- Responses ------------------------------------------------------------------------------------

MODELS = {
    "modelSummaries": [
        {
            "modelId": "amazon.nova-lite-v1:0",
            "inputModalities": ["TEXT", "IMAGE"],
            "outputModalities": ["TEXT"],
            "inferenceTypesSupported": ["ON_DEMAND"],
            "modelLifecycle": {"status": "ACTIVE"},
        },
        {
            "modelId": "amazon.titan-embed-text-v2:0",
            "inputModalities": ["TEXT"],
            "outputModalities": ["EMBEDDING"],
            "inferenceTypesSupported": ["ON_DEMAND", "PROVISIONED"],
            "modelLifecycle": {"status": "LEGACY"},
        },
        {"modelId": "amazon.nova-lite-v1:0:24k", "inferenceTypesSupported": ["PROVISIONED"]},
        {"modelId": "anthropic.claude-x", "inferenceTypesSupported": ["INFERENCE_PROFILE"]},
        {"modelId": "amazon.nova-canvas-v1:0", "outputModalities": ["IMAGE"]},
        {"modelId": "new.model"},
    ]
}
OURS = {
    "inferenceProfileSummaries": [
        {"inferenceProfileId": "eu.anthropic.claude-x", "type": "SYSTEM_DEFINED"},
        {"inferenceProfileId": "abc", "inferenceProfileArn": ARN, "type": "APPLICATION"},
    ],
    "nextToken": "t",
}
GARDEN = {
    "publisherModels": [
        {"name": "publishers/google/models/gemini-2.5-pro", "versionId": "default"},
        {"name": "publishers/google/models/imagegeneration"},
        {"name": "publishers/google/models/text-embedding-005"},
    ],
    "nextPageToken": "n",
}
NAMED = ("amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0", "new.model")


def test_models_that_can_be_called_by_their_ids_are_listed() -> None:
    page = read("bedrock", MODELS)
    assert page.more == "", "the profiles come next"
    assert page.models == (
        ListedModel(
            id=NAMED[0],
            input_modalities=("text", "image"),
            output_modalities=("text",),
            deprecated=False,
        ),
        ListedModel(
            id=NAMED[1],
            input_modalities=("text",),
            output_modalities=("embedding",),
            deprecated=True,
        ),
        ListedModel(id=NAMED[2]),
    )


@pytest.mark.parametrize("odd", [None, 7, "x", {"a": 1}])
def test_unexpected_values_of_other_fields_are_ignored(odd: Any) -> None:
    fields = ("inferenceTypesSupported", "outputModalities", "inputModalities", "modelLifecycle")
    said = {"modelSummaries": [{"modelId": "m", **dict.fromkeys(fields, odd)}]}
    assert read("bedrock", said).models == (ListedModel(id="m"),)


def test_profiles_are_listed_by_id_and_application_profiles_by_arn() -> None:
    models = (ListedModel(id="eu.anthropic.claude-x"), ListedModel(id=ARN))
    assert read("bedrock", OURS) == Page(models, "t")
    assert read("bedrock", {"inferenceProfileSummaries": []}) == Page((), None)


def test_vertex_lists_the_models_of_the_wire_format_only() -> None:
    models = (ListedModel(id="gemini-2.5-pro"), ListedModel(id="text-embedding-005"))
    assert read("vertex", GARDEN) == Page(models, "n")
    claude = {"publisherModels": [{"name": "publishers/anthropic/models/claude-opus-4-1"}]}
    assert read("vertex_anthropic", claude) == Page((ListedModel(id="claude-opus-4-1"),), None)
    assert read("vertex", {"nextPageToken": "n"}) == Page((), "n")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("bedrock", {"modelSummaries": 7}),
        ("bedrock", {"modelSummaries": [{}]}),
        ("bedrock", {"inferenceProfileSummaries": [{"inferenceProfileId": ""}]}),
        ("vertex", {"publisherModels": None}),
        ("vertex", {"publisherModels": [{}]}),
        ("vertex", {"publisherModels": [7]}),
        ("vertex_anthropic", {"models": []}),
    ],
)
def test_a_malformed_list_raises(kind: str, said: Any) -> None:
    with pytest.raises((LookupError, TypeError)):
        read(kind, said)


# --- A scripted server, and the clouds' own SDKs --------------------------------------------------


def cloud(request: Received) -> bytes:
    parts = urlsplit(request.target)
    said: Any = {"inferenceProfileSummaries": []}
    if parts.path == "/token":
        said = TOKEN
    elif parts.path.endswith("/foundation-models"):
        said = MODELS
    elif "publishers" in parts.path:
        said = {**GARDEN, "nextPageToken": ""} if "pageToken" in parts.query else GARDEN
    elif "nextToken" not in parts.query:
        said = OURS
    return answer(json.dumps(said).encode())


@pytest.fixture(scope="module")
def upstream() -> Iterator[ThreadedServer]:
    with ThreadedServer([lambda request: cloud(request)]) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(
    upstream: ThreadedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("lists")
    (directory / "user.json").write_text(json.dumps(USER))
    google = {
        "credentials_file": str(directory / "user.json"),
        "token_uri": f"{upstream.url}/token",
        "project": "p",
    }
    providers: dict[str, Any] = {
        "bedrock": {**REGION, "access_key": "AKIAOWN", "secret_key": "own-secret"},
        "vertex": google,
        "vertex_anthropic": google,
    }
    for one in providers.values():
        one["base_url"] = upstream.url
    running = Gateway.start(directory, {"providers": providers})
    yield running
    running.terminate()
    assert running.wait() == 0


@pytest.mark.parametrize(
    ("kind", "names", "opening"),
    [
        ("bedrock", [*NAMED, "eu.anthropic.claude-x", ARN], "AWS4-HMAC-SHA256 Credential=AKIAOWN/"),
        ("vertex", ["gemini-2.5-pro", "text-embedding-005"], "Bearer scripted-token"),
        ("vertex_anthropic", [], "Bearer scripted-token"),
    ],
)
def test_a_cloud_lists_its_models_on_request(
    gateway: Gateway, upstream: ThreadedServer, kind: str, names: list[str], opening: str
) -> None:
    found = gateway.client.get(f"/api/engine/models?provider={kind}&live=1").json
    assert (found["models"], found["source"]) == (names, "provider")
    assert opening in str(upstream.requests[-1].header("authorization"))


def test_the_aws_sdk_sends_the_same_requests(upstream: ThreadedServer) -> None:
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "s"}
    theirs = boto3.client("bedrock", "eu-west-1", endpoint_url=upstream.url, **keys)
    listed = theirs.list_foundation_models()["modelSummaries"]
    assert upstream.requests[-1].target == ask("bedrock", base_url=upstream.url).url.path
    assert [one["modelId"] for one in listed][:2] == list(NAMED[:2])
    found = theirs.list_inference_profiles(maxResults=1000)
    assert upstream.requests[-1].target == ask("bedrock", "", upstream.url).url.path
    theirs.list_inference_profiles(maxResults=1000, nextToken=found["nextToken"])
    assert upstream.requests[-1].target == ask("bedrock", "t", upstream.url).url.path
    assert "/eu-west-1/bedrock/aws4_request" in str(upstream.requests[-1].header("authorization"))


def test_the_google_sdk_sends_the_same_requests(upstream: ThreadedServer) -> None:
    with genai.Client(
        vertexai=True, api_key=KEY, http_options={"base_url": upstream.url}
    ) as theirs:
        listed = [one.name for one in theirs.models.list(config={"page_size": 100})]
    assert listed == [one["name"] for one in GARDEN["publisherModels"]] * 2
    path, _, query = upstream.requests[-1].target.partition("?")
    own, _, our_query = ask("vertex", "n", upstream.url).url.path.partition("?")
    assert path == own
    assert sorted(query.split("&")) == sorted(our_query.split("&"))
