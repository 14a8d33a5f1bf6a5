"""A call is found by the ids of its reply and its request."""

from __future__ import annotations

import asyncio

from headway.ledger.call_lookup import find_call
from headway.ledger.stores import new_store
from headway.record import reply_id_of
from support.ledger_records import record

OWN = record(1, dialect="anthropic_messages", key_id="mine")
PROVIDERS = record(2, reply_id="chatcmpl-1")
RELAYED = record(3, dialect="openai_responses", reply_id=f"resp_{'0' * 32}")
"""Of another gateway, whose ids look like those of this one."""


def found_by(name: str, owner: str | None = None) -> str | None:
    async def main() -> str | None:
        store = new_store("sqlite:///:memory:")
        await store.open()
        await store.add([OWN, PROVIDERS, RELAYED])
        found = await find_call(store, name, owner)
        await store.close()
        return None if found is None else found.id

    return asyncio.run(main())


def test_the_id_of_a_reply_finds_its_call() -> None:
    assert reply_id_of(OWN) == f"msg_{OWN.call_id.replace('-', '')}"
    for one in (OWN, PROVIDERS, RELAYED):
        assert found_by(reply_id_of(one)) == one.call_id


def test_so_do_those_of_the_call_and_of_the_request() -> None:
    assert found_by(OWN.call_id) == found_by(OWN.request_id) == OWN.call_id


def test_another_keys_call_and_an_unknown_one_are_not_found() -> None:
    assert found_by(reply_id_of(OWN), "other") is None
    assert found_by(f"msg_{'1' * 32}") is None
    assert found_by("nobody") is None
