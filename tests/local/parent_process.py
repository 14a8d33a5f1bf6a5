"""A parent process to be killed: runs one child under the given event loop, and waits.

usage: parent_process.py (asyncio|uvloop) (fake|model); prints the child's process id.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from headway.local.launcher import LocalModel
from headway.local.supervisor import Supervisor

sys.path.append(str(Path(__file__).parent))
from child_processes import fake_server


async def command(port: int) -> Sequence[str]:
    return fake_server(port)


async def run(kind: str) -> None:
    model, supervisor = LocalModel(Path("/nonexistent")), Supervisor(command)
    if kind == "model":
        await model.base_url()
    else:
        await supervisor.ready()
    sys.stdout.write(f"{model.pid or supervisor.pid}\n")
    sys.stdout.flush()
    await asyncio.sleep(60)


loop, kind = sys.argv[1:]
with asyncio.Runner(loop_factory=uvloop.new_event_loop if loop == "uvloop" else None) as runner:
    runner.run(run(kind))
