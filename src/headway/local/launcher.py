"""The launcher of the provider ``local``: a model that runs on this machine, and its address."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from headway.local.errors import unavailable
from headway.local.supervisor import Backoff, Supervisor

LLAMA_SERVER = Path(__file__).with_name("llama_server.py")

INSTALL = "pip install xllamacpp==2026.10.11549"
"""As in the extra ``local``."""

MAX_THREADS = 4
"""More threads do not make a model of this size faster: they wait for each other at every token."""

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""A container's limit: microseconds of CPU, or ``max``, and those of the period (cgroup v2)."""


class LocalModel:
    """A ``ports.Launcher``. Starts nothing before ``start`` or the first ``base_url``.

    One is enough for a machine; ``SharedModel`` shares it between workers. A restart keeps the
    port, so the address stays valid.
    """

    def __init__(
        self,
        cache_dir: Path | None,
        *,
        progress: Callable[[str], None] | None = None,
        threads: int | None = None,
        parallel: int = 4,
        backoff: Backoff | None = None,
    ) -> None:
        """``cache_dir`` holds downloaded weights; None: none can be downloaded. ``progress`` gets a
        line for the user about a download (default: stderr); ``threads`` compute; ``parallel``
        replies run at once."""
        self._cache_dir = cache_dir
        self._progress = progress or _write_stderr
        self._threads = threads or default_threads()
        self._parallel = parallel
        self._supervisor = Supervisor(self._command, backoff)

    def start(self) -> None:
        """Start the model in the background."""
        self._supervisor.start()

    async def base_url(self) -> str:
        """``http://127.0.0.1:PORT/v1``: at once while the model runs, else after it has started
        (0.5 to 2 s, or as long as downloading the weights takes).
        Raises UpstreamUnreachable with the remedy."""
        return f"{await self._supervisor.ready()}/v1"

    async def close(self) -> None:
        """Stop the model and wait until it has exited, at most two seconds."""
        await self._supervisor.close()

    @property
    def pid(self) -> int | None:
        """The id of the model's process while it runs."""
        return self._supervisor.pid

    async def _command(self, port: int) -> Sequence[str]:
        from headway.local.weights import MODEL  # most servers never start a model

        if importlib.util.find_spec("xllamacpp") is None:
            raise unavailable("xllamacpp is not installed", INSTALL)
        return [
            sys.executable,
            "-P",  # do not import modules from the working directory
            str(LLAMA_SERVER),
            f"--model={await self._weights()}",
            f"--alias={MODEL}",
            f"--parent={os.getpid()}",
            f"--port={port}",
            f"--threads={self._threads}",
            f"--parallel={self._parallel}",
        ]

    async def _weights(self) -> Path:
        from headway.local import weights

        found = weights.locate(self._cache_dir)
        if found is not None:
            return found
        if self._cache_dir is None:
            reason = "this user has no home directory to download its weights to"
            raise unavailable(reason, "export XDG_CACHE_HOME=/a/directory")
        return await weights.fetch(self._cache_dir, self._progress)


def default_threads(cpu_max: Path = CPU_MAX) -> int:
    """One less than the cores that this process may use, from one to four.

    The threads wait for each other by spinning, several times a token, which is slow if they share
    cores: on two busy cores two threads made 2 to 6 tokens a second, one made 53 to 69; on two idle
    ones they made 113 and 81. The gateway itself needs a core, too.
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


def _write_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
