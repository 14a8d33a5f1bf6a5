"""Azure OpenAI: addresses, keys, content filters and errors."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from msgspec import Raw

from headway import errors
from headway.errors import InvalidField
from headway.providers.azure import openai_responses as azure_openai_responses
from headway.providers.azure.openai import PROVIDER
from headway.types import (
    ChatRequest,
    EmbeddingsRequest,
    Event,
    ExtraFields,
    Failed,
    Finished,
    Frame,
    HttpRequest,
    Started,
    Target,
    Text,
    Usage,
    UsageReported,
)

RESOURCE = "https://name.openai.azure.com"
DATED = "2024-10-21"
HELLO = Raw(b'[{"role":"user","content":"Hello"}]')


def target(base_url: str = RESOURCE, key: str | None = "k", **options: Any) -> Target:
    return Target(provider="azure", base_url=base_url, api_key=key, options=options)


def ask(where: Target, model: str = "my dep/1", **parameters: Any) -> HttpRequest:
    raws = {name: Raw(json.dumps(value).encode()) for name, value in parameters.items()}
    request = ChatRequest(model=model, messages=HELLO, parameters=raws)
    return PROVIDER.encode_request(request, where)


V1 = "/openai/v1/chat/completions"
DEPLOYED = "/openai/deployments/my%20dep%2F1/chat/completions"
PLACES: list[tuple[str, str | None, str]] = [
    (RESOURCE, None, V1),
    (RESOURCE + "/", "v1", V1),
    (RESOURCE, "latest", V1),
    (RESOURCE, "preview", f"{V1}?api-version=preview"),
    (RESOURCE + "/openai", None, V1),
    (RESOURCE + "/openai/v1/", None, V1),
    (RESOURCE + "/openai/v1", DATED, V1),
    (RESOURCE + "/api/projects/p", None, f"/api/projects/p{V1}"),
    (RESOURCE, DATED, f"{DEPLOYED}?api-version={DATED}"),
    (RESOURCE + "/openai/", DATED, f"{DEPLOYED}?api-version={DATED}"),
    (
        RESOURCE + "/openai/deployments/d",
        DATED,
        f"/openai/deployments/d/chat/completions?api-version={DATED}",
    ),
    (
        RESOURCE + f"/openai/deployments/d/chat/completions?api-version={DATED}",
        None,
        f"/openai/deployments/d/chat/completions?api-version={DATED}",
    ),
    (RESOURCE + "/openai/deployments/d", None, "/openai/deployments/d/chat/completions"),
    (RESOURCE + "/models", None, "/models/chat/completions?api-version=2024-05-01-preview"),
    (RESOURCE + "/models", DATED, f"/models/chat/completions?api-version={DATED}"),
]


@pytest.mark.parametrize(("base_url", "version", "path"), PLACES)
def test_a_deployment_is_found_from_any_address_of_its_resource(
    base_url: str, version: str | None, path: str
) -> None:
    http = ask(target(base_url, api_version=version))
    assert (http.url.host, http.url.path) == ("name.openai.azure.com", path)
    assert json.loads(http.body) == {"model": "my dep/1", "messages": json.loads(bytes(HELLO))}


def test_without_an_address_the_setting_is_named() -> None:
    with pytest.raises(InvalidField, match=r"providers\.azure\.base_url") as caught:
        ask(target(""))
    assert caught.value.param == "base_url"


def test_a_key_has_a_header_of_its_own_and_a_token_is_a_bearers() -> None:
    assert dict(ask(target()).headers)["api-key"] == "k"
    assert "authorization" not in dict(ask(target()).headers)
    token = msgspec.structs.replace(target(key=None), credentials={"access_token": "t"})
    assert dict(ask(token).headers)["authorization"] == "Bearer t"
    assert "api-key" not in dict(ask(token).headers)
    both = msgspec.structs.replace(token, api_key="k")
    assert "authorization" not in dict(ask(both).headers)
    assert set(dict(ask(target(key=None)).headers)) == {"content-type", "accept"}
    own = msgspec.structs.replace(target(), headers={"x-own": "1", "api-key": "other"})
    assert dict(ask(own).headers)["api-key"] == "other"


def test_embeddings_are_at_the_same_addresses() -> None:
    assert PROVIDER.encode_embeddings is not None
    request = EmbeddingsRequest(model="embed", input=Raw(b'"a"'))
    http = PROVIDER.encode_embeddings(request, target(api_version=DATED))
    path = f"/openai/deployments/embed/embeddings?api-version={DATED}"
    assert http.url.path == path
    assert json.loads(http.body) == {"model": "embed", "input": "a"}
    http = PROVIDER.encode_embeddings(request, target(RESOURCE + path, api_version=None))
    assert http.url.path == path


def test_the_deployments_name_or_the_configuration_says_which_model_it_is() -> None:
    given = {"max_tokens": Raw(b"9")}
    request = ChatRequest(model="o3-mini", messages=HELLO, parameters=given)
    for asked, renamed in (
        (request, True),
        (msgspec.structs.replace(request, model="smart"), False),
        (msgspec.structs.replace(request, model="smart", options={"model_name": "o3"}), True),
        (msgspec.structs.replace(request, options={"model_name": "gpt-4o"}), False),
    ):
        for provider in (PROVIDER, azure_openai_responses.PROVIDER):
            adapted, _ = provider.adapt(asked)
            assert adapted.model == asked.model
        adapted, changes = PROVIDER.adapt(asked)
        assert ("max_completion_tokens" in adapted.parameters) is renamed
        assert [change.action for change in changes] == ["renamed"] * renamed


# --- The Responses API ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (None, "/openai/v1/responses"),
        ("preview", "/openai/v1/responses?api-version=preview"),
        ("2025-04-01-preview", "/openai/responses?api-version=2025-04-01-preview"),
    ],
)
def test_responses_are_the_resources(version: str | None, path: str) -> None:
    provider = azure_openai_responses.PROVIDER
    request = ChatRequest(model="gpt-5", messages=HELLO)
    http = provider.encode_request(request, target(api_version=version))
    assert http.url.path == path
    assert dict(http.headers)["api-key"] == "k"
    body = json.loads(http.body)
    assert (body["model"], body["include"]) == ("gpt-5", ["reasoning.encrypted_content"])
    named = target(model_name="gpt-4o")
    assert "include" not in json.loads(provider.encode_request(request, named).body)
    assert provider.decode_error(404, (), b"").status == 404


# --- Answers --------------------------------------------------------------------------------------

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
HATE = {"hate": {"filtered": True, "severity": "high"}}
PROMPT = [{"prompt_index": 0, "content_filter_results": SAFE}]
OPENING = {
    "choices": [],
    "created": 0,
    "id": "",
    "model": "",
    "object": "",
    "prompt_filter_results": PROMPT,
}
COUNTED = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(content: str | None, filters: Any, finish: str | None = None, index: int = 0) -> Any:
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    if filters is not None:
        choice["content_filter_results"] = filters
    return {"id": "c1", "model": "gpt-4o", "created": 7, "choices": [choice]}


def read(*chunks: Any) -> list[Event]:
    state: dict[str, Any] = {}
    frames = [Frame(json.dumps(c).encode() if c else b"[DONE]", None, b"") for c in chunks]
    return [event for frame in frames for event in PROVIDER.decode_event(frame, state)]


def test_what_filters_made_of_the_prompt_comes_with_the_start() -> None:
    found = read(OPENING, chunk("", {}), chunk("Hi", SAFE), chunk("!", SAFE), chunk("?", HATE))
    assert found == [
        Started("c1", "gpt-4o", 7),
        ExtraFields({"prompt_filter_results": PROMPT}),
        ExtraFields({"content_filter_results": SAFE}),
        Text("Hi"),
        Text("!"),
        ExtraFields({"content_filter_results": HATE}),
        Text("?"),
    ]


def test_a_stream_ends_as_openais() -> None:
    last = {"choices": [], "usage": COUNTED, "id": "c1", "latency_checkpoint": {"x_ms": 1}}
    found = read(OPENING, chunk("Hi", None), chunk(None, {}, "content_filter"), last, None)
    assert found[2:4] == [Text("Hi"), Finished("content_filter")]
    seen = found[4]
    assert isinstance(seen, UsageReported)
    assert seen.usage == Usage(input_tokens=3, output_tokens=2)
    assert len(found) == 6


def test_each_choice_has_filters_of_its_own() -> None:
    found = read(chunk("a", SAFE), chunk("b", SAFE, index=1), chunk("c", SAFE, index=1))
    assert [e.index for e in found if type(e) is ExtraFields] == [0, 1]


def test_a_whole_answer_has_its_filters_before_its_end() -> None:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "Hi"},
        "finish_reason": "stop",
        "content_filter_results": SAFE,
    }
    body = {"id": "c1", "choices": [choice], "prompt_filter_results": PROMPT, "usage": COUNTED}
    found = PROVIDER.decode_response(json.dumps(body).encode())
    assert found[1:4] == [
        ExtraFields({"prompt_filter_results": PROMPT}),
        ExtraFields({"content_filter_results": SAFE}),
        Text("Hi"),
    ]
    plain = {"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}
    assert PROVIDER.decode_response(json.dumps(plain).encode())[1] == Text("Hi")


FILTERED = {"error": {"code": "content_filter", "message": "Filtered.", "param": "prompt"}}


def test_a_filter_that_breaks_off_an_answer_is_no_reason_to_try_again() -> None:
    for found in (read(FILTERED), PROVIDER.decode_response(json.dumps(FILTERED).encode())):
        failed = found[-1]
        assert isinstance(failed, Failed)
        assert type(failed.error) is errors.UpstreamRejected
        assert (failed.error.code, failed.error.param) == ("content_filter", "prompt")
    other = read({"error": {"code": "server_error", "message": "Oh."}})[-1]
    assert isinstance(other, Failed)
    assert type(other.error) is errors.UpstreamError


# --- Errors ---------------------------------------------------------------------------------------

INNER = {
    "code": "ResponsibleAIPolicyViolation",
    "content_filter_result": {
        **SAFE,
        "violence": {"filtered": True, "severity": "medium"},
        "jailbreak": {"filtered": True, "detected": True},
    },
}
REFUSALS: list[tuple[int, Any, type[errors.UpstreamError], str, str | None]] = [
    (
        400,
        {"error": {"code": "content_filter", "message": "No.", "innererror": INNER}},
        errors.UpstreamRejected,
        "No. (filtered: violence medium, jailbreak)",
        "content_filter",
    ),
    (401, {"error": {"code": "401", "message": "Access denied."}}, errors.UpstreamAuth,
     "Access denied.", None),
    (401, {"statusCode": 401, "message": "Unauthorized."}, errors.UpstreamAuth,
     "Unauthorized.", None),
    (
        404,
        {"error": {"code": "DeploymentNotFound", "message": "None.", "type": "x"}},
        errors.UpstreamNotFound,
        "None.",
        "DeploymentNotFound",
    ),
    (
        400,
        {"error": {"code": "OperationNotSupported", "message": "No.", "innererror": "odd"}},
        errors.UpstreamRejected,
        "No.",
        "OperationNotSupported",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "cls", "message", "code"), REFUSALS)
def test_a_refusal_is_told_in_azures_words(
    status: int, body: Any, cls: type[errors.UpstreamError], message: str, code: str | None
) -> None:
    error = PROVIDER.decode_error(status, (), json.dumps(body).encode())
    assert type(error) is cls
    assert (error.message, error.code) == (message, code)


def test_the_gateways_request_id_stands_in_and_its_wait_is_read() -> None:
    ids = [(b"apim-request-id", b"a"), (b"x-request-id", b"x")]
    assert PROVIDER.decode_error(500, ids, b"").request_id == "x"
    assert PROVIDER.decode_error(500, ids[:1], b"<html>").request_id == "a"
    assert PROVIDER.decode_error(500, (), b"").request_id is None
    waits = [(b"retry-after", b"1"), (b"retry-after-ms", b"0")]
    assert PROVIDER.decode_error(429, waits, b"").retry_after_s == 1.0
    waits = [(b"retry-after", b"1"), (b"retry-after-ms", b"250")]
    assert PROVIDER.decode_error(429, waits, b"").retry_after_s == 0.25
