"""Defects that are put into the gateway on purpose, to show that the simulator finds each.

    make simulate ARGS=--mutations

Each entry replaces one function for as long as it is active. A name that does not exist any more
is an error, so that the table follows the code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from msgspec.structs import replace

from headway.pipeline import accounting, attempt, call, call_records, dispatch, sending
from headway.pipeline import drain as drains
from headway.response_accumulator import ResponseAccumulator
from headway.routing import retry
from simulation.run import run_seed

MOST_SEEDS = 600
"""A defect that is not found in so many schedules is not found."""

Replace = Callable[[Any], Any]
"""The original -> what replaces it."""


class Mutation(NamedTuple):
    title: str
    changes: list[tuple[Any, str, Replace]]
    """Owner, name and replacement."""


def _nothing(original: Any) -> Any:
    return lambda *args, **options: None


def _before(act: Callable[..., None]) -> Replace:
    """Call ``act`` with the same arguments first."""

    def replace(original: Any) -> Any:
        @functools.wraps(original)
        def changed(*args: Any, **options: Any) -> Any:
            act(*args, **options)
            return original(*args, **options)

        return changed

    return replace


def _twice(original: Any) -> Any:
    def changed(*args: Any, **options: Any) -> Any:
        original(*args, **options)
        return original(*args, **options)

    return changed


# --- The table ------------------------------------------------------------------------------------


def _lose_request(self: Any, *rest: Any) -> None:
    self.upstream_request = None


def _deny_commit(self: Any, attempt: Any) -> None:
    attempt.is_committed = False


def _without_failures(original: Any) -> Any:
    def changed(owner: Any, made: Any, result: Any, error: Any, is_last: bool = True) -> None:
        if is_last:
            original(owner, made, result, error, is_last)

    return changed


def _always_last(original: Any) -> Any:
    def changed(*args: Any, **options: Any) -> Any:
        return original(*args, **{**options, "is_last": True})

    return changed


def _one_more(original: Any) -> Any:
    def changed(error: Any, at: Any, jitter: float) -> Any:
        fewer = replace(at, attempts=at.attempts - 1, failures=at.failures - 1)
        return original(error, fewer, jitter)

    return changed


def _try_anything(original: Any) -> Any:
    def changed(error: Any, at: Any, jitter: float) -> Any:
        return retry.Decision("same", 0.1) if at.failures <= at.retries else retry.GIVE_UP

    return changed


def _at_once(original: Any) -> Any:
    return lambda *args: replace(original(*args), delay_s=0.0)


async def _uncounted(gateway: Any, made: Any, result: Any, *rest: Any) -> Any:
    return result


def _double_output(original: Any) -> Any:
    def changed(facts: Any, result: Any, *rest: Any, **options: Any) -> Any:
        usage = result.usage
        if usage.output_tokens:
            usage = accounting.replace(usage, output_tokens=2 * usage.output_tokens)
        return original(facts, accounting.replace(result, usage=usage), *rest, **options)

    return changed


def _end_early(self: Any, pieces: list[bytes]) -> None:
    self.sink.end(b"")


def _swap_providers(original: Any) -> Any:
    """Write what one response says to the client of another."""
    sinks: list[Any] = []

    def changed(*args: Any, **options: Any) -> Any:
        made = original(*args, **options)
        sinks.append(made)
        if len(sinks) % 5 == 0 and not sinks[-2].is_over and sinks[-2].encoder is not None:
            made._sink = sinks[-2]._sink
        return made

    return changed


MUTATIONS = [
    Mutation(
        "a client that leaves is not noticed", [(call.GatewayCall, "_on_client_gone", _nothing)]
    ),
    Mutation(
        "a cancelled response is not closed",
        [(attempt.Attempt, "_end_with_error", _before(_lose_request))],
    ),
    Mutation(
        "a stream that broke after content is tried again",
        [(call.GatewayCall, "_finish_or_follow", _before(_deny_commit))],
    ),
    Mutation("a failed attempt has no record", [(dispatch, "record_failure", _without_failures)]),
    Mutation("a record is written twice", [(call_records, "_write", _twice)]),
    Mutation(
        "every record is the last of its call", [(accounting, "attempt_record", _always_last)]
    ),
    Mutation("one attempt more than allowed", [(dispatch, "decide_next", _one_more)]),
    Mutation("a refused request is sent again", [(dispatch, "decide_next", _try_anything)]),
    Mutation(
        "nothing is tried again",
        [(dispatch, "decide_next", lambda original: lambda *args: retry.GIVE_UP)],
    ),
    Mutation("Retry-After is not obeyed", [(dispatch, "decide_next", _at_once)]),
    Mutation(
        "tokens that were not reported are not counted",
        [(call, "count_whole", lambda original: _uncounted)],
    ),
    Mutation(
        "tokens of a broken stream are not estimated",
        [(call, "count_part", lambda original: _uncounted)],
    ),
    Mutation("output tokens are billed twice", [(accounting, "attempt_record", _double_output)]),
    Mutation(
        "the end of a stream is not sent", [(call.GatewayCall, "_end_stream", lambda o: _end_early)]
    ),
    Mutation("a call that is over stays active", [(call.GatewayCall, "_close", _nothing)]),
    Mutation(
        "a stream that broke off counts as complete",
        [(ResponseAccumulator, "is_finished", lambda original: property(lambda self: True))],
    ),
    Mutation(
        "a response without its client is read without a limit",
        [(drains.Drain, "_is_at_limit", lambda original: lambda self: False)],
    ),
    Mutation(
        "a shutdown ends no call",
        [(call.GatewayCall, "abort", _nothing)],
    ),
    Mutation(
        "the status on record is the error's own",
        [(call_records, "_status_of", lambda original: lambda call, error: error.status)],
    ),
    Mutation("content goes to another client", [(sending, "new_attempt", _swap_providers)]),
]


@contextmanager
def active(mutation: Mutation) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, change in mutation.changes:
            original = owner.__dict__[name]
            setattr(owner, name, change(original))
            stack.callback(setattr, owner, name, original)
        yield


def find(mutation: Mutation, first: int = 0, most: int = MOST_SEEDS) -> tuple[int, str] | None:
    """The first seed that shows the defect, and how. None: none does."""
    with active(mutation):
        for seed in range(first, first + most):
            problems = run_seed(seed)[1]
            if problems:
                return seed, problems[0]
    return None
