"""Says how long this interpreter takes for a fixed piece of work like the gateway's: microseconds,
the best of many runs, since other things run too. Fails where a module is missing that an
environment needs."""

import sqlite3  # noqa: F401 - some distributions package them apart
import ssl  # noqa: F401
import sys
import venv  # noqa: F401
from time import perf_counter_ns

RUNS = 150


class Box:
    __slots__ = ("parts", "size")

    def __init__(self) -> None:
        self.size = 0
        self.parts: dict[str, bytes] = {}

    def take(self, name: str, value: bytes) -> "Box":
        self.parts[name] = value
        self.size += len(value)
        return self


def work() -> int:
    total = 0
    for _ in range(500):
        box = Box().take("first", b"one").take("second", b"two")
        line = b"%b: %d\r\n" % (box.parts["first"], box.size)
        key, _, rest = line.partition(b": ")
        if key.startswith(b"one") and rest not in (b"", b"0"):
            total += box.size
    return total


def timed() -> int:
    start = perf_counter_ns()
    work()
    return perf_counter_ns() - start


sys.stdout.write(f"{min(timed() for _ in range(RUNS)) // 1000}\n")
