"""What the provider ``local`` needs on this machine: a running model, and its address."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headway.local.supervisor import Backoff, Supervisor
from headway.local.unavailable import unavailable

if TYPE_CHECKING:
    from headway.local.weights import Progress

CHILD = Path(__file__).with_name("child.py")

MAX_THREADS = 4
"""A model this small gains nothing from more: a token's work is shorter than their agreement."""

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""A container's limit: microseconds of CPU, or ``max``, and those of the period (cgroup v2)."""


class LocalModel:
    """A ``ports.Launcher``. Nothing happens before ``start`` or the first ``base_url``.

    One per machine, not one per worker: whoever serves with several processes starts one and hands
    its ``base_url`` to the others, which ``adopt`` it. A restart keeps the port, so that address
    stays right. Works from any thread and under any event loop.
    """

    def __init__(
        self,
        cache_dir: Path,
        *,
        progress: Progress | None = None,
        threads: int | None = None,
        parallel: int = 4,
        backoff: Backoff | None = None,
    ) -> None:
        """``cache_dir`` is where fetched weights are kept, ``progress`` who hears of fetching
        them (stderr), ``threads`` how many compute, ``parallel`` how many answers at once."""
        self._cache_dir = cache_dir
        self._progress = progress or _tell
        self._threads = threads or default_threads()
        self._parallel = parallel
        self._supervisor = Supervisor(self._command, backoff)

    def start(self) -> None:
        """Begin to start it, and return at once."""
        self._supervisor.ready()

    async def base_url(self) -> str:
        """``http://127.0.0.1:PORT/v1``, when the model answers there: at once while it runs, else
        after a start (0.5 to 2 s; with the weights to fetch, as long as that takes).
        Raises UpstreamUnreachable with the remedy."""
        url = self._supervisor.url()
        if url is None:
            url = await asyncio.wrap_future(self._supervisor.ready())
        return f"{url}/v1"

    async def close(self) -> None:
        """Stop it and wait until it is gone, at most two seconds."""
        await asyncio.to_thread(self._supervisor.close)

    @property
    def pid(self) -> int | None:
        """The model's process, while it runs."""
        return self._supervisor.pid

    def _command(self, port: int) -> Sequence[str]:
        from headway.local.weights import MODEL  # most servers never start a model

        if importlib.util.find_spec("xllamacpp") is None:
            raise unavailable("xllamacpp is not installed", "pip install 'headway[local]'")
        return [
            sys.executable,
            "-P",  # nothing in the directory where the server was started may pose as a module
            str(CHILD),
            f"--model={self._weights()}",
            f"--alias={MODEL}",
            f"--parent={os.getpid()}",
            f"--port={port}",
            f"--threads={self._threads}",
            f"--parallel={self._parallel}",
        ]

    def _weights(self) -> Path:
        from headway.local import weights

        found = weights.locate(self._cache_dir)
        if found is not None:
            return found
        return weights.fetch(self._cache_dir, self._progress, cancelled=self._supervisor.is_closing)


def default_threads(cpu_max: Path = CPU_MAX) -> int:
    """One less than the cores that this process may use, from one to four.

    The threads wait for each other by spinning, several times a token. Where each has no core to
    itself that is ruin: on two busy cores two threads made 2 to 6 tokens a second, one made 53 to
    69; on two idle ones they made 113 and 81. The gateway itself needs a core, too.
    """
    return max(1, min(MAX_THREADS, _cores(cpu_max) - 1))


def _cores(cpu_max: Path) -> int:
    if sys.platform != "linux":
        return os.cpu_count() or 1
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = cpu_max.read_text().split()
        return min(cores, int(quota) // int(period))
    except (OSError, ValueError):  # no such file, or no limit
        return cores


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
