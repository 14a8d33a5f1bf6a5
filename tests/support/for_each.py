"""Run a test for each row of a table, as one test: pytest spends milliseconds on every test, where
most cases need microseconds."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

SHOWN = 10
"""Failed cases whose exceptions are shown; the others are only named."""
Test = Callable[..., None]
Row = dict[str, Any]
"""Arguments of a test."""
Ids = Sequence[Any] | Callable[[Any], Any] | None


def for_each(
    names: str | Sequence[str], values: Iterable[Any], ids: Ids = None
) -> Callable[[Test], Test]:
    """Call the test for each of ``values``; all is given as to ``pytest.mark.parametrize``.

    Several tables are multiplied. All cases run, and share their fixtures. The test fails with a
    group of exceptions, whose message names each case that failed.
    """
    split = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    rows = [dict(zip(split, value if len(split) > 1 else [value], strict=True)) for value in values]
    assert rows, "a table without rows tests nothing"

    def decorate(test: Test) -> Test:
        signature = inspect.signature(test)
        kept = [each for each in signature.parameters.values() if each.name not in split]
        assert len(kept) + len(split) == len(signature.parameters), f"the test takes no {names}"
        if not hasattr(test, "tables"):
            test = run_all(test)
        test.tables.insert(0, [(row, name_of(row, at, ids)) for at, row in enumerate(rows)])
        test.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return test

    return decorate


def name_of(row: Row, at: int, ids: Ids) -> Callable[[], str]:
    """Made when a case fails, as values may be long."""
    if callable(ids):
        return lambda: "-".join(str(ids(value)) for value in row.values())
    if ids is not None:
        return lambda: str(ids[at])
    return lambda: ", ".join(f"{name}={value!r:.200}" for name, value in row.items())


def run_all(test: Test) -> Test:
    tables: list[list[tuple[Row, Callable[[], str]]]] = []

    @functools.wraps(test)
    def run(*positional: Any, **named: Any) -> None:
        fixtures = inspect.signature(run).bind(*positional, **named).arguments
        count, failed, errors = 0, [], []
        for parts in itertools.product(*tables):
            count += 1
            arguments = {name: value for row, _ in parts for name, value in row.items()}
            try:
                test(**arguments, **fixtures)
            except (Exception, pytest.fail.Exception) as error:
                failed.append(", ".join(name() for _, name in parts))
                error.add_note(f"Case: {failed[-1]}")
                errors.append(error)
        if errors:
            message = f"{len(failed)} of {count} cases failed: {'; '.join(failed)}"
            raise BaseExceptionGroup(message[:10_000], errors[:SHOWN])

    run.tables = tables  # type: ignore[attr-defined]
    return run
