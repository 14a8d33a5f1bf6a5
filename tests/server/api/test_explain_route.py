"""``POST /api/explain``. What an explanation says is tested in tests/pipeline/test_explain.py."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from headway.ledger.store import StoreError
from headway.server.api import explain_route
from headway.server.api.explain_route import DIALECTS, SHORT_NAMES
from support.for_each import for_each
from support.ledger_records import NOON, record
from support.ledger_server import LedgerServer, key_id
from support.routed_pipe import ROUTE, RoutedPipe

HELLO = [{"role": "user", "content": "Hi"}]
CHAT = {"model": ROUTE, "messages": HELLO}
PATH = "/api/explain"
ANSWERED: dict[str, Any] = {
    "timestamp": NOON,
    "provider": "one",
    "model": "m-one",
    "outcome": "ok",
}


def new_server(*entries: Any, **options: Any) -> LedgerServer:
    """With a route to three providers, none of which may be sent anything."""
    server = LedgerServer(*entries, **options)
    routed = RoutedPipe().gateway.snapshot
    server.gateway.snapshot = replace(
        server.gateway.snapshot,
        upstreams=routed.upstreams,
        routes=routed.routes,
        prices=routed.prices,
    )
    return server


@pytest.fixture(scope="module")
def server() -> Iterator[LedgerServer]:
    server = new_server(
        record(1, key_id=key_id("mine"), output_tokens=100, **ANSWERED),
        record(2, key_id=key_id("mine"), output_tokens=200, **ANSWERED),
        record(3, key_id=key_id("other"), output_tokens=900, **ANSWERED),
        record(4, key_id=key_id("mine"), output_tokens=5000, **{**ANSWERED, "outcome": "error"}),
        keys=("mine", "other", "boss"),
        admins=("boss",),
    )
    yield server
    server.close()


def test_a_request_in_openais_format_is_explained(server: LedgerServer) -> None:
    reply = server.post(PATH, CHAT, "mine")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    found = reply.json
    assert (found["model"], found["route"]) == (ROUTE, ROUTE)
    assert found["order"] == ["one/m-one", "two/m-two", "three/m-three"]
    assert found["request"]["dialect"] == "openai_chat"
    assert found["request"]["key"] == key_id("mine")
    assert (found["request"]["input_tokens"], found["request"]["input_tokens_source"]) == (
        7,
        "counted",
    )
    assert server.pipe.records == []


def test_the_mean_answer_is_that_of_the_calls_that_the_key_may_see(server: LedgerServer) -> None:
    for key, mean in (("mine", 150), ("other", 900), ("boss", 400)):
        prices = [each["price"] for each in server.post(PATH, CHAT, key).json["targets"]]
        assert [price["output_tokens_source"] for price in prices] == ["mean", "assumed", "assumed"]
        assert prices[0]["output_tokens"] == mean


def test_a_gateway_key_is_needed(server: LedgerServer) -> None:
    assert server.post(PATH, CHAT).status == 401
    assert server.get(PATH, "mine").status == 405


FORMATS: list[tuple[str, dict[str, Any], str]] = [
    ("messages", {**CHAT, "max_tokens": 5}, "anthropic_messages"),
    ("anthropic_messages", {**CHAT, "max_tokens": 5}, "anthropic_messages"),
    ("responses", {"model": ROUTE, "input": "Hi"}, "openai_responses"),
    ("gemini", {"model": ROUTE, "contents": [{"parts": [{"text": "Hi"}]}]}, "gemini_generate"),
    ("ollama", CHAT, "ollama_api_chat"),
    ("completions", {"model": ROUTE, "prompt": "Hi"}, "openai_completions"),
    ("embeddings", {"model": ROUTE, "input": "Hi"}, "openai_embeddings"),
    ("chat", CHAT, "openai_chat"),
]


@for_each(("name", "body", "dialect"), FORMATS)
def test_every_format_is_explained_by_its_name(
    server: LedgerServer, name: str, body: dict[str, Any], dialect: str
) -> None:
    for reply in (
        server.post(f"{PATH}?dialect={name}", body, "mine"),
        server.post(PATH, {"dialect": name, "body": body}, "mine"),
        server.post(f"{PATH}?dialect=chat", {"dialect": name, "body": body}, "mine"),
    ):
        assert reply.status == 200, reply.body
        assert reply.json["request"]["dialect"] == dialect
        assert reply.json["targets"][0]["target"] == "one/m-one"


def test_a_request_may_have_headers_of_its_own(server: LedgerServer) -> None:
    headers = {"X-Headway-Tags": "vip,b", "x-headway-timeout": "5"}
    found = server.post(PATH, {"body": CHAT, "headers": headers}, "mine").json
    assert found["request"]["tags"] == ["vip", "b"]
    assert found["rules"]["limits"]["total"] == 5.0
    assert server.post(PATH, {"body": CHAT, "dialect": None, "headers": None}, "mine").status == 200


def test_a_compressed_request_is_explained(server: LedgerServer) -> None:
    data = gzip.compress(json.dumps(CHAT).encode())
    reply = server.request("POST", PATH, "mine", data, **{"content-encoding": "gzip"})
    assert (reply.status, reply.json["route"]) == (200, ROUTE)


WRONG: list[tuple[str, Any, int, str | None, str]] = [
    (PATH, b"{", 400, None, "The body is not valid JSON"),
    (PATH, [], 400, None, "The body must be a JSON object"),
    (PATH, {"messages": HELLO}, 422, "model", "`model` is missing"),
    (PATH, {"model": 5, "messages": HELLO}, 422, "model", "`model` must be a string"),
    (PATH, {"model": "nobody/m", "messages": HELLO}, 404, "provider", "No provider is called"),
    (PATH, {"body": 5}, 422, "body", "`body` must be an object: the request"),
    (PATH, {"body": CHAT, "dialect": "morse"}, 422, "dialect", "`dialect` must be one of chat, "),
    (PATH, {"body": CHAT, "dialect": 5}, 422, "dialect", "`dialect` must be one of chat, "),
    (PATH, {"body": CHAT, "headers": []}, 422, "headers", "`headers` must be an object"),
    (PATH, {"body": CHAT, "headers": {"ä": "b"}}, 422, "headers", "must be in ASCII"),
    (f"{PATH}?dialect=engine", CHAT, 422, "dialect", "`dialect` must be one of chat, responses, "),
    (f"{PATH}?dialect=gemini", {"contents": [{}]}, 422, "model", "it is ''"),
]


@for_each(("path", "body", "status", "param", "message"), WRONG)
def test_a_wrong_request_is_refused_as_it_would_be(
    server: LedgerServer, path: str, body: Any, status: int, param: str | None, message: str
) -> None:
    reply = server.post(path, body, "mine")
    assert (reply.status, reply.error["param"]) == (status, param)
    assert message in reply.error["message"]


def test_every_short_name_is_a_format() -> None:
    assert set(SHORT_NAMES.values()) <= set(DIALECTS)
    assert "engine" not in DIALECTS


def test_without_a_ledger_the_mean_answer_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    server = new_server(record(1, output_tokens=100, **ANSWERED))

    async def refuse(*given: object, **more: object) -> None:
        raise StoreError("it is gone")

    monkeypatch.setattr(server.store, "usage", refuse)
    (first, *_) = server.post(PATH, CHAT).json["targets"]
    assert first["price"]["output_tokens_source"] == "assumed"
    server.close()


def test_a_ledger_that_does_not_answer_holds_no_explanation_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain_route, "MEAN_WAIT_S", 0.0)
    server = new_server(record(1, output_tokens=100, **ANSWERED))
    (first, *_) = server.post(PATH, CHAT).json["targets"]
    assert first["price"]["output_tokens_source"] == "assumed"
    server.close()


# --- Any body -------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ("messages", "input", "contents", "models", "provider", "tools", "stream", "max_tokens")
BODIES = st.fixed_dictionaries(
    {
        "model": st.sampled_from([ROUTE, "one/m", "nobody", ""]) | JSON,
        "messages": st.just(HELLO) | JSON,
    },
    optional=dict.fromkeys(FIELDS[1:], JSON),
)
ENVELOPES = st.fixed_dictionaries(
    {"body": BODIES | JSON},
    optional={
        "dialect": st.sampled_from(sorted(DIALECTS)) | JSON,
        "headers": JSON | st.dictionaries(st.sampled_from(["x-headway-timeout", "x"]), st.text()),
    },
)


@settings(max_examples=60, deadline=None)
@given(BODIES | ENVELOPES | JSON, st.sampled_from(["", *sorted(DIALECTS)]))
def test_any_body_is_explained_or_refused(body: Any, dialect: str) -> None:
    server = new_server()
    try:
        reply = server.post(f"{PATH}?dialect={dialect}", body)
        assert reply.status in (200, 400, 403, 404, 413, 422), reply.body
        assert reply.is_complete
    finally:
        server.close()
