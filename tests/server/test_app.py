"""The application under a server without lifespan, and its comments on silent streams."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from headway.config import Config, Ledger, Server
from headway.config.secret import Secret
from headway.ledger.spool_reader import is_shipper_running
from headway.ledger.store import Filter
from headway.ledger.stores import new_store
from headway.pipeline.call import GatewayCall
from headway.record import Record, encode
from headway.server.app import App
from support.waiting import PATIENCE_S

HEALTH: dict[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/health",
    "query_string": b"",
    "headers": [],
}


def app(tmp_path: Path, **server: Any) -> App:
    url = Secret(f"sqlite:///{tmp_path}/ledger.db")
    ledger = Ledger(url=url, spool=f"{tmp_path}/ledger.db.spool")
    return App(Config(ledger=ledger, server=Server(**server)), dict)


def test_a_server_without_lifespan_gets_responses(tmp_path: Path) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        served = app(tmp_path)
        await served(HEALTH, receive, send)
        gateway = served.gateway
        await served(HEALTH, receive, send)
        assert served.gateway is gateway
        await served.close()

    asyncio.run(main())
    assert [message["status"] for message in sent if "status" in message] == [200, 200]


def test_any_server_has_its_records_stored(tmp_path: Path) -> None:
    record = Record("r1", "r1", 2.0, 1.0, "/route", "engine", "ok")

    async def main() -> list[str]:
        served = app(tmp_path)
        await served.start()
        served.gateway.spool.append(encode(record))
        await served.close()
        store = new_store(f"sqlite:///{tmp_path}/ledger.db")
        await store.open(migrates=False)
        records, _ = await store.attempts(Filter())
        await store.close()
        return [each.id for each in records]

    assert asyncio.run(main()) == ["r1"]
    assert not is_shipper_running(f"{tmp_path}/ledger.db.spool")


@pytest.mark.parametrize(
    ("extensions", "answer"),
    [
        ({"websocket.http.response": {}}, {"status": 426, "code": "websocket_unsupported"}),
        ({}, {"type": "websocket.close"}),
    ],
    ids=["with a response", "without"],
)
def test_a_websocket_is_refused(tmp_path: Path, extensions: Any, answer: Any) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        served = app(tmp_path)
        scope = {"type": "websocket", "path": "/v1/responses", "extensions": extensions}
        await served(scope, receive, send)
        await served.close()

    asyncio.run(main())
    if "status" in answer:
        assert sent[0]["status"] == 426
        assert answer["code"].encode() in sent[1]["body"]
    else:
        assert [message["type"] for message in sent] == ["websocket.close"]


class Failing(GatewayCall):
    """A call with a defect."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        self.asked = 0

    def keep_alive(self, now: float, silence: float) -> None:
        self.asked += 1
        raise RuntimeError("a defect")

    def abort(self, error: object) -> None: ...


def test_an_error_in_one_stream_does_not_stop_the_comments_of_others(tmp_path: Path) -> None:
    async def main() -> int:
        served = app(tmp_path, stream_comment=0.04)
        await served.start()
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        failing = Failing()
        served.gateway.active.add(failing)
        while failing.asked < 3:
            await asyncio.sleep(0.01)
        served.gateway.active.clear()
        await served.close()
        return failing.asked

    assert asyncio.run(asyncio.wait_for(main(), PATIENCE_S)) >= 3
