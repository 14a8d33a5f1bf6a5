"""What is asked of the ledger, as text: the parameters of the HTTP routes and the options of the
commands, which have the same names and take the same values.

``read`` makes a ``Query`` of names and values; ``write_filter`` is its reverse. Anything wrong is a
RequestError that names the parameter and says what it takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import msgspec
from msgspec import Struct

from headway.errors import RequestError
from headway.ledger.store import (
    DEFAULT_LIMIT,
    FINE_TIMES,
    HISTOGRAM_METRICS,
    MAX_LIMIT,
    TIME_DIMENSIONS,
    Dimension,
    Filter,
)
from headway.record import AttemptRole, CacheStatus, Outcome, call_id_in

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]
"""Names and values, in the order in which they were given; names may be repeated."""
ExportFormat = Literal["csv", "jsonl", "parquet"]

MAX_VALUES = 100
"""Values of one parameter."""
MAX_LENGTH = 500
"""Characters of one value."""
MAX_FINE_S = 6 * 3600
"""The longest period by minutes."""
MAX_GROUPS = 4
"""Dimensions of one grouping."""
LAST_TIME = 253_402_300_799.0
"""Unix seconds of the end of the year 9999."""
MAX_NUMBER = 10**9
NO_CHARACTER = "contains a character that is none"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,30})?", re.ASCII)
_YEAR_OR_MONTH = re.compile(r"\d{4}(?:-\d\d)?", re.ASCII)
_SHORT_DATE = re.compile(r"(?:19|2\d)\d\d(?:\d{4})?", re.ASCII)
"""A year or a date without dashes: no time in seconds that anybody means."""
_STATUS = re.compile(r"([1-9])xx|(\d{3})(?:-(\d{3}))?", re.ASCII | re.IGNORECASE)
_SPACE_FOR_PLUS = re.compile(r" (\d\d:?\d\d)$", re.ASCII)
_CURSOR = re.compile(r"[A-Za-z0-9._~:+/=-]{1,300}", re.ASCII)
_SEPARATOR = re.compile(r"(?<!\\),")
OFF = ("0", "false", "no", "off")
ON = ("1", "true", "yes", "on")


class Parameter(NamedTuple):
    """What a parameter takes, for errors, help and the API's documentation."""

    takes: str
    meaning: str
    example: str


_TIME = "an ISO 8601 time (UTC if it names no zone), Unix seconds, or an age such as 24h or 7d"
_WORD = "a text; several, repeated or separated by commas, mean any of them"
_DOLLARS = "a number of US dollars, such as 0.25"
_DURATION = "a number of seconds, such as 1.5"
_DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
_OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_ROLES: tuple[AttemptRole, ...] = get_args(AttemptRole)
_CACHES: tuple[CacheStatus, ...] = get_args(CacheStatus)

