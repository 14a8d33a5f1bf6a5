"""Send many mixed requests, and check for leaks: ``make soak``.

Whole and streamed answers over both routes, errors of the client's and of the provider's making,
broken streams, and clients that leave in the middle. Memory and descriptors are read under load,
and at rest: with no client connected and the provider gone, so that no pooled connection counts.
Ends with 1 if memory at rest grew by more than 5 MiB after the warm-up (a tenth as many requests),
if descriptors were left open, if a reply was not as expected, or if the number of records is
wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from tests.support.ports import free_port

from bench import gateways, machine
from bench.mix import MIX, Kind
from bench.soak_client import SoakClient
from bench.table import number, render
from headway.ledger.spool_reader import count_unstored_lines
from headway.ledger.store import StoreError
from headway.ledger.stores import new_store

GROWTH_MIB = 5.0
SAMPLES = 10
REST_S = 10.0
"""At most so long until descriptors and the spool have come to rest."""


class Options(Struct, frozen=True):
    requests: int
    connections: int
    seed: int
    json: Path | None


class Reading(Struct, frozen=True):
    """``rss_mib`` is of the gateway's own process, ``family_mib`` with its helpers; ``records``
    are lines in the spool."""

    when: str
    requests: int
    seconds: float
    rss_mib: float
    family_mib: float
    descriptors: int
    records: int


class Result(Struct, frozen=True):
    """``wrong`` are unexpected replies, with an example of each."""

    command: list[str]
    machine: dict[str, Any]
    kinds: dict[str, int]
    readings: list[Reading]
    expected_records: int
    wrong: dict[str, str]
    problems: list[str]


def main() -> None:
    ask = argparse.ArgumentParser(
        prog="bench.soak", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--requests", type=int, default=500_000, help="after the warm-up")
    ask.add_argument("--connections", type=int, default=32)
    ask.add_argument("--seed", type=int, default=1, help="of the order of the requests")
    ask.add_argument("--json", type=Path, help="write everything measured to this file")
    options = Options(**vars(ask.parse_args()))
    machine.require()
    with tempfile.TemporaryDirectory(prefix="headway-soak-") as folder:
        result = uvloop.run(Soak(options, Path(folder)).run())
    sys.stdout.write(report(result))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)))
    sys.exit(1 if result.problems else 0)


class Soak:
    def __init__(self, options: Options, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.database = folder / "headway.db"
        self.upstream_port, self.port = free_port(), free_port()
        self.config = gateways.configure(
            gateways.Rig(folder, self.upstream_port, self.upstream_port)
        )
        self.order = random.Random(options.seed)  # noqa: S311  the same mix in every run
        self.done: Counter[str] = Counter()
        self.expected = 0
        self.wrong: dict[str, str] = {}
        self.readings: list[Reading] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.began = time.monotonic()
        self.describing = machine.describe()
        self.cores = machine.cores()
        os.sched_setaffinity(0, self.cores.load)  # from here on; what is started is told its own

    async def run(self) -> Result:
        with machine.running(self.processes):
            argv = gateways.serve(self.config, self.port)
            log = self.folder / "headway.log"
            self.gateway = machine.spawn(argv, self.cores.gateway, log=log)
            self.processes.append(self.gateway)
            machine.wait_listening(self.port, self.gateway)
            await asyncio.sleep(1.0)
            await self._read("start")
            # each kind once at least: some start a helper, which has descriptors of its own
            await self._load(MIX)
            await self._load(self._draw(self.options.requests // 10))
            await self._rest("warm, at rest")
            await self._load(self._draw(self.options.requests), SAMPLES)
            await self._rest("end, at rest")
        describing = {**self.describing, "load_at_end": machine.describe()["load"]}
        return Result(
            command=["python", "-m", "bench.soak", *sys.argv[1:]],
            machine=describing,
            kinds={kind.name: self.done[kind.name] for kind in MIX},
            readings=self.readings,
            expected_records=self.expected,
            wrong=self.wrong,
            problems=self._problems(),
        )

    def _draw(self, requests: int) -> Sequence[Kind]:
        return self.order.choices(MIX, [kind.weight for kind in MIX], k=requests)

    async def _load(self, kinds: Sequence[Kind], samples: int = 1) -> None:
        """These requests over all connections, with readings in between."""
        upstream = self._start_upstream()
        clients = [SoakClient(self.port) for _ in range(self.options.connections)]
        for at in range(samples):
            first, behind = (len(kinds) * number // samples for number in (at, at + 1))
            turns = iter(kinds[first:behind])
            await asyncio.gather(*(self._keep_asking(client, turns) for client in clients))
            await self._read("under load")
        for client in clients:
            client.close()
        machine.stop(upstream)
        self.processes.remove(upstream)

    async def _keep_asking(self, client: SoakClient, turns: Iterator[Kind]) -> None:
        for kind in turns:
            await self._ask(client, kind)

    async def _ask(self, client: SoakClient, kind: Kind) -> None:
        answer = await client.ask(kind)
        self.done[kind.name] += 1
        self.expected += kind.records
        if answer.status != kind.status or kind.holds not in answer.body:
            told = f"{answer.status} {answer.body[-200:].decode(errors='replace')}"
            self.wrong.setdefault(kind.name, told)

    async def _rest(self, when: str) -> None:
        """Wait until all connections are closed; no client is connected and the provider has
        exited."""
        deadline, last = time.monotonic() + REST_S, -1
        while time.monotonic() < deadline:
            now = machine.usage(self.gateway.pid).descriptors
            if now == last and await self._records() >= self.expected:
                break
            last = now
            await asyncio.sleep(0.5)
        await self._read(when)

    def _start_upstream(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, "-m", "bench.upstream", str(self.upstream_port)]
        upstream = machine.spawn(argv, self.cores.load)
        self.processes.append(upstream)
        machine.wait_listening(self.upstream_port, upstream)
        return upstream

    async def _records(self) -> int:
        """In the database, and on the way there."""
        if not self.database.exists():
            return 0
        store = new_store(f"sqlite:///{self.database}")
        try:
            await store.open(migrates=False)
            positions = await store.positions()
            stored = (await store.describe()).records
        except StoreError:  # the shipper has just begun to create it
            return 0
        finally:
            await store.close()
        return stored + count_unstored_lines(f"{self.database}.spool", positions)

    async def _read(self, when: str) -> None:
        family = machine.usage(self.gateway.pid)
        reading = Reading(
            when,
            self.done.total(),
            round(time.monotonic() - self.began, 1),
            machine.usage_of(self.gateway.pid).rss_bytes / machine.MIB,
            family.rss_bytes / machine.MIB,
            family.descriptors,
            await self._records(),
        )
        self.readings.append(reading)
        with contextlib.suppress(BrokenPipeError):
            sys.stderr.write(f"{reading.requests:>9,} requests: {reading.rss_mib:.1f} MiB\n")

    def _problems(self) -> list[str]:
        warm, end = (each for each in self.readings if each.when.endswith("at rest"))
        grown, left = end.rss_mib - warm.rss_mib, end.descriptors - warm.descriptors
        problems = [f"wrong answers: {', '.join(self.wrong)}"] if self.wrong else []
        if grown > GROWTH_MIB:
            problems.append(f"memory grew by {grown:.1f} MiB after the warm-up")
        if left > 0:
            problems.append(f"{left} more descriptors are open than after the warm-up")
        if end.records != self.expected:
            problems.append(f"{end.records} records, {self.expected} are due")
        return problems


def report(result: Result) -> str:
    it = result.machine
    head = (
        f"{' '.join(result.command)}\n{it['cores']} cores, {it['cpu']}, Python {it['python']}; "
        f"load average {it['load']} before, {it['load_at_end']} after\n"
    )
    columns = ("", "requests", "s", "RSS MiB", "with helpers", "descriptors", "records")
    readings = [columns, *(_row(reading) for reading in result.readings)]
    kinds = [("kind", "requests"), *((kind, f"{n:,}") for kind, n in result.kinds.items())]
    told = [f"{kind} was answered with {what}\n" for kind, what in result.wrong.items()]
    verdict = "".join(f"PROBLEM: {each}\n" for each in result.problems) or "flat, nothing left\n"
    return "\n".join([head, render(kinds), render(readings), *told, verdict])


def _row(reading: Reading) -> tuple[str, ...]:
    return (
        reading.when,
        f"{reading.requests:,}",
        number(reading.seconds, 1),
        number(reading.rss_mib, 1),
        number(reading.family_mib, 1),
        str(reading.descriptors),
        f"{reading.records:,}",
    )


if __name__ == "__main__":
    main()
