"""The ASGI routes of a gateway over a ledger in memory, asked one request at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from headway.ledger.store import Store, StoreError
from headway.ledger.stores import new_store
from headway.policy.keys import KeyRing
from headway.record import Entry
from headway.server import asgi
from headway.server.ledger_reader import LedgerReader
from support.ledger_records import NOON
from support.pipeline_fakes import Pipe
from support.waiting import PATIENCE_S

MEMORY = "sqlite:///:memory:"
Message = dict[str, Any]


def key_id(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:8]


def no_ledger() -> LedgerReader:
    """For routes that need none."""

    def refuse() -> Store:
        raise StoreError("there is no ledger")

    return LedgerReader(refuse, lambda: 0.0)


class Reply:
    """What the application sent."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.status = int(messages[0]["status"])
        self.headers = {k.decode(): v.decode() for k, v in messages[0]["headers"]}
        self.pieces = [each["body"] for each in messages[1:] if each.get("body")]
        self.body = b"".join(self.pieces)
        self.is_complete = messages[-1]["type"] == "http.response.body" and not messages[-1].get(
            "more_body", False
        )

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]


class LedgerServer:
    """``entries`` are in the ledger. Sleeps of the reader move its clock."""

    def __init__(
        self,
        *entries: Entry,
        keys: tuple[str, ...] = (),
        admins: tuple[str, ...] = (),
        store: Store | None = None,
    ) -> None:
        self.runner = asyncio.Runner()
        self.pipe = Pipe(keys=keys)
        self.gateway = self.pipe.gateway
        ids = KeyRing.from_keys(admins).ids
        self.gateway.snapshot = replace(self.gateway.snapshot, admins=ids, body_limit=100_000)
        self.gateway.unix_time = lambda: NOON + 3600
        self.store = store or new_store(MEMORY)
        self.on_sleep: Callable[[], Awaitable[object]] | None = None
        """Called when the reader waits for a record."""
        self.runner.run(self._fill(entries))
        self.reader = LedgerReader(lambda: self.store, self.pipe.clock, self._sleep, is_shared=True)
        self.routes = asgi.AsgiRoutes(self.gateway, asgi.not_found, self.reader)

    def add(self, *entries: Entry) -> None:
        self.runner.run(self.store.add(entries))

    def get(self, target: str, key: str | None = None, method: str = "GET", **more: str) -> Reply:
        return self.request(method, target, key, b"", **more)

    def post(self, target: str, body: Any, key: str | None = None) -> Reply:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", target, key, data)

    def request(self, method: str, target: str, key: str | None, body: bytes, **more: str) -> Reply:
        return Reply(self.runner.run(self._request(method, target, key, body, more)))

    def post_and_leave(
        self, target: str, body: Any, has_seen: Callable[[], bool], key: str | None = None
    ) -> list[Message]:
        """Disconnect once ``has_seen``, and return what was sent."""
        left = asyncio.Event()

        async def ask() -> list[Message]:
            data = json.dumps(body).encode()
            asked = asyncio.ensure_future(self._request("POST", target, key, data, {}, left))
            while not has_seen() and not asked.done():
                await asyncio.sleep(0)
            left.set()
            return await asked

        return self.runner.run(ask())

    def close(self) -> None:
        self.runner.run(self.reader.close())
        self.runner.run(self.store.close())
        self.runner.close()

    async def _fill(self, entries: Sequence[Entry]) -> None:
        await self.store.open()
        if entries:
            await self.store.add(entries)

    async def _sleep(self, seconds: float) -> None:
        self.pipe.clock.now += seconds
        if self.on_sleep is not None:
            await self.on_sleep()

    async def _request(
        self,
        method: str,
        target: str,
        key: str | None,
        body: bytes,
        more: dict[str, str],
        left: asyncio.Event | None = None,
    ) -> list[Message]:
        asked = scope(method, target, key, **more)
        sent: list[Message] = []
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if incoming:
                return incoming.pop()
            await (left or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await asyncio.wait_for(self.routes.respond(asked, receive, send), PATIENCE_S)
        return sent


def scope(method: str, target: str, key: str | None = None, **headers: str) -> Message:
    split = urlsplit(target)
    named = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
    if key is not None:
        named.append((b"authorization", b"Bearer " + key.encode()))
    return {
        "type": "http",
        "method": method,
        "path": unquote(split.path),
        "query_string": split.query.encode(),
        "headers": named,
        "extensions": {"headway.break_off": {}},
    }
