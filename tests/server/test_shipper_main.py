"""The process that stores records: what it does now and then, and as a part of a real gateway."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from contract.conftest import Launch
from contract.shapes import ok
from headway.ledger.shipper_process import ShipperSettings
from headway.ledger.spool_reader import ShipperLock, is_shipper_running
from headway.server import shipper_main
from support.gateway_process import Gateway
from support.store_fakes import ListStore
from support.waiting import until

UNREACHABLE = "postgresql://headway:planted-password@127.0.0.1:1/ledger"
ECHO = {"model": "echo", "chat_input": "Hello"}


def settings(directory: Path, **values: object) -> ShipperSettings:
    return ShipperSettings(url="sqlite:///:memory:", directory=str(directory), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        ((None, None), []),
        ((100.0, None), [(900.0, None)]),
        ((None, 10.0), [(None, 990.0)]),
        ((100.0, 10.0), [(900.0, 990.0)]),
    ],
)
def test_what_is_older_than_its_retention_is_deleted(
    tmp_path: Path,
    ages: tuple[float | None, float | None],
    expected: list[tuple[float | None, float | None]],
) -> None:
    store = ListStore()
    tasks = shipper_main._tasks(settings(tmp_path, retention=ages[0], content_retention=ages[1]))
    for task in tasks:
        asyncio.run(task(store, 1000.0))  # type: ignore[arg-type]
    assert store.pruned == expected
    assert store.maintained == [1000.0]


def test_records_are_archived_before_they_are_deleted(tmp_path: Path) -> None:
    both = settings(tmp_path, archive=str(tmp_path / "archive"), retention=1.0)
    assert [task.__name__ for task in shipper_main._tasks(both)] == ["archive", "prune", "maintain"]


def test_the_lock_of_another_shipper_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper_main, "LOCK_POLL_S", 0.01)
    monkeypatch.setattr(shipper_main, "LOCK_WAIT_S", 0.05)
    held, wanted = ShipperLock(str(tmp_path)), ShipperLock(str(tmp_path))
    assert held.take()

    async def main() -> None:
        stop = asyncio.Event()
        assert not await shipper_main._take(wanted, stop)
        asyncio.get_running_loop().call_later(0.02, held.release)
        assert await shipper_main._take(wanted, stop)

    asyncio.run(main())
    wanted.release()


# --- With a gateway -------------------------------------------------------------------------------


def health(gateway: Gateway) -> dict[str, object]:
    found: dict[str, object] = gateway.client.get("/health").json
    return found


def test_a_gateway_that_ends_has_everything_stored(launch: Launch) -> None:
    own = launch()
    ids = [ok(own.chat("echo", **ECHO))["id"] for _ in range(3)]
    own.stop()
    assert [record["id"] for record in own.stored()] == ids
    assert sorted(path.name for path in own.spool.iterdir()) == ["shipper.lock", "status.json"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gateway_that_is_killed_has_everything_stored(launch: Launch, workers: int) -> None:
    own = launch(args=("--port", "0", "--workers", str(workers)))
    ids = {ok(own.chat("echo", **ECHO))["id"] for _ in range(5)}
    until(lambda: is_shipper_running(str(own.spool)))
    ids |= {ok(own.chat("echo", **ECHO))["id"] for _ in range(5)}
    own.kill()
    until(lambda: not is_shipper_running(str(own.spool)))
    assert {record["id"] for record in own.stored()} == ids


def test_a_killed_shipper_is_replaced(launch: Launch) -> None:
    own = launch()
    ids = [ok(own.chat("echo", **ECHO))["id"]]
    until(lambda: is_shipper_running(str(own.spool)))
    first = int((own.spool / "shipper.lock").read_text())
    os.kill(first, signal.SIGKILL)
    ids.append(ok(own.chat("echo", **ECHO))["id"])
    until(lambda: int((own.spool / "shipper.lock").read_text() or first) != first)
    until(lambda: len(own.stored()) == 2)
    assert "ended with exit code -9; another one is started" in "".join(own.output)


def test_a_database_that_is_down_degrades_the_health_and_nothing_else(
    launch: Launch, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    ledger = {"url": UNREACHABLE, "spool": str(spool)}
    own = launch({"ledger": ledger, "server": {"log": {"format": "json"}}})
    assert health(own)["status"] == "healthy"
    ok(own.chat("echo", **ECHO))
    until(lambda: health(own)["status"] == "degraded")
    ok(own.chat("echo", **ECHO))
    state = health(own)["ledger"]
    assert isinstance(state, dict)
    assert (state["spool"], state["store"], state["lost"]) == ("ok", "failing", 0)
    own.stop()
    (file,) = spool.glob("*-*.jsonl")
    assert len(file.read_bytes().splitlines()) == 2
    said = [json.loads(line) for line in own.output if line.startswith("{")]
    (problem,) = [each for each in said if "cannot be stored" in each["msg"]]
    assert problem["level"] == "error"
    assert "planted-password" not in "".join(own.output)
