"""Kill gateways under load, fail their databases and disks, and count what is lost or doubled.

    make crash
    make crash ARGS="--kills 5 --only kill,disk"

Each scenario runs a real ``headway serve`` with clients that send requests without a pause, then
lets the gateway end and compares the database with what the clients saw. Exits with 1 if a reply
that a client saw to its end has no record, or anything is in the database twice or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for `support`

from audit import Audit, audit  # noqa: E402
from faults import (  # noqa: E402
    cut_connections,
    lock_postgresql,
    lock_sqlite,
    restart_postgresql,
    small_disk,
)
from load import Load  # noqa: E402
from server import TARGETS, CrashServer  # noqa: E402
from support.services import postgresql_server  # noqa: E402

CLIENTS = 8
LONGEST_PAUSE_S = 0.6
"""Between two kills."""
LAST_S = 0.5
"""Of load, after the last fault."""
CLOSE_S = 30.0


@dataclass(frozen=True)
class Scenario:
    """One row of the table."""

    name: str
    fault: str
    """For ``--only``."""
    database: str
    """``sqlite`` or ``postgresql``."""
    workers: int
    gateways: int = 1
    settings: tuple[tuple[str, object], ...] = ()
    """Of the ledger."""
    is_short: bool = False
    """Part of ``--short``, which takes less than a minute."""


class Skipped(Exception):
    """The machine lacks what a scenario needs; the message says what."""


@dataclass
class Stage:
    """What a fault can act on."""

    scenario: Scenario
    directory: Path
    url: str
    servers: list[CrashServer]
    kills: int
    restart_database: Callable[[], Awaitable[None]]
    notes: list[str]


REFUSES = (("on_failure", "refuse"),)


def scenarios() -> list[Scenario]:
    kills = [
        Scenario(
            f"SIGKILL, {title}, {workers} worker{'s' if workers > 1 else ''}",
            "kill",
            database,
            workers,
            is_short=(database == "sqlite") == (workers == 4),
        )
        for database, title in (("sqlite", "SQLite"), ("postgresql", "PostgreSQL"))
        for workers in (1, 4)
    ]
    return [
        *kills,
        Scenario("SIGKILL, two gateways on one PostgreSQL", "kill", "postgresql", 1, gateways=2),
        Scenario("SQLite locked by another process for 6 s", "lock", "sqlite", 1),
        Scenario("PostgreSQL locked for 6 s", "lock", "postgresql", 1),
        Scenario("PostgreSQL stopped for 3 s, twice", "stop", "postgresql", 1, is_short=True),
        Scenario("connections to PostgreSQL cut for 3 s", "cut", "postgresql", 1),
        Scenario(
            "full disk, requests refused", "disk", "sqlite", 1, settings=REFUSES, is_short=True
        ),
        Scenario("full disk, requests served", "disk", "sqlite", 1),
    ]


# --- Faults ---------------------------------------------------------------------------------------


async def kill(stage: Stage) -> None:
    for number in range(stage.kills):
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))
        server = stage.servers[number % len(stage.servers)]
        while not server.kill(random.choice(TARGETS)):
            await asyncio.sleep(0.05)  # there is no such process at the moment
        if not server.is_running:
            await asyncio.to_thread(server.start)
    await asyncio.sleep(LAST_S)


async def lock(stage: Stage) -> None:
    await asyncio.sleep(LAST_S)
    if stage.scenario.database == "sqlite":
        await asyncio.to_thread(lock_sqlite, stage.url, 6.0)
    else:
        await lock_postgresql(stage.url, 6.0)
    await asyncio.sleep(LAST_S)


async def stop(stage: Stage) -> None:
    for _ in range(2):
        await asyncio.sleep(1.0)
        await stage.restart_database()
    await asyncio.sleep(LAST_S)


async def cut(stage: Stage) -> None:
    await asyncio.sleep(LAST_S)
    stage.notes.append(f"{await cut_connections(stage.url, 3.0)} cut")
    await asyncio.sleep(LAST_S)


async def fill_disk(stage: Stage) -> None:
    """Fill the spool's disk but for a little, for three seconds."""
    spool = stage.directory / "spool"
    for _ in range(2):
        await asyncio.sleep(1.0)
        ballast = spool / "ballast"
        with ballast.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        await asyncio.sleep(2.0)
        ballast.unlink()
    await asyncio.sleep(2.0)


FAULTS = {"kill": kill, "lock": lock, "stop": stop, "cut": cut, "disk": fill_disk}


