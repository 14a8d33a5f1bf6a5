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


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
