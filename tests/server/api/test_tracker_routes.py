"""The routes of LLMstudio's tracker: what its SDK sends, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.pipeline.content_rules import ContentRules
from headway.record import Content, Record, decode_entry
from support.ledger_records import NOON, record
from support.ledger_server import LedgerServer, Reply, key_id

LOG = {
    "id": "chatcmpl-1",
    "chat_input": "Hello",
    "chat_output": "Hi there",
    "chat_output_stream": "",
    "session_id": "s-1",
    "context": [{"role": "user", "content": "Hello"}],
    "provider": "openai",
    "model": "gpt-4o",
    "deployment": None,
    "parameters": {"temperature": 0},
    "metrics": {
        "input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "cached_tokens": 1,
        "reasoning_tokens": None, "cost_usd": 2.75e-05, "latency_s": 0.5,
        "time_to_first_token_s": 0.25,
    },
}  # fmt: skip
"""As the SDK sends it: the dump of its reply, with the session's id."""
FIELDS = [
    "chat_input", "chat_output", "session_id", "context", "provider", "model", "deployment",
    "parameters", "metrics", "extras", "log_id", "created_at",
]  # fmt: skip


class Tracker:
    """A server whose spool is stored at once, as its shipper does."""

    def __init__(self, *entries: Any, content: str = "full", **options: Any) -> None:
        self.server = LedgerServer(*entries, **options)
        gateway = self.server.gateway
        rules = ContentRules(content)  # type: ignore[arg-type]
        gateway.snapshot = replace(gateway.snapshot, content=rules)
        self._stored = 0

    def post(self, path: str, body: Any, key: str | None = None) -> Reply:
        return self._then_store(self.server.post(f"/api/tracking{path}", body, key))

    def patch(self, path: str, body: bytes, key: str | None = None) -> Reply:
        return self._then_store(self.server.request("PATCH", f"/api/tracking{path}", key, body))

    def get(self, path: str, key: str | None = None) -> Reply:
        return self.server.get(f"/api/tracking{path}", key)

    def written(self) -> list[Any]:
        return [decode_entry(line) for line in self.server.pipe.spool.lines]

    def _then_store(self, reply: Reply) -> Reply:
        new = self.written()[self._stored :]
        self._stored += len(new)
        self.server.add(*new)
        return reply


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    tracker = Tracker()
    yield tracker
    tracker.server.close()


def test_a_log_that_is_sent_is_read_as_it_was(tracker: Tracker) -> None:
    sent = tracker.post("/logs", LOG)
    assert sent.status == 200
    assert list(sent.json) == FIELDS
    assert sent.json["metrics"] == LOG["metrics"]
    [log] = tracker.get("/logs").json
    assert list(log) == FIELDS
    for name in ("chat_input", "chat_output", "session_id", "context", "provider", "parameters"):
        assert log[name] == LOG[name], name
    assert log["metrics"] == {
        "input_tokens": 3, "output_tokens": 2, "reasoning_tokens": None, "total_tokens": 5,
        "cached_tokens": 1, "cost_usd": 2.75e-05, "latency_s": 0.5, "time_to_first_token_s": 0.25,
        "inter_token_latency_s": None, "tokens_per_second": 4.0,
    }  # fmt: skip
    assert log["log_id"] == sent.json["log_id"] == round((NOON + 3600) * 1e6)
    assert log["created_at"] == sent.json["created_at"]
    assert tracker.get("/logs/s-1").json == [log]


def test_a_log_is_a_record_with_its_clients_figures(tracker: Tracker) -> None:
    tracker.post("/logs", LOG)
    content, stored = tracker.written()
    assert isinstance(content, Content)
    assert isinstance(stored, Record)
    assert (stored.dialect, stored.outcome, stored.is_last) == ("llmstudio_tracker", "ok", True)
    assert (stored.cost_usd, stored.tokens_source) == ("0.0000275", "counted")
    assert stored.started == stored.timestamp - 0.5
    usage = tracker.server.get("/api/usage?by=model").json
    assert usage["total"]["calls"] == 1
    assert usage["total"]["cost_usd"] == pytest.approx(2.75e-05)


