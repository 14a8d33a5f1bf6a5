"""Open many streams at once and count their events: ``python -m bench.streams`` with the arguments
of ``Plan`` as JSON; prints a ``Count`` as JSON.

A process of its own, on the core of the load, so that its work is not the gateway's.
"""

# ruff: noqa: S603  our own commands

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import cast

import httptools
import msgspec
import uvloop
from msgspec import Struct

from bench import machine

RAMP_S = 2.0
"""The streams of a round begin evenly over so long: a burst would time the connecting."""
FULL_S = RAMP_S + 0.5
"""By then the first have not ended and the last have begun, so memory is read."""
MARK = b"data: "


class Plan(Struct, frozen=True):
    port: int
    path: str
    headers: Mapping[str, str]
    body: str
    pid: int
    """Of the gateway, whose CPU time and memory are read."""
    streams: int
    rounds: int


class Count(Struct, frozen=True):
    """``cpu_us_per_event`` is the gateway's user and system time, its children's too, over the
    events that reached the client. None where nothing came."""

    streams: int
    failed: int
    events: int
    cpu_us_per_event: float | None
    ttft_p50_ms: float | None
    ttft_p99_ms: float | None
    rss_per_stream_kib: float


class Client(asyncio.Protocol):
    """One stream: sends the request as soon as it is connected, and reads to its end."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.parser = httptools.HttpResponseParser(self)
        self.events = 0
        self.first: float | None = None
        self.done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.start = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        count = body.count(MARK)
        if count and self.first is None:
            self.first = time.perf_counter() - self.start
        self.events += count

    def on_message_complete(self) -> None:
        self.finish(self.parser.get_status_code() == 200)

    def connection_lost(self, exc: Exception | None) -> None:
        self.finish(False)

    def finish(self, is_good: bool) -> None:
        if not self.done.done():
            self.done.set_result(is_good)
            self.transport.close()


def request(plan: Plan) -> bytes:
    body = plan.body.encode()
    headers = {"host": "127.0.0.1", "content-type": "application/json", **plan.headers}
    lines = [f"POST {plan.path} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def play(plan: Plan, data: bytes, delay: float) -> list[Client]:
    await asyncio.sleep(delay)
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(plan.rounds):
        made = await loop.create_connection(lambda: Client(data), "127.0.0.1", plan.port)
        await made[1].done
        clients.append(made[1])
    return clients


async def run(plan: Plan) -> Count:
    before, data = machine.usage(plan.pid), request(plan)
    ramp_s = min(RAMP_S, plan.streams * 0.01)
    tasks = [
        asyncio.create_task(play(plan, data, at * ramp_s / plan.streams))
        for at in range(plan.streams)
    ]
    await asyncio.sleep(ramp_s + FULL_S - RAMP_S)
    full = machine.usage(plan.pid)
    clients = [client for several in await asyncio.gather(*tasks) for client in several]
    cpu_s = machine.usage(plan.pid).cpu_s - before.cpu_s
    times = sorted(client.first * 1e3 for client in clients if client.first is not None)
    events = sum(client.events for client in clients)
    return Count(
        len(clients),
        sum(not client.done.result() for client in clients),
        events,
        cpu_s / events * 1e6 if events else None,
        statistics.median(times) if times else None,
        times[int(len(times) * 0.99)] if times else None,
        (full.rss_bytes - before.rss_bytes) / 1024 / plan.streams,
    )


def start(plan: Plan) -> Count:
    """Run in a process of its own. Raises RuntimeError with what it said if it fails."""
    cores = ",".join(map(str, sorted(machine.cores().load)))
    argv = ["taskset", "-c", cores, sys.executable, "-m", "bench.streams"]
    text = msgspec.json.encode(plan).decode()
    done = subprocess.run([*argv, text], capture_output=True, text=True, cwd=machine.ROOT)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    return msgspec.json.decode(done.stdout, type=Count)


if __name__ == "__main__":
    plan = msgspec.json.decode(sys.argv[1], type=Plan)
    sys.stdout.write(msgspec.json.encode(uvloop.run(run(plan))).decode() + "\n")
