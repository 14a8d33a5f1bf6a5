"""Errors of the command line: their messages on stderr and their exit codes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from headway.cli import terminal

if TYPE_CHECKING:
    from headway.sdk import ApiError

OK = 0
ERROR_REPLY = 1
USAGE_ERROR = 2
UNREACHABLE = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells count
BROKEN_PIPE = 141  # 128 + SIGPIPE


class CommandError(Exception):
    """An error with a message for the user: what is wrong, and what to do about it."""

    def __init__(
        self, message: str, *, hint: str | None = None, details: str | None = None, code: int
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self.code = code


def usage_error(message: str, hint: str | None = None) -> CommandError:
    return CommandError(message, hint=hint, code=USAGE_ERROR)


def describe(error: Exception) -> CommandError:
    """Convert ``error`` to a message. An unexpected error becomes one line, with a hint how to see
    its traceback."""
    from headway.sdk import ApiError, Unreachable  # not needed by a server that starts

    match error:
        case CommandError():
            return error
        case Unreachable():
            return CommandError(error.message, hint=START_HINT, code=UNREACHABLE)
        case ApiError():
            return CommandError(error.message, details=_details(error), code=ERROR_REPLY)
        case OSError() if error.filename is None:  # network errors became ApiError
            reason = error.strerror or str(error)
            return CommandError(f"the output cannot be written: {reason}", code=ERROR_REPLY)
        case _:
            text = f"{type(error).__name__}: {error}".rstrip(": ")
            return CommandError(f"unexpected {text}", hint=DEBUG_HINT, code=ERROR_REPLY)


START_HINT = (
    "start one with `headway serve` in another terminal,\n"
    "or name a running one with --url or HEADWAY_URL"
)
DEBUG_HINT = "HEADWAY_DEBUG=1 shows where"


def _details(error: ApiError) -> str:
    wait = error.retry_after_s
    parts = (
        error.provider,
        None if error.status is None else f"HTTP {error.status}",
        error.type,
        error.code,
        error.param and f"field {error.param}",
        None if wait is None else f"retry in {wait:g} s",
        error.request_id and f"request {error.request_id}",
    )
    return " · ".join(part for part in parts if part)


SILENT = (KeyboardInterrupt, BrokenPipeError)
"""Caused by the user, so without a message."""


def report(error: Exception | KeyboardInterrupt) -> int:
    """Write the message of ``error`` to stderr. Returns the exit code."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        terminal.abandon(sys.stdout, sys.stderr)
        return BROKEN_PIPE
    if isinstance(error, OSError):
        terminal.abandon(sys.stdout, sys.stderr)
    described = describe(error)
    terminal.write_error(described)
    return described.code
