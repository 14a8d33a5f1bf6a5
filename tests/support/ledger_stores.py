"""Stores for tests that are not asynchronous, and records for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from typing import Any

from msgspec.structs import replace

from headway.ledger.store import Store
from headway.record import Content, Record

NOON = 1_790_000_000.0 // 86400 * 86400 + 43200
"""Noon of a day in September 2026, UTC."""


class SyncStore:
    """Calls the methods of a store and waits for their results."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self.store = store
        self._loop = loop

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.store, name)
        return lambda *args, **named: self.run(method(*args, **named))

    def run(self, question: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(question)


@contextmanager
def opened(store: Store, *, migrates: bool = True) -> Iterator[SyncStore]:
    """The store, opened, and closed at the end."""
    # `Runner.run` would format each result, for an error that signal.signal raises and drops.
    with closing(asyncio.new_event_loop()) as loop:
        sync = SyncStore(store, loop)
        try:
            sync.open(migrates=migrates)
            yield sync
        finally:
            sync.close()
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())


def uuid_of(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number * 7919 % 2**48:012x}"


def make_record(number: int, **fields: Any) -> Record:
    """A call with one attempt that went well, ``number`` seconds after noon."""
    id_ = uuid_of(number)
    record = Record(
        id=id_, call_id=id_, request_id=f"request-{number}", timestamp=NOON + number,
        started=NOON + number - 0.5, route="/v1/chat/completions", dialect="openai_chat",
        outcome="ok", provider="openai", kind="openai", model="gpt-4.1",
        deployment="gpt-4.1-2025-04-14", stream=True, key_id="key-a", status=200,
        finish_reason="stop", upstream_status=200, input_tokens=1000, output_tokens=200,
        tokens_source="reported", cost_usd="0.0036", cost_source="computed", latency_s=0.5,
        tokens_per_second=400.0,
    )  # fmt: skip
    return replace(record, **fields)


def make_attempts(number: int, *costs: str | None, **fields: Any) -> list[Record]:
    """The records of a call with several attempts, of which the last one went well."""
    last = make_record(number, **fields)
    attempts = []
    for at, cost in enumerate(costs):
        is_last = at == len(costs) - 1
        attempts.append(
            replace(
                last, id=last.call_id if at == 0 else uuid_of(number * 1000 + at),
                timestamp=last.timestamp + at * 0.1, attempt=at + 1, attempts=at + 1,
                is_last=is_last, cost_usd=cost, role="first" if at == 0 else "retry",
                outcome="ok" if is_last else "error", status=200 if is_last else 503,
            )
        )  # fmt: skip
    return attempts


def make_content(number: int, messages: bytes, **fields: Any) -> Content:
    content = Content(
        call_id=uuid_of(number), timestamp=NOON + number, key_id="key-a", wire="openai_chat",
        messages=messages, output=b'[{"role":"assistant","content":"Well."}]',
    )  # fmt: skip
    return replace(content, **fields)


def round_times(record: Record) -> Record:
    """As a database keeps it: times in microseconds."""
    rounded = {
        name: round(value, 9 if name == "gateway_overhead_s" else 6)
        for name in record.__struct_fields__
        if isinstance(value := getattr(record, name), float)
    }
    return replace(record, **rounded)
