"""wrk, the load generator, and its report as numbers."""

# ruff: noqa: S603  our own commands

from __future__ import annotations

import math
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from bench import machine

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 6e7}


class Load(Struct, frozen=True):
    """Requests a second; latencies in microseconds; answers that were not 2xx or 3xx, and
    connections that broke; the gateway's CPU time a request, where it was read."""

    rps: float
    p50_us: float
    p99_us: float
    requests: int
    failed: int
    cpu_us: float | None = None


class Request(Struct, frozen=True):
    port: int
    path: str
    headers: Mapping[str, str]
    body: bytes


def run(request: Request, connections: int, seconds: float, folder: Path) -> Load:
    """One thread on the load's core, every connection kept alive and busy."""
    process = begin(request, connections, seconds, folder)
    if seconds % 1:
        _interrupt(process, seconds)
    return finish(process)


def begin(
    request: Request, connections: int, seconds: float, folder: Path
) -> subprocess.Popen[str]:
    """Start a load, of so many seconds rounded up."""
    script = folder / "request.lua"
    script.write_text(_script(request))
    cores = ",".join(map(str, sorted(machine.cores().load)))
    argv = ["taskset", "-c", cores, "wrk", "-t1", f"-c{connections}", "--latency"]
    url = f"http://127.0.0.1:{request.port}{request.path}"
    argv += [f"-d{math.ceil(seconds)}s", "--timeout", "20s", "-s", str(script), url]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def _interrupt(process: subprocess.Popen[str], seconds: float) -> None:
    """Stop wrk, which takes whole seconds, after ``seconds``. Its report is of what it did."""
    while process.poll() is None and not _handles_interrupts(process.pid):
        time.sleep(0.005)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)


def _handles_interrupts(pid: int) -> bool:
    """By the set of signals that it catches (proc(5)), in which SIGINT is the second."""
    status = Path(f"/proc/{pid}/status").read_text()
    return bool(int(_find(r"SigCgt:\s+(\w+)", status)[1], 16) & 1 << signal.SIGINT - 1)


def finish(process: subprocess.Popen[str]) -> Load:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"wrk failed with exit code {process.returncode}")
    return parse(output)


def parse(report: str) -> Load:
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", report)
    broken = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", report
    )
    failed = [*(refused.groups() if refused else ()), *(broken.groups() if broken else ())]
    return Load(
        float(_find(r"Requests/sec:\s+([\d.]+)", report)[1]),
        _percentile(50, report),
        _percentile(99, report),
        int(_find(r"(\d+) requests in", report)[1]),
        sum(map(int, failed)),
    )


def _percentile(percent: int, report: str) -> float:
    found = _find(rf"\s{percent}%\s+([\d.]+)(us|ms|s|m)\b", report)
    return float(found[1]) * UNITS[found[2]]


def _find(pattern: str, report: str) -> re.Match[str]:
    found = re.search(pattern, report)
    if found is None:
        raise ValueError(f"wrk reported no {pattern}: {report[-300:]}")
    return found


def _script(request: Request) -> str:
    headers = {"content-type": "application/json", **request.headers}
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    return "\n".join(['wrk.method = "POST"', f"wrk.body = [=[{request.body.decode()}]=]", *lines])
