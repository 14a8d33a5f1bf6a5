"""One line of JSON a request in the spool, there before the caller sees the end."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from contract.shapes import FIRST_METRICS, error_of, ndjson_pieces, ok
from support.gateway_process import Gateway
from support.openai_completions import DONE, error_body, finish, role, text, usage
from support.openai_upstream import CUT, HANG, Answer, Upstream
from support.waiting import until

Record = dict[str, Any]


@pytest.fixture
def model() -> str:
    """A name that no other request has, to find its record by."""
    return f"recorded-{uuid.uuid4()}"


def records_of(gateway: Gateway, model: str) -> list[Record]:
    return [r for r in gateway.records() if model in json.dumps(r)]


def the_record(gateway: Gateway, model: str) -> Record:
    (found,) = records_of(gateway, model)
    return found


def field(record: Any, name: str) -> Any:
    """The value under this name, wherever in the record it stands; LookupError if nowhere."""
    if isinstance(record, dict):
        if name in record:
            return record[name]
        for inner in record.values():
            try:
                return field(inner, name)
            except LookupError:
                continue
    raise LookupError(name)


def test_a_complete_reply_is_recorded_before_the_client_reads_it(
    gateway: Gateway, model: str
) -> None:
    reply = ok(gateway.chat(model=model))
    record = the_record(gateway, model)
    assert field(record, "outcome") == "ok"
    assert reply["id"] in json.dumps(record)
    assert field(record, "provider") == "openai"
    assert field(record, "model") == model
    for name in FIRST_METRICS:
        if name != "total_tokens":
            assert field(record, name) == reply["metrics"][name], name
    assert tokens(record) == reply["metrics"]["total_tokens"]


def tokens(record: Record) -> int:
    """Their sum, which a record may leave to its reader."""
    return int(field(record, "input_tokens") + field(record, "output_tokens"))


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/event-stream"])
def test_a_stream_is_recorded_before_its_last_chunk(
    gateway: Gateway, model: str, accept: str
) -> None:
    with gateway.stream(accept=accept, model=model) as stream:
        for chunk in stream.chunks():
            if b'"input_tokens"' in chunk.data:  # metrics are in the last object alone
                break
        else:
            pytest.fail("no last object came")
        record = the_record(gateway, model)
    assert field(record, "outcome") == "ok"
    assert tokens(record) == 18


def test_cost_is_recorded_and_an_unknown_cost_is_null(gateway: Gateway, model: str) -> None:
    ok(gateway.chat(model=model))
    assert field(the_record(gateway, model), "cost_usd") is None
    reply = ok(gateway.chat(model="gpt-4o", session_id=model))
    (priced,) = [r for r in gateway.records() if reply["id"] in json.dumps(r)]
    assert float(field(priced, "cost_usd")) == reply["metrics"]["cost_usd"] > 0


def test_a_refused_request_is_recorded_as_an_error(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    body = error_body("No such model", "invalid_request_error", "model_not_found")
    upstream.play(Answer((body,), status=404, headers=(("content-type", "application/json"),)))
    error_of(gateway.chat(model=model), 404)
    assert field(the_record(gateway, model), "outcome") == "error"


def test_a_broken_stream_is_recorded_with_the_part_that_arrived(
    gateway: Gateway, upstream: Upstream, model: str
) -> None:
    upstream.play(Answer((role(), text("Hello"), text(" you"), CUT)))
    with gateway.stream(model=model) as stream:
        assert "error" in ndjson_pieces(stream)[-1].object
    record = the_record(gateway, model)
    assert field(record, "outcome") == "error"
    assert field(record, "output_tokens") > 0
    assert field(record, "tokens_source") in ("counted", "estimated")


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_client_that_left_is_recorded_as_cancelled_with_the_part_that_arrived(
    gateway: Gateway, upstream: Upstream, model: str, is_stream: bool
) -> None:
    upstream.play(Answer((role(), text("Hello"), text(" you"), HANG)))
    with gateway.open(model=model, is_stream=is_stream):
        exchange = upstream.await_request()
        until(lambda: len(exchange.sent) == 3)
        time.sleep(0.1)  # what was sent must arrive there
    until(lambda: records_of(gateway, model))
    record = the_record(gateway, model)
    assert field(record, "outcome") == "cancelled"
    assert field(record, "output_tokens") > 0


def test_openais_route_is_recorded_in_the_same_way(gateway: Gateway, model: str) -> None:
    messages = [{"role": "user", "content": "Hi"}]
    for stream in (False, True):
        name = f"{model}-{stream}"
        body = {"model": f"keyless/{name}", "messages": messages, "stream": stream}
        assert gateway.client.call("POST", "/v1/chat/completions", body).status == 200
        record = the_record(gateway, name)
        assert field(record, "outcome") == "ok"
        assert field(record, "provider") == "keyless"
        assert tokens(record) == 18


def test_every_record_has_its_own_id(gateway: Gateway, model: str) -> None:
    for _ in range(3):
        ok(gateway.chat(model=model))
    ids = [field(r, "id") for r in records_of(gateway, model)]
    assert len(ids) == len(set(ids)) == 3


def test_records_survive_a_kill(launch: Callable[..., Gateway], upstream: Upstream) -> None:
    own = launch()
    upstream.play(Answer((role(), text("Hi"), finish(), usage(), DONE)))
    replies = [ok(own.chat()) for _ in range(5)]
    own.kill()
    assert [record["id"] for record in own.records()] == [reply["id"] for reply in replies]


def test_the_first_request_to_a_provider_waits_for_a_connection(
    launch: Callable[..., Gateway], upstream: Upstream
) -> None:
    gateway = launch()
    for model in ("model-1", "model-2"):
        ok(gateway.chat("openai", model=model))
    first, second = the_record(gateway, "model-1"), the_record(gateway, "model-2")
    assert 0 < first["connect_s"] <= first["time_to_sent_s"]
    assert second.get("connect_s") is None
