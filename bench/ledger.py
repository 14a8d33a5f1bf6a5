"""``make bench-ledger``: how fast a database of records takes and answers, and how large it is.

Generates records as ``bench.ledger_records`` says, stores them from the lines of a spool as the
shipper does, and asks what the logs and the usage pages ask. ``--records 1000000`` for the figures
of docs/ledger.md; ``--store postgresql`` for a new PostgreSQL, ``--url`` for a database that runs.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import nullcontext
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw
from tests.support.services import postgresql

from bench.ledger_records import MONTH_S, START, generate_records
from headway.ledger.spool_reader import Lines
from headway.ledger.store import Filter, Store
from headway.ledger.stores import new_store
from headway.record import Content, Record, SpooledRecord, encode

BATCH = 5000
"""Lines that the shipper stores at once, when it catches up."""
TURNS = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000, help="(default: 50000)")
    parser.add_argument("--url", help="of the database (default: a new SQLite file)")
    parser.add_argument(
        "--store", choices=("sqlite", "postgresql"), default="sqlite",
        help="a new one; PostgreSQL's server is started, and does not sync (default: sqlite)",
    )  # fmt: skip
    parser.add_argument("--repeat", type=int, default=5, help="of each question (default: 5)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder:
        server = postgresql() if args.store == "postgresql" else nullcontext()
        with server as started:
            url = args.url or started or f"sqlite:///{folder}/ledger.db"
            asyncio.run(measure(url, args.records, args.repeat))
        if args.url is None and args.store == "sqlite":
            asyncio.run(measure_content(f"sqlite:///{folder}/content.db"))


async def measure(url: str, records: int, repeat: int) -> None:
    span_s = MONTH_S if records >= 10**6 else MONTH_S * records / 10**6
    store = new_store(url)
    await store.open()
    try:
        await measure_adding(store, records, span_s)
        await store.close()  # which ends what SQLite has still to copy
        store = new_store(url)
        await store.open()
        facts = await store.describe()
        report("on disk", f"{facts.bytes / facts.records:.0f} bytes a record")
        await measure_questions(store, START + span_s, repeat)
    finally:
        await store.close()


async def measure_adding(store: Store, records: int, span_s: float) -> None:
    """Decoding, summing up and storing; generating does not count."""
    generated = generate_records(records, span_s=span_s)
    wall = cpu = 0.0
    while lines := [encode(as_spooled(record)) for record in islice(generated, BATCH)]:
        started, used = time.perf_counter(), time.process_time()
        await store.add(Lines(lines))
        wall += time.perf_counter() - started
        cpu += time.process_time() - used
    report("add", f"{records / wall:,.0f} records/s, {cpu / records * 1e6:.1f} us of CPU each")


def as_spooled(record: Record) -> Record:
    """As the gateway writes it: without what has its default."""
    return SpooledRecord(*msgspec.structs.astuple(record))


def questions(end: float) -> Iterator[tuple[str, Callable[[Store], Awaitable[Any]]]]:
    def logs(**where: Any) -> Callable[[Store], Awaitable[Any]]:
        return lambda store: store.logs(Filter(**where))

    def usage(by: Sequence[Any], metrics: Sequence[str], **where: Any) -> Any:
        return lambda store: store.usage(Filter(**where), by, metrics=metrics)

    yield (
        "usage: p95 time to first token by model by day",
        usage(["model", "day"], ["time_to_first_token_s"]),
    )
    yield "usage: cost by key", usage(["key"], ["cost_usd"])
    yield "usage: cost by tag", usage(["tag"], ["cost_usd"])
    yield "usage: cost by user", usage(["user"], ["cost_usd"])
    yield "usage: all metrics by model", lambda store: store.usage(Filter(), ["model"])
    yield "usage: all metrics by user", lambda store: store.usage(Filter(), ["user"])
    yield "usage: cost by model, last week", usage(["model"], ["cost_usd"], since=end - 7.1 * 86400)
    yield "usage: cost by hour of one day", usage(["hour"], (), since=end - 86400)
    yield "usage: cost by user and model", usage(["user", "model"], ())
    yield "logs: newest", logs()
    yield "logs: of an hour", logs(since=end / 2 + START / 2, until=end / 2 + START / 2 + 3600)
    yield "logs: common model", logs(models=("gpt-4.1-mini",))
    yield "logs: rare model", logs(models=("mistral-small-latest",), statuses=((503, 503),))
    yield "logs: status 429", logs(statuses=((429, 429),))
    yield "logs: cancelled", logs(outcomes=("cancelled",))
    yield "logs: rare key", logs(keys=("00000013",))
    yield "logs: common user", logs(users=("user-0",))
    yield "logs: rare user", logs(users=("user-499",))
    yield "logs: unknown user", logs(users=("nobody",))
    yield "logs: tag", logs(tags=("feature:3",))
    yield "logs: latency over 60 s", logs(min_latency_s=60.0)
    yield "logs: latency over 20 s", logs(min_latency_s=20.0)
    yield "logs: latency 2 to 2.0001 s", logs(min_latency_s=2.0, max_latency_s=2.0001)
    yield "logs: cost over 0.5 dollars", logs(min_cost_usd=Decimal("0.5"))
    yield "logs: cost under 0.00001 dollars", logs(max_cost_usd=Decimal("0.00001"))
    yield "logs: error text", logs(text="overloaded")
    yield (
        "logs: user and model and status",
        logs(users=("user-3",), models=("gpt-4.1",), statuses=((429, 429),)),
    )
    yield "sessions: newest", lambda store: store.sessions(Filter())


async def measure_questions(store: Store, end: float, repeat: int) -> None:
    for name, ask in questions(end):
        times, used = [], []
        for _ in range(repeat):
            started, before = time.perf_counter(), time.process_time()
            await ask(store)
            times.append(time.perf_counter() - started)
            used.append(time.process_time() - before)
        wall, cpu = (sorted(each)[repeat // 2] * 1000 for each in (times, used))
        report(name, f"{wall:.1f} ms, {cpu:.1f} ms of CPU")


async def measure_content(url: str) -> None:
    """An agent with a system prompt, tools and fifty turns, one call each."""
    store, naive = new_store(url), 0
    await store.open()
    await store.close()
    store = new_store(url)
    await store.open()
    empty = (await store.describe()).bytes
    try:
        for content in converse():
            naive += (
                len(content.messages)
                + len(content.output)
                + sum(len(value) for value in map(bytes, content.parameters.values()))
            )
            await store.add([content])
    finally:
        await store.close()
    store = new_store(url)
    await store.open(migrates=False)
    stored = (await store.describe()).bytes - empty
    await store.close()
    report(
        "conversation of 50 turns",
        f"{stored:,} bytes on disk, 1/{naive / stored:.1f} of {naive:,} for each request as it is",
    )


def converse() -> Iterator[Content]:
    """The contents of the calls, each with all messages so far."""
    words = Path(__file__).read_text().split()
    messages: list[Any] = [{"role": "system", "content": " ".join(words[:600])}]
    tools = [
        {"type": "function", "function": {"name": f"tool_{at}", "description": " ".join(
            words[at * 20 : at * 20 + 30]), "parameters": {"type": "object", "properties": {
                "path": {"type": "string"}, "pattern": {"type": "string"}}}}}
        for at in range(12)
    ]  # fmt: skip
    for turn in range(TURNS):
        start = turn * 7 % 500
        asked = " ".join(words[start : start + 60])
        role = (
            {"role": "user"} if turn % 5 == 0 else {"role": "tool", "tool_call_id": f"call_{turn}"}
        )
        messages.append({**role, "content": f"{turn} {asked}"})
        answer = {
            "role": "assistant",
            "content": f"{' '.join(reversed(words[start : start + 40]))} {turn}",
            "tool_calls": [{"id": f"call_{turn + 1}", "type": "function", "function": {
                "name": "tool_1", "arguments": f'{{"path": "src/module_{turn}.py"}}'}}],
        }  # fmt: skip
        yield Content(
            call_id=f"call-{turn}", timestamp=START + turn, wire="openai_chat",
            messages=Raw(msgspec.json.encode(messages)), output=Raw(msgspec.json.encode([answer])),
            parameters={"tools": Raw(msgspec.json.encode(tools)), "model": Raw(b'"gpt-4.1"')},
        )  # fmt: skip
        messages.append(answer)


def report(name: str, figure: str) -> None:
    sys.stdout.write(f"{name:<48} {figure}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
