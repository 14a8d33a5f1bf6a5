"""When a target may be used: conditions that are compiled once, and read a ``RoutedRequest``.

A value that a request lacks makes a condition false. None of them raises at a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from msgspec import Struct

from headway.routing.routed_request import RoutedRequest

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Check = Callable[[RoutedRequest], bool]


class Demand(Struct, frozen=True):
    """One row of a table."""

    text: str
    reads: str
    """The field of the request."""
    holds: Check


class TableCondition(Struct, frozen=True):
    """All of its demands must hold."""

    demands: tuple[Demand, ...]

    @property
    def text(self) -> str:
        return ", ".join(each.text for each in self.demands)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(each.reads for each in self.demands)

    def unmet(self, request: RoutedRequest) -> str | None:
        for each in self.demands:
            if not each.holds(request):
                return each.text
        return None


class Table(Struct, frozen=True, kw_only=True):
    """What a table demands; whatever is empty or None is not demanded."""

    header: Mapping[str, str] = {}
    """Name in lower case -> value, in which a star matches any text."""
    tags: tuple[str, ...] = ()
    """All of these."""
    key: tuple[str, ...] = ()
    """One of these ids."""
    user: tuple[str, ...] = ()
    """One of these, in which a star matches any text."""
    dialect: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """All of these."""
    lacks: tuple[str, ...] = ()
    """None of these."""
    min_tokens: int | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    hours: tuple[tuple[int, int], ...] = ()
    """Minutes of the day from and until; until the next day where the second is not later."""
    weekdays: tuple[int, ...] = ()
    """Monday is 0: the day on which the request comes, also for hours past midnight."""
    min_budget_left: float | None = None
    """US dollars."""


def compile_table(table: Table, zone: tzinfo = UTC) -> TableCondition:
    """``zone`` is that of hours and weekdays."""
    return TableCondition((*_demands_of_sender(table), *_demands_of_request(table, zone)))


def _demands_of_sender(table: Table) -> Iterable[Demand]:
    for name, value in table.header.items():
        yield Demand(f"header {name} is {value}", "headers", _header_matches(name, value))
    if table.tags:
        tags = frozenset(table.tags)
        yield Demand(f"tags {_list(tags)}", "tags", lambda request: tags.issubset(request.tags))
    if table.key:
        keys = frozenset(table.key)
        yield Demand(f"key {_any(table.key)}", "key_id", lambda request: request.key_id in keys)
    if table.user:
        users = _pattern(table.user)
        yield Demand(
            f"user {_any(table.user)}",
            "user",
            lambda request: users.fullmatch(request.user) is not None,
        )
    if table.dialect:
        names = frozenset(table.dialect)
        yield Demand(
            f"dialect {_any(table.dialect)}", "dialect", lambda request: request.dialect in names
        )


def _demands_of_request(table: Table, zone: tzinfo) -> Iterable[Demand]:
    if table.needs:
        needs = frozenset(table.needs)
        yield Demand(f"needs {_list(needs)}", "needs", lambda request: needs <= request.needs)
    if table.lacks:
        lacks = frozenset(table.lacks)
        yield Demand(
            f"lacks {_list(lacks)}", "needs", lambda request: lacks.isdisjoint(request.needs)
        )
    if (least := table.min_tokens) is not None:
        yield Demand(
            f"tokens >= {least}", "input_tokens", lambda request: request.input_tokens >= least
        )
    if (most := table.max_tokens) is not None:
        yield Demand(
            f"tokens <= {most}", "input_tokens", lambda request: request.input_tokens <= most
        )
    if (stream := table.stream) is not None:
        yield Demand(
            "a stream" if stream else "no stream", "stream", lambda each: each.stream is stream
        )
    if table.hours:
        hours = ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in table.hours)
        yield Demand(f"hours {hours}", "now", _is_within(table.hours, zone))
    if table.weekdays:
        days = frozenset(table.weekdays)
        names = [DAYS[day] for day in sorted(days)]
        yield Demand(
            f"weekdays {', '.join(names)}",
            "now",
            lambda each: _moment(each, zone).weekday() in days,
        )
    if (budget := table.min_budget_left) is not None:
        yield Demand(f"budget left >= {budget:g}", "budget_left_usd", _has_budget(budget))


def _header_matches(name: str, value: str) -> Check:
    pattern = _pattern([value])

    def holds(request: RoutedRequest) -> bool:
        given = request.headers.get(name)
        return given is not None and pattern.fullmatch(given) is not None

    return holds


def _is_within(hours: Sequence[tuple[int, int]], zone: tzinfo) -> Check:
    def holds(request: RoutedRequest) -> bool:
        moment = _moment(request, zone)
        minute = moment.hour * 60 + moment.minute
        return any(
            start <= minute < end if start < end else minute >= start or minute < end
            for start, end in hours
        )

    return holds


def _has_budget(least: float) -> Check:
    def holds(request: RoutedRequest) -> bool:
        return request.budget_left_usd is not None and request.budget_left_usd >= least

    return holds


def _moment(request: RoutedRequest, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(request.now, zone)


def _pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """One of ``texts``, in which a star matches any text."""
    parts = (".*".join(map(re.escape, text.split("*"))) for text in texts)
    return re.compile("|".join(parts), re.DOTALL)


def _list(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _any(names: Sequence[str]) -> str:
    return " or ".join(names)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