FILTERS: Mapping[str, Parameter] = {
    "since": Parameter(_TIME, "Calls that ended at this time or later.", "24h"),
    "until": Parameter(_TIME, "Calls that ended before this time.", "2026-11-30"),
    "id": Parameter(_WORD, "Ids of replies, or the clients' request ids.", "trace-72f34d3b"),
    "provider": Parameter(_WORD, "Configured names of providers.", "azure-eu"),
    "model": Parameter(_WORD, "Models, requested or served.", "gpt-4.1"),
    "dialect": Parameter(_WORD, "Wire formats of the clients.", "openai_chat"),
    "key": Parameter(
        "the id of a gateway key: the first eight hex digits of its SHA-256, or anonymous",
        "Ids of gateway keys: the first eight hex digits of their SHA-256, or `anonymous`.",
        "2bb80d53",
    ),
    "session": Parameter(_WORD, "Ids of sessions.", "session-1"),
    "user": Parameter(_WORD, "End users that the clients named.", "user-7"),
    "tag": Parameter(_WORD, "Tags that the clients gave.", "team:search"),
    "outcome": Parameter(
        f"{', '.join(_OUTCOMES[:-1])} or {_OUTCOMES[-1]}", "How calls ended.", "error"
    ),
    "status": Parameter(
        "an HTTP status such as 200, a class such as 4xx, or a range such as 400-499",
        "HTTP statuses of the replies: `200`, `4xx`, `400-499`.",
        "4xx",
    ),
    "route": Parameter(_WORD, "Names of configured routes.", "smart"),
    "role": Parameter(
        f"{', '.join(_ROLES[:-1])} or {_ROLES[-1]}",
        "Why the last attempt was made, or in exports each attempt: `first`, `retry`, `fallback`, "
        "`hedge`, or `shadow` (copies, which are listed only where they are asked for).",
        "fallback",
    ),
    "cache": Parameter(f"{', '.join(_CACHES[:-1])} or {_CACHES[-1]}", "What the cache did.", "hit"),
    "min_cost": Parameter(_DOLLARS, "Calls that cost at least this, in US dollars.", "0.01"),
    "max_cost": Parameter(_DOLLARS, "Calls that cost at most this, in US dollars.", "1"),
    "min_latency": Parameter(_DURATION, "Calls that took at least this, in seconds.", "2"),
    "max_latency": Parameter(_DURATION, "Calls that took at most this, in seconds.", "30"),
    "text": Parameter(
        f"words, at most {MAX_LENGTH} characters",
        "Words that the messages (where they are kept) or the error contain.",
        "timeout",
    ),
}
OPTIONS: Mapping[str, Parameter] = {
    "limit": Parameter(
        f"a whole number from 1 to {MAX_LIMIT}",
        f"The most rows of a page, 1 to {MAX_LIMIT}; {DEFAULT_LIMIT} unless given.",
        "100",
    ),
    "cursor": Parameter(
        "the next_cursor of an earlier reply, with the same filters",
        "Where the page begins: the `next_cursor` of the one before.",
        "",
    ),
    "by": Parameter(
        f"names of {', '.join(_DIMENSIONS)}, separated by commas: at most {MAX_GROUPS}, and one of "
        f"{', '.join(TIME_DIMENSIONS)}",
        f"What to group by, separated by commas: {', '.join(f'`{name}`' for name in _DIMENSIONS)}.",
        "model,day",
    ),
    "metric": Parameter(
        f"names of {', '.join(HISTOGRAM_METRICS)}, separated by commas",
        "The metrics to give means and percentiles of; all unless given.",
        "latency_s",
    ),
    "compare": Parameter(
        "previous",
        "`previous` adds the period of the same length before `since`.",
        "previous",
    ),
    "format": Parameter(
        "csv, jsonl or parquet",
        "`csv` (one row a record, with a header), `jsonl` (one record a line) or `parquet`.",
        "csv",
    ),
    "follow": Parameter(
        "1 or 0",
        "`1`: the calls as they end, as server-sent events, until the client disconnects.",
        "1",
    ),
}
"""Parameters that are no filters. A route says which of them it takes."""


class Query(Struct, frozen=True, kw_only=True):
    """One question, read and checked."""

    where: Filter
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None
    by: tuple[Dimension, ...] = ()
    metrics: tuple[str, ...] = HISTOGRAM_METRICS
    compares: bool = False
    format: ExportFormat = "jsonl"
    follow: bool | None = None
    """None: not given."""


def read(
    pairs: Pairs,
    now: float,
    *,
    takes: Iterable[str] = (),
    filters: Iterable[str] = FILTERS,
    owner: str | None = None,
    default_limit: int = DEFAULT_LIMIT,
) -> Query:
    """The query of names and values. ``now`` is the Unix time that ages count from; ``takes`` are
    the names of ``OPTIONS`` that are allowed, ``filters`` those of ``FILTERS``; ``owner`` becomes
    ``Filter.owner``. A parameter without a value is as good as absent. Raises RequestError."""
    given = _collect(pairs, (*filters, *takes))
    where = _read_filter(given, now, owner)
    query = Query(where=where, limit=default_limit)
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "limit": ("limit", _limit),
        "cursor": ("cursor", _cursor),
        "compare": ("compares", _compares),
        "format": ("format", _format),
        "follow": ("follow", _switch),
    }
    changes: dict[str, Any] = {
        field: _one(given, name, reader)
        for name, (field, reader) in readers.items()
        if name in given
    }
    if "by" in given:
        changes["by"] = _by(_several(given, "by", _dimension))
        _check_steps(changes["by"], where, now)
    if "metric" in given:
        changes["metrics"] = tuple(dict.fromkeys(_several(given, "metric", _metric)))
    return msgspec.structs.replace(query, **changes)


def read_filter(pairs: Pairs, now: float, owner: str | None = None) -> Filter:
    """The filter of names and values. Raises RequestError."""
    return read(pairs, now, owner=owner).where


def check_text(name: str, value: str) -> str:
    """``value``, one text for ``name`` as it is. Raises RequestError."""
    if not value or len(value) > MAX_LENGTH:
        raise RequestError(f"`{name}` must have 1 to {MAX_LENGTH} characters.", param=name)
    if "\x00" in value or not _is_unicode(value):
        raise RequestError(f"`{name}` {NO_CHARACTER}.", param=name)
    return value


