"""What can go wrong on the command line, how it is told, and the exit code that it becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headway.sdk import ApiError

OK = 0
ANSWERED_WITH_ERROR = 1
MISTAKE = 2
UNREACHABLE = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells count
BROKEN_PIPE = 141  # 128 + SIGPIPE


class Problem(Exception):  # noqa: N818  it is told to the user, not debugged
    """Something to tell the user in words: what is wrong, and what to do about it."""

    def __init__(
        self, message: str, *, hint: str | None = None, details: str | None = None, code: int
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self.code = code


def mistake(message: str, hint: str | None = None) -> Problem:
    return Problem(message, hint=hint, code=MISTAKE)


def describe(error: Exception) -> Problem:
    """``error`` in words. What nobody foresaw is one line and the way to see more."""
    from headway.sdk import ApiError, Unreachable  # a server that starts needs none of it

    match error:
        case Problem():
            return error
        case Unreachable():
            return Problem(error.message, hint=START_ONE, code=UNREACHABLE)
        case ApiError():
            return Problem(error.message, details=_details(error), code=ANSWERED_WITH_ERROR)
        case _:
            text = f"{type(error).__name__}: {error}".rstrip(": ")
            return Problem(f"unexpected {text}", hint=SHOW_MORE, code=ANSWERED_WITH_ERROR)


START_ONE = (
    "start one with `headway serve` in another terminal,\n"
    "or name a running one with --url or HEADWAY_URL"
)
SHOW_MORE = "HEADWAY_DEBUG=1 shows where"


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
