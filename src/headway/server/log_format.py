"""The lines of the log, as text or as JSON. A line is one line, whatever is logged: characters that
end a line or control a terminal are escaped.

    2025-11-29T08:42:00.123Z WARNING request failed request_id=72f3 provider=openai status=502
    {"ts": "2025-11-29T08:42:00.123Z", "level": "warning", "msg": "request failed", ...}

Only tracebacks have several lines in text, each indented.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

INDENT = "    "
_BARE = re.compile(r"[!#-<>-~]+")
"""A value without quotes: visible ASCII, but neither ``"`` nor ``=``."""
SYSTEM_ERRORS = (OSError, ImportError)
"""Exceptions whose messages are about the machine. Those of others may quote a request."""

Render = Callable[[float, str, str, Mapping[str, Any], list[str]], str]
"""(unix seconds, level in capitals, message, fields, lines of a traceback) -> a line without its
end."""


def render_text(
    at: float, level: str, message: str, fields: Mapping[str, Any], trace: list[str]
) -> str:
    parts = [_timestamp(at), level, _escaped(message)]
    parts += [f"{name}={_value(value)}" for name, value in fields.items()]
    lines = [" ".join(parts), *(INDENT + _escaped(line) for line in trace)]
    return "\n".join(lines)


def render_json(
    at: float, level: str, message: str, fields: Mapping[str, Any], trace: list[str]
) -> str:
    """In ASCII, so that no tool takes another character for the end of the line."""
    line = {"ts": _timestamp(at), "level": level.lower(), "msg": message, **fields}
    if trace:
        line["exception"] = "\n".join(trace)
    return json.dumps(line, default=str)


FORMATS: Mapping[str, Render] = {"text": render_text, "json": render_json}


class LineFormatter(logging.Formatter):
    """Formats records whose ``fields``, if they have any, are a mapping. ``shows_messages`` shows
    the messages of all exceptions."""

    def __init__(self, render: Render, *, shows_messages: bool) -> None:
        super().__init__()
        self._render = render
        self._shows_messages = shows_messages

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        trace = [] if error is None else list(self._trace(error))
        fields = getattr(record, "fields", {})
        return self._render(record.created, record.levelname, record.getMessage(), fields, trace)

    def _trace(self, error: BaseException) -> Iterator[str]:
        """The lines of a traceback, those of the causes first."""
        chain = [error]
        while (cause := _cause(chain[-1])) is not None and cause not in chain:
            chain.append(cause)
        for each in reversed(chain):
            yield "Traceback (most recent call last):"
            for frame in traceback.format_tb(each.__traceback__):
                yield from frame.splitlines()
            name = type(each).__qualname__
            is_public = self._shows_messages or isinstance(each, SYSTEM_ERRORS)
            yield f"{name}: {each}" if is_public and str(each) else name


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _timestamp(at: float) -> str:
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(at: int) -> str:
    """A busy server logs many lines in a second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, bool):
        return json.dumps(value)
    text = str(value)
    return text if _BARE.fullmatch(text) else json.dumps(text)


def _escaped(text: str) -> str:
    """Without line ends and control characters of any script (RFC 5424 leaves them to the
    application)."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
