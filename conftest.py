"""A test that lacks a service (a browser, a database) is skipped, and pytest's summary says so.
Where CI is set nothing may be left out: there a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is: no test is a stopwatch.
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return without_skip((yield))


def without_skip(report: Report) -> Report:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Left out, where nothing may be: {reason(report.longrepr)}"
    return report


def reason(skip: Any) -> str:
    """What ``pytest.skip`` was told; pytest reports a skip as (path, line, reason)."""
    return str(skip[2]) if isinstance(skip, tuple) else str(skip)
