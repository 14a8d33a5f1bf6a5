"""Set up the log of the server: everything goes to stderr, as ``server.log`` says."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

from headway.config import Log
from headway.server.http.access_log import AccessEntry, AccessLog
from headway.server.log_format import FORMATS, LineFormatter

LEVELS: Mapping[str, int] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class StderrHandler(logging.Handler):
    """Writes each record to stderr, in one piece, so that lines of several processes do not mix."""

    def emit(self, record: logging.LogRecord) -> None:
        write_stderr(self.format(record) + "\n")


def configure(settings: Log) -> None:
    """Log as ``settings`` say from now on. Loggers of other packages are logged from ``warning``
    on."""
    level = LEVELS[settings.level]
    is_debug = level == logging.DEBUG
    root = logging.getLogger()
    handlers = [each for each in root.handlers if isinstance(each, StderrHandler)]
    if not handlers:
        handlers = [StderrHandler()]
        root.addHandler(handlers[0])
    handlers[0].setFormatter(LineFormatter(FORMATS[settings.format], shows_messages=is_debug))
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("headway").setLevel(level)


def new_access_log(settings: Log) -> AccessLog | None:
    """None if requests are not to be logged. ``settings.level`` does not matter."""
    if not settings.access:
        return None
    render = FORMATS[settings.format]

    def write(entry: AccessEntry) -> None:
        fields = {
            "method": entry.method,
            "path": entry.path,
            "status": entry.status,
            "duration_s": round(time.perf_counter() - entry.began, 6),
            "request_id": entry.request_id or "",
            "bytes": entry.size,
        }
        write_stderr(render(time.time(), "INFO", "access", fields, []) + "\n")

    return write


def announce(settings: Log, lines: Iterable[tuple[str, str]]) -> None:
    """Write lines about the server's start, each with its level, whatever ``settings.level`` is. In
    text they have no time, because people read them in a terminal."""
    if settings.format == "text":
        written = [f"warning: {text}" if level == "WARNING" else text for level, text in lines]
    else:
        render, now = FORMATS[settings.format], time.time()
        written = [render(now, level, text, {}, []) for level, text in lines]
    write_stderr("".join(line + "\n" for line in written))


def write_stderr(text: str) -> None:
    """A server does not stop because nobody can read what it says (a full disk, a closed pipe)."""
    with suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
