"""What tests ask of processes, from /proc (proc(5), Linux).

A process may end at any moment, also between the opening of one of its files (FileNotFoundError
once it is gone) and the reading (ProcessLookupError). So every function answers for a process that
has ended, too: it is gone, and has no children, no command, no descriptors and no memory. A zombie,
which has ended and is not waited for, is such a process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ENDED = (FileNotFoundError, ProcessLookupError, PermissionError)
"""How /proc says that a process has ended: before its file is opened, before it is read, and as a
zombie, whose descriptors only root may list."""
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


def is_gone(pid: int) -> bool:
    """Whether it has ended. Where there is no /proc, a zombie is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = _read(pid, "stat")
    if not stat:
        return Path("/proc/self/stat").exists()
    return stat.rpartition(b")")[2].split()[0] in (b"Z", b"X")


def children(pid: int) -> list[int]:
    """Of all its threads, as a child belongs to the thread that started it. Sorted."""
    found: list[int] = []
    for thread in _list(pid, "task"):
        found += map(int, _read(pid, f"task/{thread.name}/children").split())
    return sorted(found)


def command(pid: int) -> bytes:
    """Its arguments, each ended by a null byte. Between fork and exec they are its parent's."""
    return _read(pid, "cmdline")


def is_shipper(pid: int) -> bool:
    """Whether it is the process that stores records."""
    return b"shipper_main" in command(pid)


def descriptors(pid: int) -> list[str]:
    """What each of its file descriptors refers to: a path, or like ``socket:[123]``."""
    return list(_targets(pid))


def _targets(pid: int) -> Iterator[str]:
    for descriptor in _list(pid, "fd"):
        try:
            yield str(descriptor.readlink())
        except ENDED:  # closed meanwhile
            continue


def resident_bytes(pid: int) -> int:
    """Its memory that is not swapped out."""
    statm = _read(pid, "statm").split()
    return int(statm[1]) * PAGE if statm else 0


def cpu_s(pid: int) -> float:
    """The CPU time that it used, without its children's."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except ENDED:
        return b""


def _list(pid: int, name: str) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/{name}").iterdir())
    except ENDED:
        return []
