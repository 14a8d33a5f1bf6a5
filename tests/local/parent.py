"""A parent to be killed: runs one child under the event loop that is asked for, and waits.

usage: parent.py (asyncio|uvloop) (standin|model) [leak]; prints the child's process id.
"""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import uvloop

from headway.local.launcher import LocalModel
from headway.local.supervisor import Supervisor

sys.path.append(str(Path(__file__).parent))
from processes import standin


async def run(kind: str, leak: bool) -> None:
    model = LocalModel(Path("/nonexistent")) if kind == "model" else None
    supervisor = Supervisor(standin)
    if model is not None:
        await model.base_url()
    else:
        await asyncio.wrap_future(supervisor.ready())
    if leak:
        hold_every_pipe()
    tell(model.pid if model is not None else supervisor.pid)
    await asyncio.sleep(60)


def hold_every_pipe() -> None:
    """Another child that keeps our end of the pipe open, as a forked worker would."""
    pipes = [fd for fd in range(3, 64) if is_pipe(fd)]
    tell(subprocess.Popen(["sleep", "20"], pass_fds=pipes).pid)


def is_pipe(fd: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(fd).st_mode)
    except OSError:
        return False


def tell(pid: int | None) -> None:
    sys.stdout.write(f"{pid}\n")
    sys.stdout.flush()


loop, kind, *rest = sys.argv[1:]
runner = asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None)
with runner:
    runner.run(run(kind, bool(rest)))