# --- One scenario ---------------------------------------------------------------------------------


async def play(stage: Stage) -> Audit:
    loads = [Load() for _ in stage.servers]
    over = asyncio.Event()
    for server in stage.servers:
        await asyncio.to_thread(server.start)
    clients = [
        asyncio.ensure_future(load.run(server.port, CLIENTS // len(stage.servers), over))
        for load, server in zip(loads, stage.servers, strict=True)
    ]
    try:
        await FAULTS[stage.scenario.fault](stage)
    finally:
        over.set()
        await asyncio.wait_for(asyncio.gather(*clients), CLOSE_S)
    for server in stage.servers:
        await asyncio.to_thread(server.stop)
    whole = Load(
        set().union(*(load.sent for load in loads)),
        [seen for load in loads for seen in load.seen],
        [error for load in loads for error in load.errors],
    )
    refused = sum(seen.status == 503 for seen in whole.seen)
    if refused:
        stage.notes.append(f"{refused} refused")
    spools = [server.directory / "spool" for server in stage.servers]
    return await audit(stage.url, whole, spools)


@contextmanager
def staged(scenario: Scenario, kills: int) -> Iterator[Stage]:
    """Raises Skipped."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="headway-crash-")))
        url = f"sqlite:///{directory}/ledger.db"

        async def restart() -> None:
            raise AssertionError("SQLite has no server")

        if scenario.database == "postgresql":
            try:
                database = stack.enter_context(postgresql_server())
            except pytest.skip.Exception as absent:
                raise Skipped(str(absent)) from None
            url = database.url

            async def restart() -> None:
                await asyncio.to_thread(restart_postgresql, database, 3.0)

        if scenario.fault == "disk":
            try:
                stack.enter_context(small_disk(directory / "spool"))
            except OSError as error:
                raise Skipped(str(error)) from None
        ledger = {"url": url, **dict(scenario.settings)}
        folders = (
            [directory]
            if scenario.gateways == 1
            else [directory / str(number) for number in range(scenario.gateways)]
        )
        servers = [CrashServer(folder, ledger, scenario.workers) for folder in folders]
        for server in servers:
            stack.callback(server.clean_up)
        yield Stage(scenario, directory, url, servers, kills, restart, [])


def run(scenario: Scenario, kills: int, keeps: bool) -> bool:
    """Print a row, and return whether nothing is wrong."""
    began = time.monotonic()
    count = kills if scenario.fault == "kill" else 0
    try:
        with staged(scenario, kills) as stage:
            found = asyncio.run(play(stage))
            if not found.is_ok and keeps:
                for server in stage.servers:
                    sys.stdout.write(server.tail(60) + "\n")
            notes = ", ".join(stage.notes)
    except Skipped as reason:
        sys.stdout.write(f"| {scenario.name} | skipped: {reason} | | | | | | |\n")
        return True
    seconds = time.monotonic() - began
    state = notes or "ok" if found.is_ok else "FAILED"
    row = (count, found.sent, found.seen, found.records, found.missing, found.doubled)
    cells = " | ".join(str(each) for each in row)
    sys.stdout.write(f"| {scenario.name} | {cells} | {state} | {seconds:.0f} s |\n")
    for problem in found.problems[:10]:
        sys.stdout.write(f"  {problem}\n")
    sys.stdout.flush()
    return found.is_ok


def main() -> int:
    ask = argparse.ArgumentParser(prog="make crash", description=__doc__)
    ask.add_argument("--kills", type=int, default=50, help="in each scenario that kills")
    ask.add_argument("--only", help=f"faults, with commas between: {', '.join(FAULTS)}")
    ask.add_argument("--database", choices=("sqlite", "postgresql"))
    ask.add_argument("--seed", type=int, help="of the random moments")
    ask.add_argument("--verbose", action="store_true", help="the logs of gateways that failed")
    ask.add_argument("--short", action="store_true", help="one scenario for each fault")
    given = ask.parse_args()
    random.seed(given.seed)
    only = given.only.split(",") if given.only else list(FAULTS)
    sys.stdout.write(
        "| scenario | kills | requests | replies seen | records | missing | doubled | | time |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    chosen = [
        each
        for each in scenarios()
        if each.fault in only and given.database in (None, each.database)
    ]
    if given.short:
        chosen = [each for each in chosen if each.is_short]
    results = [run(each, given.kills, given.verbose) for each in chosen]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
