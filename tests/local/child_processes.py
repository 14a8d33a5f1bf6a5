"""Start and observe child processes in tests."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

FAKE_SERVER = Path(__file__).with_name("fake_server.py")


def fake_server(port: int, alias: str = "well") -> list[str]:
    options = [f"--alias={alias}", "--model=none", f"--parent={os.getpid()}", f"--port={port}"]
    return [sys.executable, str(FAKE_SERVER), *options]


def is_gone(pid: int) -> bool:
    """Also true of a zombie: where nobody adopts orphans, they stay in the table."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
