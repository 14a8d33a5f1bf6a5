"""Messages: kept once, put together again, searched and forgotten."""

from __future__ import annotations

import base64
import random
from typing import Any

import msgspec
from msgspec import Raw
from tests.support.ledger_stores import NOON, SyncStore, make_content, make_record, uuid_of

from headway.ledger.store import Filter
from headway.record import Content

IMAGE = base64.b64encode(random.Random(1).randbytes(9000)).decode()
URL_SAFE = base64.urlsafe_b64encode(random.Random(2).randbytes(9001)).decode()


def message(text: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": text}


def content_of(number: int, messages: list[Any], **fields: Any) -> Content:
    return make_content(number, Raw(msgspec.json.encode(messages)), **fields)


def texts_in(store: SyncStore, call_id: str) -> list[Any]:
    return [msgspec.json.decode(raw) for raw in store.conversation(call_id).messages]


def ids_with(store: SyncStore, text: str) -> list[str]:
    return [row.last.id for row in store.logs(Filter(text=text)).rows]


def test_a_conversation_comes_back_byte_for_byte(store: SyncStore) -> None:
    raws = [
        b'{"role": "user",  "content": "two  spaces \\u00e4 \xc3\xa4 \\/ 1e5"}',
        b'{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,'
        + IMAGE.encode() + b'"}},{"type":"input_audio","data":"' + URL_SAFE.encode() + b'"}]}',
        b"[]",
        b'"text"',
    ]  # fmt: skip
    parameters = {"tools": Raw(b'[{"x":' + b"1" * 3000 + b"}]"), "temperature": Raw(b"0.10")}
    response = b'{"id":"r","image":"' + IMAGE.encode() + b'"}'
    content = make_content(
        1, Raw(b"[" + b" , ".join(raws) + b"]"), output=Raw(b'[{"a":1},{"a":2}]'),
        parameters=parameters, response=Raw(response), wire="anthropic_messages",
    )  # fmt: skip
    store.add([make_record(1), content])
    found = store.conversation(uuid_of(1))
    assert [bytes(raw) for raw in found.messages] == raws
    assert [bytes(raw) for raw in found.output] == [b'{"a":1}', b'{"a":2}']
    assert {name: bytes(raw) for name, raw in found.parameters.items()} == {
        name: bytes(raw) for name, raw in parameters.items()
    }
    assert bytes(found.response) == response
    assert (found.call_id, found.wire, found.mode) == (uuid_of(1), "anthropic_messages", "full")
    assert found.key_id == "key-a"


def test_content_without_messages_comes_back(store: SyncStore) -> None:
    store.add([make_content(1, Raw(b"[]"), output=Raw(b"[]"))])
    found = store.conversation(uuid_of(1))
    assert (found.messages, found.output, dict(found.parameters)) == ((), (), {})
    assert bytes(found.response) == b"null"
    assert store.delete_content(uuid_of(1))
    assert store.conversation(uuid_of(1)) is None
    assert store.check() == []


def test_what_is_no_list_of_messages_is_left_out_and_the_rest_is_stored(store: SyncStore) -> None:
    wrong = make_content(1, Raw(b'{"no":"list"}'))
    assert store.add([wrong, make_record(2), content_of(3, [message("fine")])]) == 1
    assert store.conversation(uuid_of(1)) is None
    assert store.conversation(uuid_of(3)) is not None


def test_a_message_is_stored_once_in_however_many_conversations(store: SyncStore) -> None:
    messages: list[Any] = [message("be kind", "system")]
    for turn in range(20):
        messages.append(message(f"question {turn}"))
        answer = message(f"answer {turn}", "assistant")
        store.add([content_of(turn, messages, output=Raw(msgspec.json.encode([answer])))])
        messages.append(answer)
    assert store.describe().messages == 41
    assert texts_in(store, uuid_of(19)) == messages[:-1]
    assert texts_in(store, uuid_of(3)) == messages[:8]


def test_the_first_content_of_a_call_stays(store: SyncStore) -> None:
    store.add([content_of(1, [message("first")])])
    store.add([content_of(1, [message("second")])])
    assert texts_in(store, uuid_of(1)) == [message("first")]


def test_forgetting_one_call_keeps_what_other_calls_said(store: SyncStore) -> None:
    shared, image = [message("shared start")], {"url": f"data:image/png;base64,{IMAGE}"}
    one = [*shared, message("secret of one"), message([image])]
    other = [*shared, message("other question"), message([image])]
    store.add([make_record(1), make_record(2), content_of(1, one), content_of(2, other)])
    assert not store.delete_content(uuid_of(1), owner="key-b")
    assert store.delete_content(uuid_of(1), owner="key-a")
    assert not store.delete_content(uuid_of(1))
    assert store.conversation(uuid_of(1)) is None
    assert texts_in(store, uuid_of(2)) == other
    assert ids_with(store, "secret") == []
    assert ids_with(store, "shared start") == [uuid_of(2)]
    assert store.check() == []
    assert store.delete_content(uuid_of(2))
    assert store.describe().messages == 0
    assert store.call(uuid_of(2)) is not None


def test_old_content_is_deleted_before_its_record(store: SyncStore) -> None:
    day, midnight = 86400, NOON + 43200
    for at in range(6):
        messages = [message("all"), message(f"only {at}")]
        store.add([make_record(at * day), content_of(at * day, messages)])
    deleted = store.prune(midnight + day, midnight + 3 * day)
    assert (deleted.records, deleted.contents) == (2, 4)
    assert store.conversation(uuid_of(3 * day)) is None
    assert texts_in(store, uuid_of(4 * day)) == [message("all"), message("only 4")]
    assert len(store.logs(Filter()).rows) == 4
    assert store.check() == []


def test_content_is_found_by_each_of_its_aliases(store: SyncStore) -> None:
    store.add([content_of(1, [message("a")], aliases=("resp_1", "msg_1"))])
    store.add([content_of(2, [message("b")], aliases=("msg_1",), key_id="key-b")])
    assert store.conversation("resp_1").call_id == uuid_of(1)
    assert store.conversation("msg_1").call_id == uuid_of(2)
    assert store.conversation("msg_1", owner="key-a").call_id == uuid_of(1)
    assert store.conversation("resp_1", owner="key-b") is None
    assert store.delete_content("resp_1")
    assert store.conversation("resp_1") is None
    assert store.conversation(uuid_of(1)) is None


def test_text_is_found_in_every_call_that_contains_it(store: SyncStore) -> None:
    first = [message("The Zebra crosses the Straße")]
    second = [
        *first,
        message("well", "assistant"),
        message([{"type": "text", "text": "and then?"}]),
    ]
    store.add([make_record(at) for at in range(1, 5)])
    store.add([content_of(1, first), content_of(2, second)])
    store.add([content_of(3, [message("nothing")], output=Raw(b'[{"content":"a zebra answers"}]'))])
    store.add([make_record(6, outcome="error", status=500, error_message="no ZEBRA left")])
    assert ids_with(store, "zebra") == [uuid_of(at) for at in (6, 3, 2, 1)]
    assert ids_with(store, "ZEBRA crosses") == [uuid_of(2), uuid_of(1)]
    assert ids_with(store, "crosses then") == []
    assert ids_with(store, "straße") == [uuid_of(2), uuid_of(1)]
    assert ids_with(store, "role") == ids_with(store, "image_url") == ids_with(store, "...") == []
    (usage,) = store.usage(Filter(text="zebra"))
    assert (usage.calls, usage.failed) == (4, 1)


def test_hashes_are_kept_and_not_searched(store: SyncStore) -> None:
    digest = "ab" * 32
    content = content_of(1, [digest], mode="hash", output=Raw(msgspec.json.encode([digest])))
    store.add([make_record(1), content])
    found = store.conversation(uuid_of(1))
    assert found.mode == "hash"
    assert [msgspec.json.decode(raw) for raw in (*found.messages, *found.output)] == [digest] * 2
    assert ids_with(store, digest) == []


def test_the_history_of_a_session_has_the_calls_that_went_well(store: SyncStore) -> None:
    for at, outcome in ((3, "ok"), (1, "ok"), (2, "error"), (4, "ok")):
        store.add([make_record(at, session_id="s", outcome=outcome)])
    store.add([make_record(5, session_id="s", key_id="key-b"), make_record(6, session_id="t")])
    store.add([content_of(at, [message("x")]) for at in (1, 2, 3, 5, 6)])
    store.add([content_of(4, ["ab"], mode="hash")])
    assert list(store.session_history("s")) == [uuid_of(1), uuid_of(3), uuid_of(5)]
    assert list(store.session_history("s", owner="key-a")) == [uuid_of(1), uuid_of(3)]
    assert list(store.session_history("nothing")) == []


def test_long_messages_are_stored_and_those_that_are_nested_too_deeply_are_not(
    store: SyncStore,
) -> None:
    deep, deeper = (
        b'{"content":' + b"[" * depth + b'"x"' + b"]" * depth + b"}" for depth in (300, 100_000)
    )
    long = msgspec.json.encode(message("word " * 200_000))
    store.add([make_content(1, Raw(b"[" + deep + b"," + long + b"]"))])
    store.add([make_content(2, Raw(b"[" + deeper + b"]")), make_record(2)])
    assert [bytes(raw) for raw in store.conversation(uuid_of(1)).messages] == [deep, long]
    assert store.conversation(uuid_of(2)) is None
    assert store.call(uuid_of(2)) is not None


def stored(number: int, key_id: str = "key-a", **fields: Any) -> Content:
    """A reply that its client had stored."""
    response = Raw(b'{"id":"c%d"}' % number)
    return content_of(number, [message("hi")], response=response, key_id=key_id, **fields)


def test_stored_replies_come_in_the_order_of_their_times(store: SyncStore) -> None:
    image = Raw(b'{"id":"c1","image":"%b"}' % IMAGE.encode())
    store.add(
        [
            stored(3, timestamp=NOON + 40 * 86400), stored(2, timestamp=NOON + 1),
            make_content(1, b"[]", response=image, timestamp=NOON + 1), stored(4, "key-b"),
            content_of(5, [message("not stored")]), stored(6, wire="openai_responses"),
            stored(7, mode="hash"),
        ]
    )  # fmt: skip

    def ids(**question: Any) -> list[str]:
        question = {"owner": None, **question}
        found = store.stored_replies("openai_chat", question.pop("owner"), **question)
        return [reply.call_id for reply in found]

    oldest_first = ids()
    assert set(oldest_first) == {uuid_of(number) for number in (1, 2, 3, 4)}
    assert oldest_first[-1] == uuid_of(3)
    assert ids(newest_first=True) == oldest_first[::-1]
    assert ids(owner="key-b") == [uuid_of(4)]
    for newest_first in (False, True):
        pages, after = list[str](), None
        while page := ids(after=after, newest_first=newest_first, limit=3):
            pages += page
            after = page[-1]
        assert pages == (oldest_first[::-1] if newest_first else oldest_first)
    found = {reply.call_id: reply for reply in store.stored_replies("openai_chat")}
    assert bytes(found[uuid_of(1)].response) == bytes(image)


def test_a_parameter_of_a_kept_request_is_replaced(store: SyncStore) -> None:
    long = Raw(msgspec.json.encode({"long": "x" * 400, "piece": "piecet" + "0" * 32}))
    kept = {"tools": long, "metadata": long, "note": Raw(b'"piecet%b"' % (b"0" * 32))}
    store.add([stored(1, parameters=kept), stored(2, parameters={"metadata": long})])
    for value in (Raw(b'{"a":"b"}'), Raw(b'{"c":"\\u0000t%b"}' % (b"1" * 32)), None, long):
        assert store.set_parameter(uuid_of(1), "metadata", value, "key-a") is True
        found = store.conversation(uuid_of(1)).parameters
        expected = {**kept, "metadata": value} if value is not None else {
            name: raw for name, raw in kept.items() if name != "metadata"
        }  # fmt: skip
        assert {name: bytes(raw) for name, raw in found.items()} == {
            name: bytes(raw) for name, raw in expected.items()
        }
        assert store.check() == []
    assert bytes(store.conversation(uuid_of(2)).parameters["metadata"]) == bytes(long)
    assert store.set_parameter(uuid_of(1), "metadata", None, "key-b") is False
    assert store.set_parameter(uuid_of(9), "metadata", None) is False
    for number in (1, 2):
        assert store.delete_content(uuid_of(number))
    assert store.describe().messages == 0
    assert store.check() == []