def write_filter(where: Filter) -> list[tuple[str, str]]:
    """Names and values that ``read_filter`` makes the same filter of; without the owner."""
    pairs: list[tuple[str, str]] = []
    for name, field in _TEXTS.items():
        pairs += [(name, value.replace(",", "\\,")) for value in getattr(where, field)]
    pairs += [("outcome", value) for value in where.outcomes]
    pairs += [("role", value) for value in where.roles]
    pairs += [("cache", value) for value in where.caches]
    pairs += [("status", f"{low:03}-{high:03}") for low, high in where.statuses]
    for name, value in (("since", where.since), ("until", where.until)):
        pairs += [(name, _plain(value))] if value is not None else []
    for name, (field, _) in _LIMITS.items():
        limit = getattr(where, field)
        pairs += [(name, _plain(limit))] if limit is not None else []
    return [*pairs, ("text", where.text)] if where.text else pairs


def previous_period(where: Filter, now: float) -> Filter:
    """The same calls in the period of the same length before. Raises RequestError without a
    beginning."""
    if where.since is None:
        raise RequestError("`compare` needs `since`: the beginning of the period.", param="since")
    end = now if where.until is None else where.until
    start = max(0.0, where.since - (end - where.since))
    return msgspec.structs.replace(where, since=start, until=where.since)


def read_time(text: str, now: float) -> float:
    """Unix seconds of an ISO time, of a number of Unix seconds, or of an age before ``now``. Raises
    ValueError."""
    if (age := _AGE.fullmatch(text)) is not None:
        return max(0.0, now - float(age[1]) * _SECONDS[age[2]])
    is_number = _NUMBER.fullmatch(text) and not _SHORT_DATE.fullmatch(text)
    seconds = float(text) if is_number else _iso_time(text)
    if not 0 <= seconds <= LAST_TIME:
        raise ValueError(text)
    return seconds


