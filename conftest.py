"""A test that lacks a service (a browser, a database) is skipped, and pytest's summary says so.
Where CI is set, such a skip is a failure. Absent recordings are never one: they are not part of the
repository (tests/support/recordings.py)."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on how busy the machine is, so no example has a deadline.
CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", CALM, max_examples=15)
settings.register_profile("thorough", CALM, max_examples=200)
settings.load_profile("quick")  # --hypothesis-profile=thorough for the other

ABSENT_RECORDINGS = "recordings are absent"
"""How the reason begins, as tests/support/recordings.py gives it."""

TESTS = Path(__file__).parent / "tests"
PURE = frozenset(
    [
        *("test_errors.py", "test_response_accumulator.py"),
        *("wire", "dialects", "providers", "policy", "routing", "metering"),
    ]
)
"""The tests of the pure packages."""
COMPARISONS = (
    "*_sdk.py",
    "*_recordings.py",
    "*_properties.py",
    "test_odd_types.py",
    "test_price_agreement.py",
)
"""Tests that hold many values against something else: SDKs, recordings, other packages, generated
values. Tables reach every line that they do, and tracing would double their time."""

WEB_PAGE = TESTS / "page"
"""They need a browser and what `make page-test` installs, and run if they are named."""

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        choices=("covering", "others"),
        help="the tests that reach every line of the pure packages, or all others",
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if collection_path == WEB_PAGE and not _is_named(collection_path, config):
        return True
    part = config.getoption("--part")
    if part is None or TESTS not in collection_path.parents:
        return None
    is_pure = collection_path.relative_to(TESTS).parts[0] in PURE
    if collection_path.is_dir():
        return True if part == "covering" and not is_pure else None
    name = collection_path.name
    covers = is_pure and not any(fnmatchcase(name, pattern) for pattern in COMPARISONS)
    return None if covers == (part == "covering") else True


def _is_named(path: Path, config: pytest.Config) -> bool:
    """Whether the command line names the path or something below it."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return any(path in (each, *each.parents) for each in named)


def pytest_configure() -> None:
    """Let tests interrupt the processes that they start. A shell starts background jobs with SIGINT
    ignored (POSIX, "Asynchronous Lists"), and every process below would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Look for no garbage while tests are collected, which would take half of the time, and keep
    what collecting made out of later collections: tests that count garbage collect often, and each
    collection would go through all modules and tests."""
    gc.disable()
    found = yield
    gc.freeze()
    gc.enable()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return without_skip((yield))


def without_skip(report: Report) -> Report:
    if os.environ.get("CI") and report.skipped and not is_allowed(report):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which CI does not allow: {reason(report.longrepr)}"
    return report


def is_allowed(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return hasattr(report, "wasxfail") or reason(report.longrepr).startswith(ABSENT_RECORDINGS)


def reason(skip: Any) -> str:
    """The argument of ``pytest.skip``; pytest reports a skip as (path, line, "Skipped: reason")."""
    text = str(skip[2]) if isinstance(skip, tuple) else str(skip)
    return text.removeprefix("Skipped: ")
