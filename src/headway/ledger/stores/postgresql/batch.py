"""Records on their way into the database: their rows, and what these add to the sums."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from headway.ledger.content_chain import search_words
from headway.ledger.cubes import Address, Sums
from headway.ledger.ids import unpack_id
from headway.ledger.money import join_usd, split_usd, sum_usd
from headway.ledger.rows import COLUMNS, LARGEST, Row, encode_rows, gaps_of
from headway.ledger.stores.postgresql.ids import clean, key_of_packed, pack_texts
from headway.ledger.stores.postgresql.kinds import KnownKind
from headway.ledger.stores.postgresql.schema import NARROW, RECORD_COLUMNS
from headway.ledger.usage_parts import contributions_of
from headway.record import Record

MAX_TIME_US = 250_000_000_000 * 10**6
"""In the year 9892: partitions are named by date."""
LONGEST_WORD = 200
CHUNK = 1000
"""Rows that are made, and then summed up while the database takes them."""
_PROFILE, _TERMS, _USER, _TAGS, _COST, _REST, _UPSTREAM_ID, _REPLY_ID = map(
    COLUMNS.index,
    ("profile", "terms", "user", "tags", "cost_pd", "cost_rest", "upstream_request_id",
     "reply_id"),
)  # fmt: skip
_DURATION, _OVERHEAD = map(COLUMNS.index, ("duration_us", "overhead_ns"))
_CALL_PD = RECORD_COLUMNS.index("call_pd")
_NARROW_AT = [COLUMNS.index(name) for name in NARROW]
_SUMMED_AT = [at for at in _NARROW_AT if at != _DURATION]
_LARGEST_NARROW = 2**31 - 1
_NO_EXTRAS = (None,) * (len(RECORD_COLUMNS) - len(COLUMNS))
sort_key = attrgetter("timestamp", "id")
"""The order of the primary key."""
Cost = tuple[int | None, str | None]
"""Picodollars and the rest, as ``headway.ledger.money`` splits amounts."""


class Batch:
    """Records that are stored together, in the order of their primary key, so that two gateways do
    not wait for each other in a circle."""

    def __init__(
        self,
        records: Sequence[Record],
        kinds: Sequence[KnownKind],
        names: Sequence[Sequence[int | None]],
    ) -> None:
        """``records`` are in the order of ``sort_key``; ``names`` are the numbers of their users,
        tags, sessions and parameters, in columns."""
        self.records = records
        self._gaps = list(map(gaps_of, records))
        self.rows: list[Row] = []
        """The values of ``RECORD_COLUMNS``, of the records for which they were made."""
        self.large: list[int] = []
        """The places of rows with numbers that do not fit into four bytes."""
        self.parts: list[tuple[Address, bytes]] = []
        """What is to be appended to the cells, once all rows were made."""
        self._kinds = kinds
        profiles, terms = [kind.profile for kind in kinds], [kind.terms for kind in kinds]
        self._numbers = [profiles, terms, *names]
        self._sums = Sums()
        self._early: dict[int, Row] = {}
        """Rows that were made first: those of calls with several attempts."""
        self._call_costs: dict[int, Cost] = {}
        """Of all attempts, by the place of the last one of a call with several."""
        self.several: dict[bytes, list[int]] = {}
        """Call -> the places of its attempts, where it has several."""
        self.incomplete: list[bytes] = []
        """Those of them of which some attempts are not in the batch."""
        self._add_up_calls()

    def narrow_rows(self) -> Iterator[Row]:
        """The values of ``NARROW_COLUMNS``, of all rows but ``large``. Rows that were not made yet
        are made, and summed up while the database takes them."""
        large = set(self.large)
        yield from [row for at, row in enumerate(self.rows) if at not in large]
        if len(self.rows) == len(self.records):
            return
        while (start := len(self.rows)) < len(self.records):
            made = self._make_rows(start, min(start + CHUNK, len(self.records)))
            self.rows += made
            yield from made if not self.large else self._without_large(start)
            self._contribute(range(start, len(self.rows)))
        self.parts = list(self._sums.parts())

    def _without_large(self, start: int) -> list[Row]:
        large = set(self.large)
        return [self.rows[at] for at in range(start, len(self.rows)) if at not in large]

    def sum_up(self, chosen: Sequence[int]) -> None:
        """Have the sums of some of the rows in ``parts``."""
        self._sums = Sums()
        self._contribute(chosen)
        self.parts = list(self._sums.parts())

    def separate(self) -> None:
        """Make all rows, find those with large numbers, and take from texts what PostgreSQL
        refuses. Raises OverflowError where a number is larger than any that means something."""
        self.rows += self._make_rows(len(self.rows), len(self.records))
        self.rows = [tuple(map(_clean, row)) for row in self.rows]
        self.large = [at for at, row in enumerate(self.rows) if not _is_narrow(row)]
        for at in self.large:
            if any(abs(self.rows[at][place] or 0) > LARGEST for place in _SUMMED_AT):
                raise OverflowError("a number is too large for a database")
        self.sum_up(range(len(self.rows)))

    def _make_rows(self, start: int, stop: int) -> list[Row]:
        rows = []
        early, records, call_costs = self._early, self.records, self._call_costs
        for at, plain in enumerate(self._encode(range(start, stop)), start):
            record = records[at]
            row = early.get(at)
            if row is None:
                row = plain + _NO_EXTRAS if _is_fit(plain) else _fit_ids(plain)
            if row[_DURATION] > _LARGEST_NARROW or (row[_OVERHEAD] or 0) > _LARGEST_NARROW:
                self.large.append(at)
            if record.error_message:
                row = _replace(row, len(COLUMNS), *_error_of(record.error_message))
            if at in call_costs:
                row = _replace(row, _CALL_PD, *call_costs[at])
            rows.append(row)
        return rows

    def _encode(self, chosen: Sequence[int]) -> list[Row]:
        if not chosen:
            return []
        records, gaps = [self.records[at] for at in chosen], [self._gaps[at] for at in chosen]
        numbers = [[column[at] for at in chosen] for column in self._numbers]
        return encode_rows(records, numbers, gaps)

    def _add_up_calls(self) -> None:
        """Find the calls with several attempts, and what those in the batch cost together."""
        several = self.several
        several.clear()
        early = [
            at
            for at, record in enumerate(self.records)
            if not record.is_last or (record.call_id and record.call_id != record.id)
        ]
        for at, plain in zip(early, self._encode(early), strict=True):
            row = self._early[at] = _fit_ids(plain)
            several.setdefault(row[3] or row[1], []).append(at)
        self.incomplete = []
        for call, places in several.items():
            costs = {self._early[at][:2]: self._early[at][_COST : _REST + 1] for at in places}
            last = next((at for at in reversed(places) if self.records[at].is_last), None)
            if last is None or len(costs) < self.records[last].attempts:
                self.incomplete.append(call)
            if last is not None and len(costs) > 1:
                self._call_costs[last] = add_costs(costs.values())

    def _contribute(self, chosen: Sequence[int]) -> None:
        """Add what some of the rows add to the sums, and where."""
        rows = [self.rows[at] for at in chosen]
        if not rows:
            return
        kinds = [self._kinds[at] for at in chosen]
        places = [
            (row[0], kind.masked, row[_USER], row[_TAGS])
            for row, kind in zip(rows, kinds, strict=True)
        ]
        call_pds = [row[_COST] if row[_CALL_PD] is None else row[_CALL_PD] for row in rows]
        flags, gaps = [kind.flags for kind in kinds], [self._gaps[at] for at in chosen]
        self._sums.add(places, contributions_of(rows, flags, call_pds, gaps), gaps)


def _is_fit(row: Row) -> bool:
    """Whether ``row`` of ``encode_rows`` is as PostgreSQL keeps it: mostly."""
    return (
        type(row[1]) is type(row[2]) is bytes
        and type(row[3]) is not str
        and type(row[_UPSTREAM_ID]) is not str
        and type(row[_REPLY_ID]) is not bytes
        and 0 <= row[0] <= MAX_TIME_US
    )


def _fit_ids(row: Row) -> Row:
    """``row`` of ``encode_rows`` with the ids as PostgreSQL keeps them, and with the extra
    columns."""
    time, id_, request_id, call_id = row[:4]
    upstream_id, reply_id = row[_UPSTREAM_ID], row[_REPLY_ID]
    texts = pack_texts(id_, request_id, id_ if call_id is None else call_id)
    return (
        max(0, min(time, MAX_TIME_US)),
        key_of_packed(id_),
        key_of_packed(request_id),
        None if call_id is None else key_of_packed(call_id),
        *row[4:_UPSTREAM_ID],
        upstream_id if type(upstream_id) is bytes else None,
        unpack_id(reply_id) if type(reply_id) is bytes else reply_id,
        *row[_REPLY_ID + 1 :],
        None,
        None,
        texts,
        None,
        None,
        upstream_id if type(upstream_id) is str else None,
    )


def _replace(row: Row, at: int, *values: Any) -> Row:
    return (*row[:at], *values, *row[at + len(values) :])


def _is_narrow(row: Row) -> bool:
    return all(
        row[at] is None or -_LARGEST_NARROW <= row[at] <= _LARGEST_NARROW for at in _NARROW_AT
    )


def add_costs(costs: Iterable[Sequence[Any]]) -> Cost:
    """Of attempts, each as its picodollars and the rest; None where none is known."""
    known = [join_usd(picodollars, rest) for picodollars, rest in costs if picodollars is not None]
    return split_usd(sum_usd(known)) if known else (None, None)


def fit_time(timestamp: float) -> int:
    """Microseconds, within what can be stored."""
    return max(0, min(round(timestamp * 1e6), MAX_TIME_US))


def _error_of(message: str) -> tuple[str, list[str]]:
    """The message, and its words."""
    text = clean(message)
    return text, words_of(text)


def words_of(text: str) -> list[str]:
    """What an index of words holds. A longer word is none that anybody looks for."""
    return [word for word in search_words(text) if len(word) <= LONGEST_WORD]


def _clean(value: Any) -> Any:
    return clean(value) if type(value) is str else value
