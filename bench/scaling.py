"""Measure the throughput of a second worker, and the memory growth over many requests."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct
from tests.support.ports import free_port

from bench import canned, gateways, machine, wrk

CONNECTIONS = 64
"""More than for one worker, so that each has enough of them."""
ROOMY = 4
"""Cores that two workers, the load and the provider need to stay out of each other's way."""


class Run(Struct, frozen=True):
    """``busiest`` is the share of all workers' CPU time that one of them had."""

    rps: float
    requests_per_cpu_s: float
    busiest: float
    failed: int


class Scaling(Struct, frozen=True):
    """``throughput`` is two workers' requests a second over one's. They stream a page of text (the
    engine route, 292 events translated), for which the load and the provider need little beside
    the gateway: where the machine has fewer than four cores, two workers share two with them.
    ``capacity`` is what each does with a second of its CPU time, times two: locks, shared files
    and lopsided sharing of connections would show in it, want of cores does not."""

    one: Run
    two: Run
    throughput: float
    capacity: float


class Growth(Struct, frozen=True):
    requests: int
    warm_mib: float
    end_mib: float
    failed: int

    @property
    def mib(self) -> float:
        return self.end_mib - self.warm_mib


def scale(rig: gateways.Rig, seconds: float) -> Scaling:
    cores = machine.cores()
    both = cores.both if machine.count_cores() < ROOMY else machine.workers_cores()
    one = _run(rig, 1, cores.gateway, seconds)
    two = _run(rig, 2, both, seconds)
    ratio = two.requests_per_cpu_s / one.requests_per_cpu_s
    capacity = ratio / max(two.busiest, 1 / 2)
    return Scaling(one, two, two.rps / one.rps, capacity)


def _run(rig: gateways.Rig, workers: int, on: Iterable[int], seconds: float) -> Run:
    port, config = free_port(), gateways.configure(rig, f"workers-{workers}")
    argv = gateways.serve(config, port, "--workers", str(workers))
    body = canned.engine(stream=True)
    request = wrk.Request(port, "/api/engine/chat/long", gateways.CLIENT_KEY, body)
    process = machine.spawn(argv, on, log=rig.folder / "workers.log")
    with machine.running([process]):
        machine.wait_answering(port, request.path, request.headers, body, process)
        wrk.run(request, CONNECTIONS, min(1, seconds), rig.folder)  # warm
        before = _workers(process, workers)
        load = wrk.run(request, CONNECTIONS, seconds, rig.folder)
        spent = [now - then for now, then in zip(_workers(process, workers), before, strict=True)]
    total = max(sum(spent), 1 / machine.TICKS)
    return Run(load.rps, load.requests / total, max(spent) / total, load.failed)


def _workers(process: subprocess.Popen[bytes], count: int) -> list[float]:
    """CPU seconds of each worker; a single one is the process itself."""
    pids = machine.family(process.pid)
    return [machine.usage_of(pid).cpu_s for pid in (pids[1 : count + 1] if count > 1 else pids[:1])]


def grow(pid: int, request: wrk.Request, requests: int, seconds: float, folder: Path) -> Growth:
    """Resident memory before and after so many requests, a tenth as many having gone before."""
    warm = _spend(request, max(1, requests // 10), seconds, folder)
    before = machine.usage(pid).rss_bytes
    done = _spend(request, requests, seconds, folder)
    after = machine.usage(pid).rss_bytes
    total, failed = sum(each.requests for each in done), sum(each.failed for each in warm + done)
    return Growth(total, before / machine.MIB, after / machine.MIB, failed)


def _spend(request: wrk.Request, requests: int, seconds: float, folder: Path) -> list[wrk.Load]:
    done: list[wrk.Load] = []
    while sum(each.requests for each in done) < requests:
        done.append(wrk.run(request, 32, seconds, folder))
    return done
