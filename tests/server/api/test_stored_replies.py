"""Stored responses and completions are given out again to the key that had them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec import Raw
from msgspec.structs import replace

from headway.pipeline.content_rules import ContentRules
from headway.record import Content, Record
from headway.server.api import stored_completions
from headway.server.api.stored_replies import find
from headway.server.ledger_history import LedgerHistory
from support.for_each import for_each
from support.ledger_records import NOON, record
from support.ledger_server import LedgerServer, key_id

CALL = "00000000-0000-4000-8000-000000000001"
SEED = CALL.replace("-", "")
NAME = f"resp_{SEED}"
TOOL = {"type": "function", "name": "look", "parameters": {}}
INPUT = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"type": "function_call_output", "id": "fco_1", "call_id": "c", "output": "1"},
]
RESPONSE = {"id": NAME, "object": "response", "output": [{"id": f"msg_{SEED}0000"}], "store": True}
COMPLETION = {"id": "chatcmpl-1", "object": "chat.completion", "choices": []}
KEYS = ("hw-first-key", "hw-second-key")


def raw(value: Any) -> Raw:
    return Raw(json.dumps(value).encode())


def response(**changes: Any) -> Content:
    fields: dict[str, Any] = {
        "call_id": CALL,
        "timestamp": NOON,
        "key_id": "anonymous",
        "wire": "openai_responses",
        "messages": raw(INPUT),
        "output": raw([]),
        "parameters": {"tools": raw([TOOL]), "instructions": raw("Be kind")},
        "response": raw(RESPONSE),
    }
    return Content(**{**fields, **changes})


def completion(**changes: Any) -> Content:
    fields: dict[str, Any] = {
        "wire": "openai_chat",
        "messages": raw(INPUT[:2]),
        "parameters": {"metadata": raw({"team": "a"})},
        "response": raw(COMPLETION),
        "aliases": ("chatcmpl-1",),
    }
    return response(**{**fields, **changes})


class Server:
    """A server that keeps content, with these entries in its ledger."""

    def __init__(self, make: Callable[..., LedgerServer], *entries: Content, **options: Any):
        mode = options.pop("mode", "full")
        self.inner = make(*entries, **options)
        gateway = self.inner.gateway
        gateway.snapshot = replace(gateway.snapshot, content=ContentRules(mode))
        gateway.history = LedgerHistory(self.inner.reader)

    def ask(self, method: str, target: str, key: str | None = None) -> Any:
        return self.inner.request(method, target, key, b"")


Make = Callable[..., LedgerServer]


def test_a_response_comes_with_what_it_repeats_of_its_request(new_server: Make) -> None:
    server = Server(new_server, response())
    for base in ("", "/openai"):
        reply = server.ask("GET", f"{base}/v1/responses/{NAME}")
        assert reply.status == 200
        tool = {"description": None, "strict": None, **TOOL}
        assert reply.json == {**RESPONSE, "instructions": "Be kind", "tools": [tool]}


def test_a_response_of_a_provider_is_found_by_the_id_that_it_gave(new_server: Make) -> None:
    server = Server(new_server, response(aliases=("resp_theirs",), parameters={}))
    reply = server.ask("GET", "/v1/responses/resp_theirs")
    assert (reply.json["instructions"], reply.json["tools"]) == (None, [])


def test_a_deleted_response_is_gone(new_server: Make) -> None:
    server = Server(new_server, response())
    reply = server.ask("DELETE", f"/v1/responses/{NAME}")
    assert reply.json == {"id": NAME, "object": "response", "deleted": True}
    for method in ("GET", "DELETE"):
        assert server.ask(method, f"/v1/responses/{NAME}").status == 404


def test_the_items_of_the_input_come_in_pages(new_server: Make) -> None:
    server = Server(new_server, response())
    path = f"/v1/responses/{NAME}/input_items"
    whole = server.ask("GET", f"{path}?order=asc").json
    user, assistant, result = whole["data"]
    assert user == {
        "type": "message",
        "status": "completed",
        "id": f"msg_{SEED}i0",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    assert assistant["content"] == [{"type": "output_text", "text": "Hello"}]
    assert result == INPUT[2]
    assert (whole["first_id"], whole["last_id"], whole["has_more"]) == (user["id"], "fco_1", False)
    first = server.ask("GET", f"{path}?limit=2").json
    assert [item["id"] for item in first["data"]] == ["fco_1", assistant["id"]]
    assert first["has_more"] is True
    rest = server.ask("GET", f"{path}?limit=2&after={first['last_id']}").json
    assert rest["data"] == [user]
    assert rest["has_more"] is False
    last = server.ask("GET", f"{path}?after={user['id']}").json
    assert (last["data"], last["first_id"], last["last_id"]) == ([], None, None)


@for_each(
    "query, param",
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=10000000000", "limit"),
        ("order=up", "order"),
        ("after=msg_unknown", "after"),
    ],
)
def test_a_wrong_parameter_is_named(new_server: Make, query: str, param: str) -> None:
    server = Server(new_server, response(), completion(call_id="c"))
    for path in (f"/v1/responses/{NAME}/input_items", "/v1/chat/completions/chatcmpl-1/messages"):
        reply = server.ask("GET", f"{path}?{query}")
        assert (reply.status, reply.error["param"]) == (400, param)


def test_a_stored_response_is_not_streamed(new_server: Make) -> None:
    reply = Server(new_server, response()).ask("GET", f"/v1/responses/{NAME}?stream=true")
    assert (reply.status, reply.error["param"]) == (400, "stream")


def test_another_keys_response_is_not_found(new_server: Make) -> None:
    owned = response(key_id=key_id(KEYS[0]))
    server = Server(new_server, owned, keys=KEYS, admins=KEYS[1:])
    for path in (f"/v1/responses/{NAME}", f"/v1/responses/{NAME}/input_items"):
        assert server.ask("GET", path, KEYS[1]).status == 404
        assert server.ask("GET", path, KEYS[0]).status == 200
        assert server.ask("GET", path).status == 401
    assert server.ask("DELETE", f"/v1/responses/{NAME}", KEYS[1]).status == 404


@for_each("mode, named", [("off", True), ("hash", True), ("full", False)])
def test_what_is_not_found_says_which_setting_would_keep_it(
    new_server: Make, mode: str, named: bool
) -> None:
    server = Server(new_server, mode=mode)
    for path, param in (
        (f"/v1/responses/{NAME}", "response_id"),
        ("/v1/chat/completions/c-1", "completion_id"),
    ):
        reply = server.ask("GET", path)
        assert reply.status == 404
        assert reply.error["param"] == param
        assert " not found." in reply.error["message"]
        assert ("ledger.content: full" in reply.error["message"]) is named


def test_a_call_whose_client_did_not_store_it_is_not_given_out(new_server: Make) -> None:
    server = Server(new_server, response(response=raw(None)), completion(call_id="c"))
    assert server.ask("GET", f"/v1/responses/{NAME}").status == 404
    assert server.ask("GET", "/v1/responses/chatcmpl-1").status == 404
    assert server.ask("GET", f"/v1/chat/completions/{CALL}").status == 404


def test_a_stored_completion_is_read_and_deleted(new_server: Make) -> None:
    server = Server(new_server, completion())
    path = "/openai/v1/chat/completions/chatcmpl-1"
    assert server.ask("GET", path).json == {**COMPLETION, "metadata": {"team": "a"}}
    first = server.ask("GET", f"{path}/messages?limit=1").json
    assert first["data"] == [{"id": "chatcmpl-1-0", **INPUT[0]}]
    assert (first["last_id"], first["has_more"]) == ("chatcmpl-1-0", True)
    last = server.ask("GET", f"{path}/messages?after=chatcmpl-1-0").json
    assert [row["role"] for row in last["data"]] == ["assistant"]
    newest = server.ask("GET", f"{path}/messages?order=desc").json
    assert [row["id"] for row in newest["data"]] == ["chatcmpl-1-1", "chatcmpl-1-0"]
    deleted = server.ask("DELETE", path).json
    assert deleted == {"object": "chat.completion.deleted", "id": "chatcmpl-1", "deleted": True}
    assert server.ask("GET", path).status == 404


def stored(number: int, model: str = "gpt-4.1", **fields: Any) -> Content:
    """The answer says another name of its model."""
    metadata = fields.pop("metadata", {})
    reply = {**COMPLETION, "id": f"chatcmpl-{number}", "model": f"{model}-2025"}
    return completion(
        call_id=f"c{number}", timestamp=NOON + number, response=raw(reply),
        aliases=(f"chatcmpl-{number}",), parameters={
            "metadata": raw(metadata)
        }, **fields,
    )  # fmt: skip


def recorded(number: int, model: str = "gpt-4.1") -> Record:
    return record(
        number, id=f"c{number}", call_id=f"c{number}", key_id="anonymous", provider="openai",
        model=model,
    )  # fmt: skip


def test_stored_completions_are_listed_and_chosen(new_server: Make) -> None:
    teams = [{"team": "a"}, {"team": "b", "x": "1"}, None, {"team": "a", "x": "1"}]
    entries: list[Any] = [stored(at, metadata=team) for at, team in enumerate(teams)]
    entries += [stored(4, "o3"), response(), completion(call_id="n", response=raw(None))]
    entries += [*map(recorded, range(4)), recorded(4, "o3")]
    server = Server(new_server, *entries)

    def ids(query: str = "", path: str = "/v1/chat/completions") -> list[str]:
        return [row["id"] for row in server.ask("GET", f"{path}?{query}").json["data"]]

    every = [f"chatcmpl-{number}" for number in range(5)]
    assert ids() == ids(path="/openai/v1/chat/completions") == every
    assert ids("order=desc") == every[::-1]
    first = server.ask("GET", "/v1/chat/completions?limit=2").json
    assert (first["object"], first["has_more"]) == ("list", True)
    assert (first["first_id"], first["last_id"]) == tuple(every[:2])
    assert first["data"][0]["metadata"] == {"team": "a"}
    assert first["data"][1] == {**COMPLETION, "id": every[1], "model": "gpt-4.1-2025",
                                "metadata": teams[1]}  # fmt: skip
    last = server.ask("GET", "/v1/chat/completions?limit=3&after=chatcmpl-1").json
    assert ([row["id"] for row in last["data"]], last["has_more"]) == (every[2:], False)
    assert ids("order=desc&after=chatcmpl-2") == every[1::-1]
    assert ids("model=openai/o3") == ids("model=o3") == ids("model=o3-2025") == every[4:]
    assert ids("metadata[team]=a") == [every[0], every[3]]
    assert ids("metadata[team]=a&metadata[x]=1&model=openai/gpt-4.1") == [every[3]]
    assert ids("metadata[none]=1") == []
    empty = server.ask("GET", "/v1/chat/completions?model=none").json
    assert (empty["data"], empty["first_id"], empty["has_more"]) == ([], None, False)


def test_a_list_goes_through_more_than_are_compared_together(
    new_server: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_completions, "AT_ONCE", 2)
    models = ["o3" if number % 3 == 0 else "gpt-4.1" for number in range(9)]
    server = Server(new_server, *[stored(number, model) for number, model in enumerate(models)])
    found = server.ask("GET", "/v1/chat/completions?model=o3-2025&limit=2").json
    assert [row["id"] for row in found["data"]] == ["chatcmpl-0", "chatcmpl-3"]
    assert found["has_more"] is True


def test_a_key_lists_its_own_completions(new_server: Make) -> None:
    own = [stored(number, key_id=key_id(key)) for number, key in enumerate(KEYS)]
    server = Server(new_server, *own, keys=KEYS, admins=KEYS[1:])
    for number, key in enumerate(KEYS):
        found = server.ask("GET", "/v1/chat/completions", key).json["data"]
        assert [row["id"] for row in found] == [f"chatcmpl-{number}"]
        after = server.ask("GET", f"/v1/chat/completions?after=chatcmpl-{1 - number}", key)
        assert (after.status, after.error["param"]) == (400, "after")
    assert server.ask("GET", "/v1/chat/completions").status == 401
    path = "/v1/chat/completions/chatcmpl-0"
    assert server.inner.post(path, {"metadata": {}}, KEYS[1]).status == 404


def test_the_metadata_of_a_completion_are_changed(new_server: Make) -> None:
    server = Server(new_server, stored(1, metadata={"team": "a"}))
    path = "/v1/chat/completions/chatcmpl-1"
    for metadata in ({"team": "b"}, {}, {"k" * 64: "v" * 512}, None):
        changed = server.inner.post(path, {"metadata": metadata})
        assert (changed.status, changed.json["metadata"]) == (200, metadata)
        assert changed.json == server.ask("GET", path).json
    for body, param in (
        ({}, "metadata"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"k" * 65: ""}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"metadata": {}, "messages": []}, "messages"),
    ):
        wrong = server.inner.post(path, body)
        assert (wrong.status, wrong.error["param"]) == (400, param), body
    assert server.inner.post("/v1/chat/completions/none", {"metadata": {}}).status == 404


@for_each(
    "query, param",
    [("limit=0", "limit"), ("order=up", "order"), ("after=none", "after"), ("user=x", "user")],
)
def test_a_wrong_parameter_of_the_list_is_named(new_server: Make, query: str, param: str) -> None:
    reply = Server(new_server).ask("GET", f"/v1/chat/completions?{query}")
    assert (reply.status, reply.error["param"]) == (400, param)


def test_nothing_can_be_cancelled(new_server: Make) -> None:
    reply = Server(new_server).ask("POST", f"/v1/responses/{NAME}/cancel")
    assert (reply.status, reply.error["param"]) == (400, "response_id")


@for_each(
    "path",
    ["/v1/responses", "/v1/responses/", "/v1/responses/input_tokens", "/v1/responses/compact",
     "/v1/responses/a/b", "/v1/chat/completions/", "/gemini/v1/responses/a"],
)  # fmt: skip
def test_other_paths_are_none_of_these(path: str) -> None:
    assert find(path) is None


def test_a_path_has_its_id(new_server: Make) -> None:
    found = find("/openai/v1/responses/resp_1/input_items")
    assert found is not None
    assert found[1:] == (("GET", "HEAD"), "resp_1")
    assert msgspec.json.encode(found[2]) == b'"resp_1"'
