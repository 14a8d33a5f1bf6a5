"""What routes are worth: ``make bench-routing``.

Three questions, each to one gateway with two providers of its own, over real sockets:

* hedging: the 99th percentile of the time to first token where every twentieth request of a
  provider is a second late, with and without a second request beside it;
* failover: two providers of which one is killed in the middle of the load: requests that failed,
  and what the slowest one lost;
* the cache: answers a second, and CPU time of an answer, from the cache and relayed.

The hedging and failover figures are times on this machine at this load; those of the cache are in
one run, and their ratio is what to quote.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httptools
import msgspec
from msgspec import Struct
from tests.support.ports import free_port

from bench import canned, gateways, machine, wrk
from bench.table import render

CLIENTS = 8
CONFIG = """
providers:
  one: {{kind: openai, base_url: 'http://127.0.0.1:{one}/v1', api_key: sk-x}}
  two: {{kind: openai, base_url: 'http://127.0.0.1:{two}/v1', api_key: sk-x}}
models:
  late: [one/uneven, two/uneven]
  hedged: {{targets: [one/uneven, two/uneven], hedge: {{max_share: 0.05}}}}
  safe: [one/quick, two/quick]
  kept: {{targets: [one/quick], cache: {{ttl: 600, coalesce: all}}}}
server: {{api_keys: ['{key}']}}
ledger: {{url: 'sqlite:///{folder}/routing.db'}}
"""


class Answered(Struct, frozen=True):
    """One request: its status (0: the connection broke), the seconds until its first byte of
    content and until its end, and the attempts that it took."""

    status: int
    first_s: float
    whole_s: float
    attempts: int


class Waiting(Struct, frozen=True):
    """Times to first token in milliseconds; ``extra`` is the share of second requests."""

    name: str
    p50_ms: float
    p99_ms: float
    extra: float


class Lost(Struct, frozen=True):
    requests: int
    failed: int
    second_attempts: int
    slowest_ms: float
    """Of all requests, after the provider was killed."""


class Served(Struct, frozen=True):
    name: str
    per_s: float
    p50_us: float
    cpu_us: float
    """Of the gateway, for an answer."""


class Result(Struct, frozen=True):
    machine: dict[str, str | int | float]
    hedging: list[Waiting]
    failover: Lost
    cache: list[Served]


class Options(Struct, frozen=True):
    requests: int
    seconds: float
    json: Path | None


def main() -> None:
    ask = argparse.ArgumentParser(prog="bench.routing", description=__doc__)
    ask.add_argument("--requests", type=int, default=2000, help="of hedging and failover, each")
    ask.add_argument("--seconds", type=float, default=5.0, help="of a load on the cache")
    ask.add_argument("--json", type=Path, help="write everything measured to this file")
    options = Options(**vars(ask.parse_args()))
    machine.require("wrk")
    with tempfile.TemporaryDirectory() as folder:
        result = measure(options, Path(folder))
    sys.stdout.write(report(result))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)))


def measure(options: Options, folder: Path) -> Result:
    before = machine.describe()
    with gateway(folder) as rig:
        hedging = [
            judge(name, asyncio.run(load(rig.port, name, options.requests)))
            for name in ("late", "hedged")
        ]
    with gateway(folder) as rig:
        failover = asyncio.run(lose_provider(rig, options.requests))
    with gateway(folder) as rig:
        cache = [serve(rig, name, options.seconds, folder) for name in ("one/quick", "kept")]
    return Result(before, hedging, failover, cache)


class Rig(Struct, frozen=True):
    port: int
    gateway: subprocess.Popen[bytes]
    one: subprocess.Popen[bytes]


@contextmanager
def gateway(folder: Path) -> Iterator[Rig]:
    one, two, port = free_port(), free_port(), free_port()
    config = folder / "routing.yaml"
    config.write_text(CONFIG.format(one=one, two=two, key=canned.KEY, folder=folder))
    cores = machine.cores()
    processes = [
        machine.spawn([sys.executable, "-m", "bench.upstream", str(each)], cores.load)
        for each in (one, two)
    ]
    log = folder / "routing.log"
    processes.append(machine.spawn(gateways.serve(config, port), cores.gateway, log=log))
    with machine.running(processes):
        for listening, process in zip((one, two, port), processes, strict=True):
            machine.wait_listening(listening, process)
        yield Rig(port, processes[2], processes[0])


# --- Load -----------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One connection, one request at a time."""

    transport: asyncio.Transport

    def ask(self, request: bytes) -> asyncio.Future[Answered]:
        self._parser = httptools.HttpResponseParser(self)
        self._began = time.perf_counter()
        self._first = 0.0
        self._attempts = 0
        self._reply: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._reply

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-headway-attempts":
            self._attempts = int(value)

    def on_body(self, body: bytes) -> None:
        if not self._first and b'"content"' in body:
            self._first = time.perf_counter() - self._began

    def on_message_complete(self) -> None:
        self._finish(self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(0)

    def _finish(self, status: int) -> None:
        if hasattr(self, "_reply") and not self._reply.done():
            whole = time.perf_counter() - self._began
            self._reply.set_result(Answered(status, self._first or whole, whole, self._attempts))


def request_for(model: str) -> bytes:
    body = canned.chat(model, stream=True)
    headers = {"host": "127.0.0.1", "content-type": "application/json", **gateways.CLIENT_KEY}
    lines = [f"POST {gateways.CHAT} HTTP/1.1", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def load(
    port: int, model: str, requests: int, on_half: Callable[[], None] | None = None
) -> list[Answered]:
    """``on_half`` is called when half of the requests are answered."""
    request, answers = request_for(model), list[Answered]()
    left = iter(range(requests))

    async def work() -> None:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(Client, "127.0.0.1", port)
        for _ in left:
            answers.append(await client.ask(request))
            if on_half is not None and len(answers) == requests // 2:
                on_half()
        client.transport.close()

    await asyncio.gather(*(work() for _ in range(CLIENTS)))
    return answers


def judge(name: str, answers: Sequence[Answered]) -> Waiting:
    times = sorted(answer.first_s * 1e3 for answer in answers)
    extra = sum(answer.attempts > 1 for answer in answers) / len(answers)
    return Waiting(name, percentile(times, 50), percentile(times, 99), extra)


def percentile(ascending: Sequence[float], percent: int) -> float:
    """Nearest rank."""
    return ascending[-(-percent * len(ascending) // 100) - 1]


async def lose_provider(rig: Rig, requests: int) -> Lost:
    answers = await load(rig.port, "safe", requests, lambda: os.killpg(rig.one.pid, signal.SIGKILL))
    after = answers[requests // 2 :]
    return Lost(
        len(answers),
        sum(answer.status != 200 for answer in answers),
        sum(answer.attempts > 1 for answer in answers),
        max(answer.whole_s for answer in after) * 1e3,
    )


def serve(rig: Rig, model: str, seconds: float, folder: Path) -> Served:
    """Relayed, or from the cache."""
    request = wrk.Request(rig.port, gateways.CHAT, gateways.CLIENT_KEY, canned.chat(model))
    wrk.run(request, CLIENTS, 1.0, folder)
    before = machine.usage_of(rig.gateway.pid).cpu_s
    found = wrk.run(request, CLIENTS, seconds, folder)
    used = machine.usage_of(rig.gateway.pid).cpu_s - before
    return Served(model, found.rps, found.p50_us, used / found.requests * 1e6)


# --- Report ---------------------------------------------------------------------------------------


def report(result: Result) -> str:
    about = result.machine
    head = f"{about['cores']} cores, {about['cpu']}, Python {about['python']}, load {about['load']}"
    hedging = [["time to first token", "p50 ms", "p99 ms", "second requests"]]
    hedging += [
        [each.name, f"{each.p50_ms:.1f}", f"{each.p99_ms:.1f}", f"{each.extra:.1%}"]
        for each in result.hedging
    ]
    lost = result.failover
    failover = [
        ["a provider is killed", ""],
        ["requests", str(lost.requests)],
        ["failed", str(lost.failed)],
        ["sent to the other one after a failure", str(lost.second_attempts)],
        ["slowest, ms", f"{lost.slowest_ms:.1f}"],
    ]
    cache = [["answers", "a second", "p50 us", "CPU us"]]
    cache += [
        [each.name, f"{each.per_s:.0f}", f"{each.p50_us:.0f}", f"{each.cpu_us:.1f}"]
        for each in result.cache
    ]
    ratio = result.cache[1].per_s / result.cache[0].per_s
    tables = "\n\n".join(render(each) for each in (hedging, failover, cache))
    return f"{head}\n\n{tables}\nfrom the cache over relayed: {ratio:.2f}\n"


if __name__ == "__main__":
    main()