def test_texts_are_null_where_the_ledger_keeps_none() -> None:
    for mode in ("off", "hash"):
        tracker = Tracker(content=mode)
        sent = tracker.post("/logs", LOG)
        assert sent.json["chat_output"] == "Hi there"  # the reply to its sender
        [log] = tracker.get("/logs").json
        assert (log["chat_input"], log["chat_output"], log["context"]) == (None, None, None)
        assert log["model"] == "gpt-4o"
        tracker.server.close()


def test_calls_of_the_gateway_are_logs_too(tracker: Tracker) -> None:
    call = record(1, content="full", session_id="s-2")
    blocks = b'[{"role":"user","content":[{"type":"text","text":"How are you?"}]}]'
    tracker.server.add(_content(call, blocks), call, record(2))
    first, second = tracker.get("/logs").json
    assert first["chat_input"] == "How are you?"
    assert first["chat_output"] == "Well."
    assert first["metrics"]["cost_usd"] == float(call.cost_usd or 0)
    assert second["context"] is None
    assert [log["log_id"] for log in tracker.get("/logs/s-2").json] == [first["log_id"]]


def test_a_log_of_a_reply_of_this_gateway_is_no_second_record(tracker: Tracker) -> None:
    call = record(1, content="full")
    tracker.server.add(_content(call, b'[{"role":"user","content":"Hello"}]'), call)
    sent = tracker.post("/logs", {**LOG, "id": call.call_id, "transformations": []})
    assert sent.status == 200
    assert tracker.server.get("/api/usage").json["total"]["calls"] == 1
    assert len(tracker.get("/logs").json) == 1
    [log] = tracker.get("/logs/s-1").json
    assert (log["session_id"], log["model"]) == ("s-1", call.model)
    assert log["metrics"]["input_tokens"] == call.input_tokens


def test_pages_are_counted_from_the_oldest(tracker: Tracker) -> None:
    tracker.server.add(*(record(number) for number in range(1, 6)))
    ids = [log["log_id"] for log in tracker.get("/logs").json]
    assert ids == sorted(ids)
    assert [log["log_id"] for log in tracker.get("/logs?skip=1&limit=2").json] == ids[1:3]
    assert tracker.get("/logs?skip=9").json == []
    assert tracker.get("/logs?limit=0").json == []
    wrong = tracker.get("/logs?skip=-1")
    assert (wrong.status, wrong.error["param"]) == (422, "skip")


def test_wrong_logs_name_the_field(tracker: Tracker) -> None:
    for body, param in (
        ({"chat_output": 5}, "chat_output"),
        ({"context": "Hello"}, "context"),
        ({"metrics": []}, "metrics"),
        ({"model": "m" * 501}, "model"),
        ({"session_id": "a\x00b"}, "session_id"),
    ):
        reply = tracker.post("/logs", body)
        assert (reply.status, reply.error["param"]) == (422, param)
    assert tracker.post("/logs", b"no json").status == 400
    assert tracker.written() == []
    assert tracker.post("/logs", {}).status == 200  # all of that system's fields have defaults


def test_odd_metrics_are_left_out_and_extras_come_back(tracker: Tracker) -> None:
    metrics = {"input_tokens": 1.5, "cost_usd": "free", "latency_s": -1, "output_tokens": True}
    extras = {"label": {"nested": [1]}}
    tracker.post("/logs", {**LOG, "metrics": metrics, "extras": extras})
    [log] = tracker.get("/logs").json
    assert set(log["metrics"].values()) == {None}
    assert log["extras"] == extras


def test_sessions_are_kept_and_count_as_no_calls(tracker: Tracker) -> None:
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    body = {"session_id": "s-3", "chat_history": history, "extras": {"a": 1}}
    sent = tracker.post("/session", body).json
    assert list(sent) == [
        "session_id", "chat_history", "extras", "message_id", "created_at", "updated_at",
    ]  # fmt: skip
    assert tracker.get("/session/s-3").json == [sent]
    assert tracker.get("/logs").json == []
    assert tracker.server.get("/api/usage").json["total"]["calls"] == 0
    changed = tracker.patch(f"/session/{sent['message_id']}", b'{"b":2}')
    assert (changed.status, changed.json["extras"]) == (200, {"b": 2})
    assert tracker.get("/session/s-3").json[0]["extras"] == {"b": 2}


