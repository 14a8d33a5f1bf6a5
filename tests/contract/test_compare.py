"""Several models at once over one stream: each lane is a call of its own, in the ledger as well."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

from contract.conftest import BODY_LIMIT, Launch
from headway.server.openapi.schemas import compare as compare_schemas
from support.for_each import for_each
from support.gateway_process import GATE_KEY, Gateway
from support.openai_completions import (
    DONE,
    error_body,
    finish,
    reasoning,
    role,
    text,
    tool_piece,
    tool_start,
    usage,
)
from support.openai_upstream import CUT, HANG, Answer, Step, Upstream, Wait
from support.raw_client import Reply, Stream
from support.waiting import until

PATH = "/api/compare"
MESSAGES = [{"role": "user", "content": "Hello! Who are you?"}]
GAP = 0.15
JSON_HEAD = (("content-type", "application/json"),)


class Event(NamedTuple):
    at: float
    """Monotonic seconds at which it was read."""
    value: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.value["type"])

    @property
    def lane(self) -> int | None:
        return self.value.get("lane")

    @property
    def words(self) -> str:
        choices = self.value.get("chunk", {}).get("choices") or [{}]
        return choices[0].get("delta", {}).get("content") or ""


def body_of(*models: Any, **fields: Any) -> dict[str, Any]:
    return {"messages": MESSAGES, **fields, "models": list(models)}


def parse(stream: Stream) -> Iterator[Event]:
    """The events, each as it arrives."""
    held = b""
    for chunk in stream.chunks():
        *blocks, held = (held + chunk.data).split(b"\n\n")
        for block in blocks:
            [data] = [line for line in block.split(b"\n") if not line.startswith(b":")]
            assert data.startswith(b"data: "), block
            yield Event(chunk.at, json.loads(data[6:]))
    assert not held


@contextmanager
def comparing(
    gateway: Gateway, body: Any, headers: Mapping[str, str] | None = None
) -> Iterator[Stream]:
    with gateway.client.open("POST", PATH, body, headers) as stream:
        stream.read_head()
        yield stream


def compare(
    gateway: Gateway, *models: Any, headers: Mapping[str, str] | None = None, **fields: Any
) -> list[Event]:
    """All events of a comparison."""
    with comparing(gateway, body_of(*models, **fields), headers) as stream:
        assert stream.status == 200
        events = list(parse(stream))
        assert stream.complete
    assert events[-1].type == "end"
    return events


def refusal(gateway: Gateway, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    return gateway.client.call("POST", PATH, body, headers)


def of_lane(events: list[Event], lane: int) -> list[Event]:
    return [event for event in events if event.lane == lane]


def text_of(events: list[Event], lane: int) -> str:
    return "".join(event.words for event in of_lane(events, lane))


def last_of(events: list[Event], lane: int) -> dict[str, Any]:
    return of_lane(events, lane)[-1].value


def saying(*words: str, gap: float = 0.0) -> Answer:
    pauses: list[Step] = [step for word in words for step in (Wait(gap), text(word))]
    return Answer((role(), *pauses, finish(), usage(), DONE))


def records_of(gateway: Gateway, comparison: str) -> list[dict[str, Any]]:
    return [each for each in gateway.records() if f"compare:{comparison}" in each.get("tags", ())]


# --- The stream -----------------------------------------------------------------------------------


def test_all_lanes_are_announced_first_and_each_streams_and_ends(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play_by_model({"gpt-4o": saying("One", " two"), "gpt-4.1": saying("Un", " deux")})
    with comparing(gateway, body_of("openai/gpt-4o", "openai/gpt-4.1")) as stream:
        comparison = stream.headers["x-headway-comparison"]
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-cache"
        events = list(parse(stream))
    starts = [event.value for event in events[:2]]
    at = [start.pop("at_ms") for start in starts]
    assert starts == [
        {
            "type": "start",
            "lane": lane,
            "model": model,
            "run": 0,
            "comparison": comparison,
            "waits": False,
        }
        for lane, model in enumerate(("openai/gpt-4o", "openai/gpt-4.1"))
    ]
    assert [text_of(events, lane) for lane in (0, 1)] == ["One two", "Un deux"]
    assert [last_of(events, lane)["type"] for lane in (0, 1)] == ["done", "done"]
    assert [event.type for event in events if event.lane is None] == ["end"]
    assert {event.type for event in events[2:-1]} == {"chunk", "done"}
    assert all(value >= 0 for value in at)


def test_a_chunk_is_the_one_of_the_chat_route(gateway: Gateway, upstream: Upstream) -> None:
    """Byte for byte, from a provider of the same wire format and from another one."""
    answers = {
        "text": saying("Hello", " there", "!"),
        "reasoning": Answer((role(), reasoning("Hm"), text("Yes"), finish(), usage(), DONE)),
        "tools": Answer(
            (role(), tool_start(0, "a", "f"), tool_piece(0, '{"x"'), tool_piece(0, ":1}"))
            + (finish("tool_calls"), usage(), DONE)
        ),
        "sliced": Answer(saying("Hello", " there", "!").steps, cut_every=7),
        "joined": Answer(saying("Hello", " there", "!").steps, cut_every=1 << 20),
    }
    for model in (*(f"openai/{name}" for name in answers), "echo/echo"):
        upstream.play_by_model(answers)
        asked = {"model": model, "messages": MESSAGES, "stream": True}
        asked["stream_options"] = {"include_usage": True}
        reply = gateway.client.call("POST", "/v1/chat/completions", asked)
        wanted = [line[6:] for line in reply.body.decode().split("\n\n") if line[6:]]
        assert wanted.pop() == "[DONE]"
        with comparing(gateway, body_of(model)) as stream:
            lines = stream.read().decode().split("\n\n")
        head = '"type":"chunk"'
        found = [line.partition('"chunk":')[2][:-1] for line in lines if head in line]
        assert list(map(anonymous, found)) == list(map(anonymous, wanted)), model


def anonymous(chunk: str) -> str:
    """Without the id that the echo provider makes for each answer."""
    return chunk.replace(json.loads(chunk)["id"], "ID")


def test_events_pass_as_they_come_and_a_slow_lane_delays_no_other(
    gateway: Gateway, upstream: Upstream
) -> None:
    slow = Answer((Wait(4 * GAP), *saying("late").steps))
    quick = saying("One", " two", " three", gap=GAP)
    upstream.play_by_model({"slow": slow, "quick": quick})
    events = compare(gateway, "openai/slow", "openai/quick")
    quick_texts = [event for event in of_lane(events, 1) if event.words]
    assert [event.words for event in quick_texts] == ["One", " two", " three"]
    sent = {
        step["choices"][0]["delta"]["content"]: at
        for exchange in upstream.exchanges
        for at, step in exchange.sent
        if isinstance(step, dict) and step["choices"] and "content" in step["choices"][0]["delta"]
    }
    for event in quick_texts:
        assert event.at - sent[event.words] < GAP / 2, "it was held back"
    first_of_slow = next(event for event in of_lane(events, 0) if event.type == "chunk")
    assert quick_texts[-1].at < first_of_slow.at
    gaps = [after.value["at_ms"] - before.value["at_ms"] for before, after in pairwise(quick_texts)]
    assert all(GAP * 500 < gap < GAP * 2000 for gap in gaps), gaps


def test_times_are_those_of_the_metrics(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(saying("One", " two", gap=GAP))
    events = compare(gateway, "openai/gpt-4o")
    first = next(event for event in events if event.words)
    done = last_of(events, 0)
    ttft_ms = done["metrics"]["time_to_first_token_s"] * 1e3
    assert 0 <= first.value["at_ms"] - ttft_ms < 20
    assert 0 <= done["at_ms"] - done["metrics"]["latency_s"] * 1e3 < 50
    assert all("." in str(event.value["at_ms"]) for event in events)


def test_a_silent_comparison_gets_comments(launch: Launch, upstream: Upstream) -> None:
    gateway = launch({"server": {"stream_comment": 0.2}})
    upstream.play(Answer((Wait(1.0), *saying("Hello").steps)), saying("Hello"))
    with comparing(gateway, body_of("openai/gpt-4o", "openai/gpt-4.1")) as stream:
        body = stream.read()
    assert body.count(b": keep-alive\n") >= 2
    events = [json.loads(part.rpartition(b"data: ")[2]) for part in body.split(b"\n\n")[:-1]]
    assert [event["type"] for event in events].count("done") == 2


# --- The end of a lane ----------------------------------------------------------------------------


def test_what_a_lane_ends_with_is_what_the_ledger_has(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play_by_model({"gpt-4o": saying("One", " two", " three", gap=0.01)})
    events = compare(gateway, "openai/gpt-4o", "echo/echo", "openai/nameless")
    described = [compare_schemas.LaneStart, compare_schemas.LaneChunk, compare_schemas.LaneDone]
    shapes = dict(zip(("start", "chunk", "done"), described, strict=True))
    for event in events[:-1]:
        shapes[event.type].model_validate_json(json.dumps(event.value), strict=True)
    for lane in range(3):
        done = last_of(events, lane)
        call = gateway.client.get(f"/api/logs/{done['id']}").json
        attempt = call["attempt_details"][-1]
        assert done["id"] == call["call_id"]
        assert done["cost"] == attempt["cost"]
        assert done["cost_usd"] == done["metrics"]["cost_usd"] == call["cost_usd"]
        assert done["cost_usd_exact"] == call["cost_usd_exact"]
        assert done["finish_reason"] == call["finish_reason"] == "stop"
        assert (done["provider"], done["model"]) == (call["provider"], call["deployment"])
        assert done["transformations"] == call["transformations"]
        metrics, both = done["metrics"], set(done["metrics"]) & set(call)
        assert len(both) > 12
        assert {name: metrics[name] for name in both} == {name: call[name] for name in both}
    priced = last_of(events, 0)
    assert priced["cost_usd"] > 0
    assert len(priced["cost"]["line_items"]) == 2
    assert priced["usage"]["total_tokens"] == priced["metrics"]["total_tokens"] == 18


def test_the_metrics_are_those_of_an_engine_reply(gateway: Gateway) -> None:
    events = compare(gateway, "openai/gpt-4o")
    reply = gateway.chat(model="gpt-4o").json
    assert list(last_of(events, 0)["metrics"]) == list(reply["metrics"])


def test_a_lane_that_fails_leaves_the_others_alone(gateway: Gateway, upstream: Upstream) -> None:
    refused = error_body("No such model", "invalid_request_error", "model_not_found", "model")
    upstream.play_by_model(
        {
            "good": saying("Hello"),
            "refused": Answer((refused,), status=404, headers=JSON_HEAD),
            "broken": Answer((role(), text("Hel"), CUT)),
            "failing": Answer((role(), text("Hel"), b'data: {"error":{"message":"Boom"}}\n\n')),
        }
    )
    models = ("refused", "good", "broken", "failing")
    events = compare(gateway, *(f"openai/{name}" for name in models), "nobody/model", "")
    ends = [last_of(events, lane) for lane in range(6)]
    kinds = [end["type"] for end in ends]
    assert kinds == ["error", "done", "error", "error", "error", "error"]
    statuses = [end.get("status") for end in ends]
    assert statuses == [404, None, 502, 502, 404, 422]
    for lane in (0, 2, 3, 4, 5):
        error = ends[lane]["error"]
        assert {"message", "type", "code", "param"} <= set(error)
        call = gateway.client.get(f"/api/logs/{ends[lane]['id']}").json
        assert call["error"]["message"] == error["message"]
        assert call["error"]["type"] == error["type"]
        compare_schemas.LaneError.model_validate_json(json.dumps(ends[lane]), strict=True)
    assert ends[0]["error"]["code"] == "model_not_found"
    assert text_of(events, 2) == text_of(events, 3) == "Hel"
    assert ends[4]["error"]["param"] == "provider"
    assert not [event for event in of_lane(events, 0) if event.type == "chunk"]


# --- Lanes ----------------------------------------------------------------------------------------


def test_each_lane_may_replace_fields_of_the_body(gateway: Gateway, upstream: Upstream) -> None:
    others = [{"role": "user", "content": "Something else"}]
    events = compare(
        gateway,
        {"model": "openai/a", "temperature": 0, "seed": None},
        "openai/b",
        {"model": "openai/c", "messages": others, "vendor_field": {"x": 1}},
        temperature=1.5,
        seed=7,
    )
    assert [last_of(events, lane)["type"] for lane in range(3)] == ["done"] * 3
    sent = {exchange.json["model"]: exchange.json for exchange in upstream.exchanges}
    assert (sent["a"]["temperature"], sent["a"].get("seed", "none")) == (0, "none")
    assert (sent["b"]["temperature"], sent["b"]["seed"]) == (1.5, 7)
    assert sent["b"]["messages"] == sent["a"]["messages"] == MESSAGES
    assert sent["c"]["messages"] == others
    assert sent["c"]["vendor_field"] == {"x": 1}
    for body in sent.values():
        assert body["stream"] is True
        assert {"models", "runs"}.isdisjoint(body)


def test_each_model_runs_as_often_as_asked(gateway: Gateway, upstream: Upstream) -> None:
    events = compare(gateway, "openai/a", "openai/b", runs=3)
    starts = [event.value for event in events if event.type == "start"]
    shown = [(start["lane"], start["model"], start["run"]) for start in starts]
    wanted = [(f"openai/{name}", run) for name in "ab" for run in range(3)]
    assert shown == [(lane, *each) for lane, each in enumerate(wanted)]
    assert len({last_of(events, lane)["id"] for lane in range(6)}) == 6
    assert len(upstream.exchanges) == 6


def test_twenty_lanes_run_at_once_and_further_ones_wait(
    gateway: Gateway, upstream: Upstream
) -> None:
    upstream.play(saying("Hello", gap=4 * GAP))
    began = time.monotonic()
    events = compare(gateway, *(f"openai/m{n}" for n in range(12)), runs=2)
    assert time.monotonic() - began > 7 * GAP
    starts = [event.value for event in events if event.type == "start"]
    assert [start["waits"] for start in starts] == [False] * 20 + [True] * 4
    exchanges = sorted(upstream.exchanges, key=lambda each: each.arrived)
    assert len(exchanges) == 24
    first_end = min(exchange.sent[-1][0] for exchange in exchanges)
    assert exchanges[19].arrived < first_end < exchanges[20].arrived
    for lane in range(24):
        done = last_of(events, lane)
        assert done["type"] == "done"
        assert (done["waited_ms"] > 2000 * GAP) is (lane >= 20)
        assert done["at_ms"] < done["metrics"]["latency_s"] * 1e3 + 100
        assert done["metrics"]["latency_s"] < 7 * GAP, "it counts from the lane's own start"


def test_fewer_lanes_of_a_very_large_request_run_at_once(
    gateway: Gateway, upstream: Upstream
) -> None:
    """Each has a body of its own in memory."""
    upstream.play(saying("Hello", gap=GAP))
    large = [{"role": "user", "content": "x" * (BODY_LIMIT * 9 // 10)}]
    events = compare(gateway, "openai/a", runs=6, messages=large)
    starts = [event.value["waits"] for event in events if event.type == "start"]
    assert starts == [False] * 4 + [True] * 2
    assert [last_of(events, lane)["type"] for lane in range(6)] == ["done"] * 6


def test_a_lane_is_recorded_as_a_call_of_the_client(gateway: Gateway, upstream: Upstream) -> None:
    session = f"session-{uuid.uuid4()}"
    headers = {"x-headway-tags": "team:search", "x-headway-session": session}
    events = compare(gateway, "openai/a", "openai/b", "nobody/c", headers=headers)
    comparison = events[0].value["comparison"]
    records = records_of(gateway, comparison)
    assert len(records) == 3
    for record in records:
        assert record["tags"] == [f"compare:{comparison}", "team:search"]
        assert (record["session_id"], record["route"]) == (session, PATH)
        assert record["dialect"] == "openai_chat"
    rows = gateway.client.get(f"/api/logs?tag=compare:{comparison}").json["data"]
    ids = {last_of(events, lane)["id"] for lane in range(3)}
    assert ids == {record["call_id"] for record in records}
    assert {row["call_id"] for row in rows} <= ids


def test_kept_answers_are_not_compared_unless_the_client_says_so(
    launch: Launch, upstream: Upstream
) -> None:
    gateway = launch({"cache": {"ttl": 60}})
    for _ in range(2):
        compare(gateway, "openai/gpt-4o", temperature=0, runs=2)
    assert len(upstream.exchanges) == 4
    headers = {"cache-control": "max-age=60"}
    for _ in range(2):
        compare(gateway, "openai/gpt-4o", headers=headers)
    assert len(upstream.exchanges) == 5


# --- The client -----------------------------------------------------------------------------------


def test_a_client_that_disconnects_cancels_every_lane(gateway: Gateway, upstream: Upstream) -> None:
    upstream.play(Answer((role(), text("Hello"), text(" you"), HANG)))
    models = [f"openai/gone-{n}" for n in range(11)]
    with comparing(gateway, body_of(*models, runs=2)) as stream:
        seen, comparison = 0, stream.headers["x-headway-comparison"]
        for event in parse(stream):
            seen += event.words == " you"
            if seen == 20:
                break
    records = until(lambda: len(found := records_of(gateway, comparison)) == 20 and found)
    for record in records:
        assert record["outcome"] == "cancelled"
        assert record["output_tokens"] > 0
        assert record["tokens_source"] in ("counted", "estimated")
    until(lambda: all(exchange.closed_at for exchange in upstream.exchanges))
    assert len(upstream.exchanges) == 20, "a lane that waited was started for nobody"


def test_a_slow_client_pauses_the_providers(gateway: Gateway, upstream: Upstream) -> None:
    """Each of two lanes has 24 MB to say, more than all buffers of sockets hold."""
    steps = [text(f"{n:06} " + "x" * 60_000) for n in range(400)]
    upstream.play(Answer((role(), *steps, finish(), usage(), DONE)))
    with comparing(gateway, body_of("openai/a", "openai/b")) as stream:
        until(lambda: all(len(each.sent) > 20 for each in upstream.exchanges))
        before = gateway.resident_bytes()
        time.sleep(0.5)
        assert gateway.resident_bytes() - before < 8 << 20
        events = list(parse(stream))
        assert stream.complete
    for lane in (0, 1):
        assert len(text_of(events, lane)) == 400 * 60_007
        assert last_of(events, lane)["type"] == "done"


def test_a_shutdown_ends_every_lane_with_an_error(launch: Launch, upstream: Upstream) -> None:
    gateway = launch({"server": {"shutdown_grace": 0.3}})
    upstream.play(Answer((role(), text("Hello"), HANG)))
    with comparing(gateway, body_of(*(f"openai/m{n}" for n in range(11)), runs=2)) as stream:
        events = []
        for event in parse(stream):
            events.append(event)
            if sum(each.words == "Hello" for each in events) == 20 and event.words:
                gateway.terminate()
        assert stream.complete
    ends = [last_of(events, lane) for lane in range(22)]
    assert {end["type"] for end in ends} == {"error"}
    assert {end["status"] for end in ends} == {503}
    assert events[-1].type == "end"
    assert gateway.wait() == 0


# --- Refused as a whole ---------------------------------------------------------------------------

DEEP = b'{"models":' + b"[" * 20_000
HOSTILE: list[tuple[Any, str | None]] = [
    ({}, "models"),
    ({"messages": MESSAGES}, "models"),
    (body_of(), "models"),
    (body_of(*["openai/a"] * 21), "models"),
    ({"models": "openai/a", "messages": MESSAGES}, "models"),
    ({"models": None, "messages": MESSAGES}, "models"),
    ({"models": {"model": "openai/a"}, "messages": MESSAGES}, "models"),
    (body_of(1), "models"),
    (body_of(None), "models"),
    (body_of(["openai/a"]), "models"),
    (body_of({}), "models[0].model"),
    (body_of("openai/a", {"model": 3}), "models[1].model"),
    (body_of({"model": "openai/a", "runs": 2}), "models[0].runs"),
    (body_of({"model": "openai/a", "stream": True}), "models[0].stream"),
    (body_of({"model": "openai/a", "models": []}), "models[0].models"),
    (body_of("openai/a", model="openai/a"), "model"),
    (body_of("openai/a", runs=0), "runs"),
    (body_of("openai/a", runs=11), "runs"),
    (body_of("openai/a", runs="2"), "runs"),
    (body_of("openai/a", runs=1.5), "runs"),
    (body_of("openai/a", runs=True), "runs"),
    (body_of("openai/a", stream=False), "stream"),
    (body_of("openai/a", stream="yes"), "stream"),
    (body_of("openai/a", stream_options=7), "stream_options"),
    (body_of("openai/a", api_key="x"), "api_key"),
    (body_of("openai/a", base_url="http://x"), "base_url"),
    ({"models": ["openai/a"], "messages": []}, "messages"),
    ({"models": ["openai/a"], "messages": "Hello"}, "messages"),
    ({"models": ["openai/a", {"model": "b", "messages": MESSAGES}]}, "messages"),
    (b"", None),
    (b"null", None),
    (b"[]", None),
    (b"{", None),
    (b'{"models":["openai/a"],"messages":"\xff"}', None),
    (DEEP, None),
]


@for_each("body, param", HOSTILE, ids=lambda row: repr(row)[:80])
def test_a_body_that_is_wrong_as_a_whole_is_refused_by_the_name_of_its_field(
    gateway: Gateway, upstream: Upstream, body: Any, param: str | None
) -> None:
    reply = refusal(gateway, body)
    assert 400 <= reply.status < 500
    error = reply.json["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert reply.headers["content-type"] == "application/json"
    assert not upstream.exchanges


def test_messages_may_come_from_the_lanes_alone(gateway: Gateway) -> None:
    lanes = [{"model": f"openai/{name}", "messages": MESSAGES} for name in "ab"]
    with comparing(gateway, {"models": lanes}) as stream:
        events = list(parse(stream))
    assert [last_of(events, lane)["type"] for lane in (0, 1)] == ["done", "done"]


def test_wrong_fields_of_one_lane_are_an_error_of_that_lane(gateway: Gateway) -> None:
    events = compare(
        gateway,
        {"model": "openai/a", "messages": "Hello"},
        {"model": "openai/b", "api_key": "x"},
        {"model": "openai/c", "stream_options": []},
        "openai/d",
    )
    ends = [last_of(events, lane) for lane in range(4)]
    params = [end.get("error", {}).get("param") for end in ends]
    assert params == ["messages", "api_key", "stream_options", None]
    assert ends[3]["type"] == "done"


def test_a_compressed_body_is_read(gateway: Gateway) -> None:
    packed = gzip.compress(json.dumps(body_of("openai/a")).encode())
    with comparing(gateway, packed, {"content-encoding": "gzip"}) as stream:
        assert list(parse(stream))[-2].type == "done"


def test_a_clients_own_key_goes_to_one_provider_alone(gateway: Gateway, upstream: Upstream) -> None:
    headers = {"x-headway-provider-key": "sk-mine"}
    events = compare(gateway, "keyless/a", "keyless/b", headers=headers)
    assert [exchange.key for exchange in upstream.exchanges] == ["sk-mine"] * 2
    assert last_of(events, 1)["type"] == "done"
    reply = refusal(gateway, body_of("keyless/a", "openai/b"), headers)
    assert reply.json["error"]["param"] == "x-headway-provider-key"
    assert len(upstream.exchanges) == 2


def test_other_methods_are_refused(gateway: Gateway) -> None:
    for method in ("GET", "PUT", "DELETE"):
        reply = gateway.client.call(method, PATH)
        assert (reply.status, reply.headers["allow"]) == (405, "POST")


def test_a_gateway_with_keys_wants_one(lasting: Launch, mode: str, upstream: Upstream) -> None:
    keyed = lasting({"server": {"api_keys": [GATE_KEY]}}, mode=mode)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        reply = refusal(keyed, body_of("openai/a"), headers)
        assert (reply.status, reply.json["error"]["type"]) == (401, "authentication_error")
    assert not upstream.exchanges
    for headers in ({"authorization": f"Bearer {GATE_KEY}"}, {"x-api-key": GATE_KEY}):
        events = compare(keyed, "openai/a", "openai/b", headers=headers)
        assert [last_of(events, lane)["type"] for lane in (0, 1)] == ["done", "done"]
    records = records_of(keyed, events[0].value["comparison"])
    assert len({record["key_id"] for record in records}) == 1
    assert records[0]["key_id"] != "anonymous"
