"""Measure the start of Headway: its imports, and the time until it listens."""

# ruff: noqa: S603  our own commands

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct
from tests.support.ports import free_port

from bench import gateways, machine

TIMED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


class Startup(Struct, frozen=True):
    """Medians. Imports are timed inside a fresh interpreter, the rest from the start of
    ``headway serve`` as a process: until its port accepts, and until ``/health`` is answered."""

    import_ms: float
    import_client_ms: float
    listening_s: float
    answering_s: float


def measure(rig: gateways.Rig, times: int) -> Startup:
    config = gateways.configure(rig, "startup")
    starts = [_start(config) for _ in range(times)]
    return Startup(
        statistics.median(_import("import headway") for _ in range(times)),
        statistics.median(_import("from headway import Client") for _ in range(times)),
        statistics.median(listening for listening, _ in starts),
        statistics.median(answering for _, answering in starts),
    )


def _import(statement: str) -> float:
    argv = [sys.executable, "-c", TIMED.format(statement)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/")
    return float(done.stdout) * 1e3


def _start(config: Path) -> tuple[float, float]:
    port, began = free_port(), time.perf_counter()
    process = machine.spawn(gateways.serve(config, port), machine.cores().gateway)
    with machine.running([process]):
        machine.wait_listening(port, process)
        listening = time.perf_counter() - began
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/health")
        connection.getresponse().read()
        answering = time.perf_counter() - began
        connection.close()
    return listening, answering