def test_a_session_without_entries_has_those_of_its_calls(tracker: Tracker) -> None:
    call = record(1, content="full", session_id="s-4")
    tracker.server.add(_content(call, b'[{"role":"user","content":"How are you?"}]'), call)
    [entry] = tracker.get("/session/s-4").json
    assert entry["chat_history"] == [
        {"role": "user", "content": "How are you?"},
        {"role": "assistant", "content": "Well."},
    ]
    assert tracker.patch(f"/session/{entry['message_id']}", b'{"b":2}').status == 200
    assert tracker.get("/session/nobody").json == []


def test_wrong_sessions_name_the_field(tracker: Tracker) -> None:
    missing = tracker.post("/session", {"chat_history": []})
    assert (missing.status, missing.error["param"]) == (422, "session_id")
    assert tracker.post("/session", {"session_id": ""}).status == 422
    assert tracker.patch("/session/17", b'{"b":2}').status == 404
    assert tracker.patch("/session/abc", b'{"b":2}').status == 422
    assert tracker.patch("/session/17", b"").status == 400
    assert tracker.server.request("DELETE", "/api/tracking/session/17", None, b"").status == 405


def test_each_key_has_its_own_logs_and_an_admin_all() -> None:
    tracker = Tracker(keys=("mine", "other", "boss"), admins=("boss",))
    tracker.post("/logs", LOG, "mine")
    tracker.post("/session", {"session_id": "s-1"}, "mine")
    message_id = tracker.get("/session/s-1", "mine").json[0]["message_id"]
    assert [record.key_id for record in tracker.written() if isinstance(record, Record)] == [
        key_id("mine"),
        key_id("mine"),
    ]
    for path in ("/logs", "/logs/s-1", "/session/s-1"):
        assert len(tracker.get(path, "mine").json) == 1
        assert tracker.get(path, "other").json == []
        assert len(tracker.get(path, "boss").json) == 1
        assert tracker.get(path).status == 401
    assert tracker.patch(f"/session/{message_id}", b'{"b":2}', "other").status == 404
    assert tracker.post("/logs", LOG).status == 401
    tracker.server.close()


def test_rows_become_a_table_with_semicolons(tracker: Tracker) -> None:
    rows = [{"a": 1, "b": "x;y", "c": None}, {"a": [1, "é"], "b": True, "c": {"d": 1.5}}]
    reply = tracker.server.post("/api/export", rows)
    assert reply.body.decode() == 'a;b;c\n1;"x;y";null\n[1, "\\u00e9"];true;{"d": 1.5}\n'
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == "attachment; filename=parameters.csv"
    assert tracker.server.post("/api/export", []).body == b""
    assert tracker.server.post("/api/export", {"a": 1}).status == 422


def test_what_was_just_sent_is_waited_for(tracker: Tracker) -> None:
    reply = tracker.server.post("/api/tracking/logs", LOG)
    assert reply.status == 200
    entries = tracker.written()

    async def store() -> None:
        await tracker.server.store.add(entries)

    tracker.server.on_sleep = store
    assert len(tracker.get("/logs/s-1").json) == 1


def test_keys_of_the_client_are_not_kept(tracker: Tracker) -> None:
    log = {**LOG, "context": [{"role": "user", "content": "Hello", "api_key": "sk-secret"}]}
    tracker.post("/logs", log)
    assert not any(b"sk-secret" in line for line in tracker.server.pipe.spool.lines)


def _content(call: Record, messages: bytes) -> Content:
    return Content(
        call_id=call.call_id,
        timestamp=call.timestamp,
        key_id=call.key_id,
        wire="openai_chat",
        messages=Raw(messages),
        output=Raw(b'[{"role":"assistant","content":"Well."}]'),
    )
