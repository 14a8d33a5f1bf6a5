"""The machine under a benchmark: its cores, the processes on them, and what they use. Linux only:
readings come from /proc (proc(5)) and processes are pinned by sched_setaffinity(2)."""

# ruff: noqa: S603, S607, S310, PTH208, PTH123  our own commands, /proc by its names

from __future__ import annotations

import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
ENDED = (FileNotFoundError, ProcessLookupError, PermissionError)
"""How /proc says that a process has ended: before its file is opened, before it is read, and as a
zombie, whose descriptors only root may list."""
MIB = 2**20

PACKAGES = {"nginx": "nginx", "wrk": "wrk"}
"""Tool to the package that has it, in Debian's, Ubuntu's and Homebrew's names."""


class Usage(Struct, frozen=True):
    """The CPU time and memory of a process and its descendants."""

    cpu_s: float
    rss_bytes: int
    descriptors: int


class Cores(Struct, frozen=True):
    """The gateway has its core to itself; load, provider and the rest share the other."""

    gateway: frozenset[int]
    load: frozenset[int]

    @property
    def both(self) -> frozenset[int]:
        return self.gateway | self.load


def cores() -> Cores:
    """The first two that this process may use; with one alone everything shares it."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(usable[:1]), frozenset(usable[1:2] or usable[:1]))


def count_cores() -> int:
    return len(os.sched_getaffinity(0))


def workers_cores() -> frozenset[int]:
    """Two that the load does not use, where there are as many as that."""
    usable = sorted(os.sched_getaffinity(0))
    return frozenset([usable[0], usable[2]])


def require(*tools: str) -> None:
    """Exit with the command to install a missing system tool."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        packages = " ".join(PACKAGES[tool] for tool in missing)
        sys.exit(
            f"missing: {', '.join(missing)}. Debian, Ubuntu: apt-get install {packages}; "
            f"macOS: brew install {packages}"
        )
    if not hasattr(os, "sched_setaffinity"):
        sys.exit("the benchmarks read /proc and pin processes to cores: they need Linux")


def describe() -> dict[str, str | int | float]:
    """The facts about the machine that are needed to interpret the figures. ``load`` is the mean of
    a minute ago."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return {
        "cores": count_cores(),
        "cpu": models[0] if models else platform.machine(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


# --- Processes ------------------------------------------------------------------------------------


def spawn(
    argv: Sequence[str],
    on: Iterable[int],
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    cwd: Path = ROOT,
) -> subprocess.Popen[bytes]:
    """Starts ``argv`` on the given cores, in a session of its own, so that it ends as one."""
    with open(log or os.devnull, "wb") as out:
        return subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, sorted(on))), *argv],
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=cwd,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate the process and its descendants."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        os.killpg(process.pid, signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def pause(process: subprocess.Popen[bytes]) -> None:
    """Stop the process until ``awake``: some gateways use CPU time also without requests."""
    os.killpg(process.pid, signal.SIGSTOP)


@contextmanager
def awake(process: subprocess.Popen[bytes]) -> Iterator[None]:
    os.killpg(process.pid, signal.SIGCONT)
    try:
        yield
    finally:
        pause(process)


@contextmanager
def running(processes: list[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Stop the processes in the list at the end of the block."""
    try:
        yield
    finally:
        for process in reversed(processes):
            stop(process)


def usage(pid: int) -> Usage:
    """The usage of a process and its descendants."""
    found = [usage_of(each) for each in family(pid)]
    return Usage(
        sum(each.cpu_s for each in found),
        sum(each.rss_bytes for each in found),
        sum(each.descriptors for each in found),
    )


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {int(name): _parent(int(name)) for name in os.listdir("/proc") if name.isdigit()}
    found = [pid]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat, from the third (state) on: the second may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    try:
        return int(_fields(pid)[1])
    except ENDED:
        return 0


def usage_of(pid: int) -> Usage:
    """Of the one process alone; nothing if it has ended."""
    try:
        fields = _fields(pid)
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except ENDED:
        return Usage(0.0, 0, 0)
    cpu_s = (int(fields[11]) + int(fields[12])) / TICKS
    return Usage(cpu_s, int(fields[21]) * PAGE, descriptors)


# --- Ports ----------------------------------------------------------------------------------------


def wait_listening(port: int, process: subprocess.Popen[bytes], seconds: float = 90.0) -> None:
    """Returns when the port accepts a connection; RuntimeError if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"nothing listens on port {port} (exit code {process.poll()})")


def post(port: int, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The body of a 2xx answer. OSError for anything else, with the start of what came instead."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"content-type": "application/json", **headers}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer: bytes = reply.read()
            return answer
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(300).decode(errors="replace")
        raise OSError(f"{error.code}: {text}") from error


def wait_answering(
    port: int,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    process: subprocess.Popen[bytes],
    seconds: float = 90.0,
) -> None:
    """Return when the request succeeds; RuntimeError with the reason if it never does."""
    deadline, last = time.monotonic() + seconds, "not asked"
    while time.monotonic() < deadline and process.poll() is None:
        try:
            post(port, path, headers, body)
            return
        except OSError as error:
            last = str(error)
            time.sleep(0.01)
    raise RuntimeError(f"port {port} does not answer: {last} (exit code {process.poll()})")