def _iso_time(text: str) -> float:
    """A plus that was not escaped in a query comes as a space. ``2026`` and ``2026-11`` are the
    beginning of that year and month."""
    if _YEAR_OR_MONTH.fullmatch(text):
        text = f"{text}-01-01"[:10]
    time = datetime.fromisoformat(_SPACE_FOR_PLUS.sub(r"+\1", text) if "T" in text else text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return time.timestamp()
    except OverflowError:
        raise ValueError(text) from None


# --- Reading one parameter ------------------------------------------------------------------------

_TEXTS = {
    "id": "ids",
    "provider": "providers",
    "model": "models",
    "dialect": "dialects",
    "key": "keys",
    "session": "sessions",
    "user": "users",
    "tag": "tags",
    "route": "routes",
}
"""Parameter -> the field of ``Filter`` with its texts."""


def _collect(pairs: Pairs, known: Sequence[str]) -> dict[str, list[str]]:
    """Values by name. Raises RequestError for an unknown name or a text that cannot be one."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in known:
            raise _unknown(name, known)
        if "\x00" in value or not _is_unicode(value):
            raise _wrong(name, NO_CHARACTER)
        if value.strip():
            given.setdefault(name, []).append(value)
    return given


def _is_unicode(value: str) -> bool:
    """False for halves of characters, as a terminal's bytes may give."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _unknown(name: str, known: Sequence[str]) -> RequestError:
    from difflib import get_close_matches  # needed for wrong names only

    quoted = name[:40].encode("utf-8", "replace").decode().replace("\x00", "")
    near = get_close_matches(quoted.lower(), known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(sorted(known))}."
    return RequestError(f"There is no parameter `{quoted}` here; {hint}", param=quoted)


def _wrong(name: str, problem: str = "is wrong") -> RequestError:
    """Never shows the value: somebody may send a key as ``key``."""
    takes = (FILTERS.get(name) or OPTIONS[name]).takes
    return RequestError(f"`{name}` {problem}: it takes {takes}.", param=name)


def _one(given: Mapping[str, list[str]], name: str, reader: Callable[[str], T]) -> T:
    """The only value of a parameter."""
    values = given[name]
    if len(values) > 1:
        raise _wrong(name, "was given twice")
    try:
        return reader(values[0].strip())
    except ValueError:
        raise _wrong(name) from None


def _several(
    given: Mapping[str, list[str]], name: str, reader: Callable[[str], T]
) -> tuple[T, ...]:
    """The values of a parameter, repeated or separated by commas. ``\\,`` is a comma."""
    parts = [part for value in given.get(name, ()) for part in _SEPARATOR.split(value)]
    parts = [part.strip().replace("\\,", ",") for part in parts]
    parts = [part for part in parts if part]
    if len(parts) > MAX_VALUES:
        raise _wrong(name, f"has more than {MAX_VALUES} values")
    try:
        return tuple(reader(part) for part in parts)
    except ValueError:
        raise _wrong(name) from None


def _read_filter(given: Mapping[str, list[str]], now: float, owner: str | None) -> Filter:
    fields: dict[str, Any] = {field: _several(given, n, _text) for n, field in _TEXTS.items()}
    fields["ids"] = tuple(dict.fromkeys(name for id_ in fields["ids"] for name in _names(id_)))
    fields["outcomes"] = _several(given, "outcome", _outcome)
    fields["statuses"] = _several(given, "status", _status)
    fields["roles"] = _several(given, "role", lambda text: _ROLES[_ROLES.index(text.lower())])
    fields["caches"] = _several(given, "cache", lambda text: _CACHES[_CACHES.index(text.lower())])
    for name in ("since", "until"):
        if name in given:
            fields[name] = _one(given, name, lambda text: read_time(text, now))
    for name, (field, reader) in _LIMITS.items():
        if name in given:
            fields[field] = _one(given, name, reader)
    if "text" in given:
        fields["text"] = _one(given, "text", _text)
    where = Filter(**fields, owner=owner)
    _check_order("since", where.since, "until", where.until, allows_equal=False)
    _check_order("min_cost", where.min_cost_usd, "max_cost", where.max_cost_usd)
    _check_order("min_latency", where.min_latency_s, "max_latency", where.max_latency_s)
    return where


def _names(reply_id: str) -> tuple[str, ...]:
    """A reply's id, and that of the call that it was made of."""
    call_id = call_id_in(reply_id)
    return (reply_id,) if call_id is None else (reply_id, call_id)


def _check_order(
    low: str,
    least: float | Decimal | None,
    high: str,
    most: float | Decimal | None,
    *,
    allows_equal: bool = True,
) -> None:
    if least is None or most is None or least < most or (allows_equal and least == most):
        return
    problem = "must not be above" if allows_equal else "must be before"
    raise RequestError(f"`{low}` {problem} `{high}`.", param=low)


def _text(value: str) -> str:
    if len(value) > MAX_LENGTH:
        raise ValueError
    return value


def _outcome(value: str) -> Outcome:
    return _OUTCOMES[_OUTCOMES.index(value.lower())]


def _status(value: str) -> tuple[int, int]:
    found = _STATUS.fullmatch(value)
    if found is None:
        raise ValueError
    if found[1]:
        return int(found[1]) * 100, int(found[1]) * 100 + 99
    low, high = int(found[2]), int(found[3] or found[2])
    if low > high:
        raise ValueError
    return low, high


def _dollars(value: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise ValueError
    amount = Decimal(value)
    if amount > MAX_NUMBER:
        raise ValueError
    return amount


def _seconds(value: str) -> float:
    return float(_dollars(value))


_LIMITS: Mapping[str, tuple[str, Callable[[str], Decimal | float]]] = {
    "min_cost": ("min_cost_usd", _dollars),
    "max_cost": ("max_cost_usd", _dollars),
    "min_latency": ("min_latency_s", _seconds),
    "max_latency": ("max_latency_s", _seconds),
}
"""Parameter -> the field of ``Filter`` with its number, and what reads that."""


def _plain(value: float | Decimal) -> str:
    """Without an exponent."""
    return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")


def _limit(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= MAX_LIMIT:
        raise ValueError
    return int(value)


def _cursor(value: str) -> str:
    if not _CURSOR.fullmatch(value):
        raise ValueError
    return value


def _compares(value: str) -> bool:
    if value != "previous":
        raise ValueError
    return True


def _format(value: str) -> ExportFormat:
    formats: tuple[ExportFormat, ...] = get_args(ExportFormat)
    return formats[formats.index(value.lower())]


def _switch(value: str) -> bool:
    if value.lower() not in (*ON, *OFF):
        raise ValueError
    return value.lower() in ON


def _dimension(value: str) -> Dimension:
    return _DIMENSIONS[_DIMENSIONS.index(value.lower())]


def _by(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    by = tuple(dict.fromkeys(dimensions))
    if len(by) > MAX_GROUPS or sum(each in TIME_DIMENSIONS for each in by) > 1:
        raise _wrong("by", "has too many names")
    return by


def _check_steps(by: Sequence[Dimension], where: Filter, now: float) -> None:
    """Raises RequestError for short times of a long period: they are added up from the records."""
    fine = next((name for name in by if name in FINE_TIMES), None)
    if fine is None:
        return
    end = now if where.until is None else where.until
    if where.since is None or end - where.since > MAX_FINE_S:
        message = f"`by` {fine} is for {MAX_FINE_S // 3600} hours at most: set `since`."
        raise RequestError(message, param="since")


def _metric(value: str) -> str:
    return HISTOGRAM_METRICS[HISTOGRAM_METRICS.index(value)]
