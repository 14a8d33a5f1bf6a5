"""A ``Record`` as a row of numbers and short texts, and back: what all databases share.

What many records have in common is kept once and referred to by a number: their *profile* (what
logs are filtered by), their *terms* (what else is of few kinds), user, tags, session and
parameters. ``keys_of`` gives the six keys of a record; a database finds their numbers, and
``encode_rows`` makes the row. Times are microseconds (the gateway's own time: nanoseconds), amounts
picodollars (``headway.ledger.money``), so a record comes back rounded to these.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate, compress
from operator import attrgetter, sub
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from headway.ledger.ids import pack_id, pack_ids, pack_prefixed_id, unpack_id
from headway.ledger.money import format_usd, join_usd, parse_usd
from headway.record import LineItem, Record

PROFILE_FIELDS = (
    "route", "dialect", "provider", "kind", "model", "deployment", "key_id", "outcome", "status",
    "is_last", "route_name", "cache",
)  # fmt: skip
FIRST_PROFILE_FIELDS = PROFILE_FIELDS[:10]
"""Those that the profiles of earlier versions have. A profile is kept without the values at its end
that are None, so that a record without a route has the profile that it always had."""
TERMS_FIELDS = (
    "v", "stream", "attempt", "attempts", "role", "error_type", "error_code", "finish_reason",
    "upstream_status", "tokens_source", "cost_source", "cost_unknown_reason", "price_source",
    "price_date", "content", "is_drained", "price_conditions", "item_prices",
)  # fmt: skip
"""``price_conditions`` and ``item_prices`` are tuples of pairs: name and value, and what is billed
and its price."""
PLAIN_TERMS = len(TERMS_FIELDS) - 2
TOKEN_FIELDS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cache_write_1h_tokens", "reasoning_tokens",
)  # fmt: skip
TIME_FIELDS = (
    "latency_s", "time_to_first_byte_s", "time_to_first_token_s", "time_to_sent_s",
    "inter_token_latency_s", "inter_token_latency_p50_s", "inter_token_latency_p95_s",
    "inter_token_latency_max_s",
)  # fmt: skip
SIZE_FIELDS = (
    "content_events", "request_bytes", "response_bytes", "upstream_request_bytes",
    "upstream_response_bytes",
)  # fmt: skip
RARE_FIELDS = (
    "error_message", "transformations", "native_path", "input_audio_tokens", "input_image_tokens",
    "input_video_tokens", "cache_read_audio_tokens", "cache_read_image_tokens",
    "output_audio_tokens", "output_image_tokens", "output_video_tokens", "citation_tokens",
    "web_searches", "file_searches", "audio_seconds", "input_characters", "search_units",
    "decision", "provider_key", "saved_usd", "shadow_of", "connect_s",
)  # fmt: skip

COLUMNS = (
    "time_us", "id", "request_id", "call_id", "profile", "terms", "user", "tags", "session",
    "parameters", "duration_us", *TOKEN_FIELDS, "cost_pd", "cost_rest", "computed_pd",
    "computed_rest", "quantities",
    "latency_us", "first_byte_us", "first_token_us", "sent_us", "gap_mean_us", "gap_p50_us",
    "gap_p95_us", "gap_max_us", "overhead_ns", *SIZE_FIELDS, "gaps", "upstream_request_id",
    "reply_id", "more",
)  # fmt: skip
"""Of a row of ``encode_rows``, in this order.

- ``time_us``: Unix microseconds at the end of the attempt; ``duration_us``: since the start.
- ``id``, ``request_id``, ``call_id``: as ``pack_id`` gives them; ``call_id`` is None where it is
  ``id``.
- ``profile``, ``terms``, ``user``, ``tags``, ``session``, ``parameters``: numbers, or None.
- ``cost_pd``, ``cost_rest``: as ``parse_usd`` gives them; ``computed_*`` of ``cost_computed_usd``.
- ``quantities``: of the line items, whose kinds and prices are ``item_prices`` of the terms.
- ``gaps``: ``pack_gaps``; ``more``: JSON of the ``RARE_FIELDS`` that have a value.
"""

Row = tuple[Any, ...]
Key = Any
"""Hashable; as JSON it is the same again."""


class Keys(NamedTuple):
    """What a record has in common with others; None where it has nothing."""

    profile: tuple[Any, ...]
    """The values of ``PROFILE_FIELDS``, as ``trim_profile`` gives them."""
    terms: tuple[Any, ...]
    """The values of ``TERMS_FIELDS``."""
    user: str | None
    tags: tuple[str, ...] | None
    session: str | None
    parameters: str | None
    """JSON."""


_IS_LAST = PROFILE_FIELDS.index("is_last")
_plain_kind_of = attrgetter(*PROFILE_FIELDS, *TERMS_FIELDS[:PLAIN_TERMS])
_rare_of = attrgetter(*RARE_FIELDS)
_RARE_DEFAULTS = tuple(() if name == "transformations" else None for name in RARE_FIELDS)
_NO_COST: tuple[int | None, str | None] = None, None
_encode = msgspec.json.Encoder().encode
_decode_parameters = msgspec.json.Decoder(dict[str, Raw]).decode

Kind = tuple[Any, ...]
"""What the profile and the terms of a record are made of."""


def kind_of(record: Record) -> Kind:
    """Records of the same kind have the same profile and terms."""
    conditions, items = record.price_conditions, record.line_items
    plain = _plain_kind_of(record)
    if record.role == "shadow":  # it ends no call of a client
        plain = (*plain[:_IS_LAST], False, *plain[_IS_LAST + 1 :])
    return (
        plain,
        tuple(sorted(conditions.items())) if conditions else (),
        tuple([(item.kind, item.unit_price_usd) for item in items]) if items else (),
    )


def ends_call(record: Record) -> bool:
    """Whether the record is that of the last attempt of a call of a client. A copy is none."""
    return record.is_last and record.role != "shadow"


def split_kind(kind: Kind) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Profile and terms, as in ``Keys``."""
    plain, conditions, prices = kind
    at = len(PROFILE_FIELDS)
    return trim_profile(plain[:at]), (*plain[at:], conditions, prices)


def trim_profile(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a profile: ``values`` of ``PROFILE_FIELDS`` without what earlier versions did not
    have, where that is None."""
    end = len(values)
    while end > len(FIRST_PROFILE_FIELDS) and values[end - 1] is None:
        end -= 1
    return values[:end]


def pad_profile(key: Sequence[Any]) -> tuple[Any, ...]:
    """What ``trim_profile`` was given."""
    return (*key, *[None] * (len(PROFILE_FIELDS) - len(key)))


def parameters_of(record: Record) -> str | None:
    """As in ``Keys``."""
    parameters = record.parameters
    return _encode(parameters).decode() if parameters else None


def keys_of(record: Record) -> Keys:
    return Keys(
        *split_kind(kind_of(record)),
        record.user,
        record.tags or None,
        record.session_id,
        parameters_of(record),
    )


_stored_of = attrgetter(
    "timestamp", "started", "id", "request_id", "call_id", "line_items", "cost_usd",
    "cost_computed_usd", "upstream_request_id", "reply_id", "gateway_overhead_s", *TOKEN_FIELDS,
    *TIME_FIELDS, *SIZE_FIELDS,
)  # fmt: skip


def encode_rows(
    records: Sequence[Record],
    numbers: Sequence[Sequence[int | None]],
    gaps: Sequence[Gaps | None],
) -> list[Row]:
    """The values of ``COLUMNS``, of one or more records. ``numbers`` are those of their keys: a
    column for each of ``Keys``. ``gaps`` is what ``gaps_of`` gives."""
    (
        timestamps, started, ids, request_ids, call_ids, items, costs, computed, upstream_ids,
        reply_ids, overheads, *counts,
    ) = zip(*map(_stored_of, records), strict=True)  # fmt: skip
    tokens, counts = counts[: len(TOKEN_FIELDS)], counts[len(TOKEN_FIELDS) :]
    times, sizes = counts[: len(TIME_FIELDS)], counts[len(TIME_FIELDS) :]
    columns = (
        [round(time * 1e6) for time in timestamps],
        pack_ids(ids),
        pack_ids(request_ids),
        [
            None if call_id == id_ or not call_id else pack_id(call_id)
            for call_id, id_ in zip(call_ids, ids, strict=True)
        ],
        *numbers,
        [round((end - start) * 1e6) for end, start in zip(timestamps, started, strict=True)],
        *tokens,
        *_split_costs(costs),
        *_split_costs(computed),
        [" ".join([item.quantity for item in each]) if each else None for each in items],
        *[[None if time is None else round(time * 1e6) for time in column] for column in times],
        [None if time is None else round(time * 1e9) for time in overheads],
        *sizes,
        [None if each is None else pack_gaps(each) for each in gaps],
        [None if each is None else pack_prefixed_id(each) for each in upstream_ids],
        [None if each is None else pack_id(each) for each in reply_ids],
        [None if rare == _RARE_DEFAULTS else _encode_rare(rare) for rare in map(_rare_of, records)],
    )
    return list(zip(*columns, strict=True))


def _split_costs(texts: Sequence[str | None]) -> Sequence[Sequence[Any]]:
    """Columns of ``_split_cost``."""
    if not any(texts):
        return [None] * len(texts), [None] * len(texts)
    return list(zip(*map(_split_cost, texts), strict=True))


def _split_cost(text: str | None) -> tuple[int | None, str | None]:
    """Unknown where it is no number, so that one strange line does not stop all others."""
    if text is None:
        return _NO_COST
    try:
        return parse_usd(text)
    except ValueError:
        return _NO_COST


def _encode_rare(rare: tuple[Any, ...]) -> str:
    return _encode(
        {name: value for name, value in zip(RARE_FIELDS, rare, strict=True) if value}
    ).decode()


LARGEST = 10**15
"""Of a count that no provider can mean: sums of it stay within 64 bits."""
LARGEST_CODE = 2**31 - 1
"""Of a number that is one of few, such as a status."""
LONGEST_S = 1e6
"""Eleven days, in nanoseconds as many as ``LARGEST``."""
LATEST_S = 1e12
"""Of a time."""
_CODES = ("v", "attempt", "attempts", "status", "upstream_status")


def fit_record(record: Record) -> Record:
    """``record`` with numbers that databases can hold: one that says nonsense is stored, too."""
    fitted: dict[str, Any] = {}
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if type(value) is int:
            limit = LARGEST_CODE if name in _CODES else LARGEST
            fitted[name] = max(-limit, min(value, limit))
        elif type(value) is float:
            longest = LATEST_S if name in ("timestamp", "started") else LONGEST_S
            fitted[name] = max(-longest, min(value, longest))
    if any(abs(number) > LARGEST_CODE for column in gaps_of(record) or () for number in column):
        fitted["gap_counts"] = ()
    return replace(record, **fitted)


class Texts(NamedTuple):
    """What the numbers of a row stand for: as ``Keys``."""

    profile: Sequence[Any]
    terms: Sequence[Any]
    user: str | None
    tags: Sequence[str] | None
    session: str | None
    parameters: str | None


def decode_row(row: Sequence[Any], texts: Texts) -> Record:
    """The record of the values of ``COLUMNS``."""
    named = dict(zip(COLUMNS, row, strict=True))
    timestamp, id_, call_id = named["time_us"] / 1e6, unpack_id(named["id"]), named["call_id"]
    fields: dict[str, Any] = dict(zip(PROFILE_FIELDS, pad_profile(texts.profile), strict=True))
    fields.update(zip(TERMS_FIELDS, texts.terms, strict=True))
    fields["is_last"] = fields["is_last"] or fields["role"] == "shadow"
    for name in (*TOKEN_FIELDS, *SIZE_FIELDS):
        fields[name] = named[name]
    at = COLUMNS.index("latency_us")
    for name, micros in zip(TIME_FIELDS, row[at : at + len(TIME_FIELDS)], strict=True):
        fields[name] = None if micros is None else micros / 1e6
    prices = fields.pop("item_prices")
    more = named["more"]
    if more is not None:
        fields.update(msgspec.json.decode(more))
        fields["transformations"] = tuple(fields.get("transformations", ()))
    latency, output, overhead = fields["latency_s"], fields["output_tokens"], named["overhead_ns"]
    return Record(
        **{
            **fields,
            "id": id_,
            "request_id": unpack_id(named["request_id"]),
            "call_id": id_ if call_id is None else unpack_id(call_id),
            "timestamp": timestamp,
            "started": (named["time_us"] - named["duration_us"]) / 1e6,
            "user": texts.user,
            "tags": tuple(texts.tags or ()),
            "session_id": texts.session,
            "parameters": _decode_parameters(texts.parameters) if texts.parameters else {},
            "price_conditions": dict(fields["price_conditions"]),
            "line_items": _decode_items(prices, named["quantities"]),
            "cost_usd": _decode_usd(named["cost_pd"], named["cost_rest"]),
            "cost_computed_usd": _decode_usd(named["computed_pd"], named["computed_rest"]),
            "gateway_overhead_s": None if overhead is None else overhead / 1e9,
            "tokens_per_second": output / latency if latency and output is not None else None,
            "gap_counts": _decode_gaps(named["gaps"]),
            "upstream_request_id": _decode_id(named["upstream_request_id"]),
            "reply_id": _decode_id(named["reply_id"]),
        }
    )


def round_record(record: Record) -> Record:
    """``record`` as databases give it back."""
    keys = keys_of(record)
    (row,) = encode_rows([record], [[None]] * len(keys), [gaps_of(record)])
    return decode_row(row, Texts(*keys))


def _decode_id(packed: bytes | str | None) -> str | None:
    return None if packed is None else unpack_id(packed)


def _decode_gaps(packed: bytes | None) -> tuple[tuple[int, int], ...]:
    return tuple(zip(*unpack_gaps(packed), strict=True)) if packed else ()


def _decode_usd(picodollars: int | None, rest: str | None) -> str | None:
    return None if picodollars is None else format_usd(join_usd(picodollars, rest))


def _decode_items(prices: Sequence[Sequence[str]], quantities: str | None) -> tuple[LineItem, ...]:
    if quantities is None:
        return ()
    pairs = zip(prices, quantities.split(" "), strict=True)
    return tuple([LineItem(kind, quantity, price) for (kind, price), quantity in pairs])


# --- Histograms -----------------------------------------------------------------------------------

_PLAIN, _SMALL, _BYTES, _WORDS = b"\0", b"\1", b"\2", b"\3"
_IS_LARGE = bytes(16) + b"\1" * 240


Gaps = tuple[Sequence[int], Sequence[int]]
"""A histogram of gaps: buckets, in order, and their counts."""


def gaps_of(record: Record) -> Gaps | None:
    """None where there are none. Raises ValueError and msgspec.DecodeError for JSON that has no
    pairs of integers."""
    pairs: Any = record.gap_counts
    if type(pairs) is Raw:
        if len(pairs) <= 2:
            return None
        numbers = _decode_numbers(b"[%b]" % bytes(pairs).translate(None, b"[]"))
        if len(numbers) % 2:
            raise ValueError("`gap_counts` must have pairs of a bucket and a count")
        return numbers[::2], numbers[1::2]
    return tuple(zip(*pairs, strict=True)) if pairs else None  # type: ignore[return-value]


_decode_numbers = msgspec.json.Decoder(list[int]).decode


def pack_gaps(gaps: Gaps) -> bytes:
    """The first byte tells the form:

    - small: the first bucket in two bytes, then one byte a pair: the step from the bucket before
      and the count, both up to 15; a larger step begins with steps of 15 without a count;
    - bytes and words: the first bucket in two bytes, the steps in one byte each, and the counts in
      one or two bytes each;
    - plain: MessagePack, for what fits into no other form, such as negative counts.
    """
    buckets, counts = gaps
    try:
        first: bytes = (buckets[0] + 1).to_bytes(2, "big")
        steps = bytes(map(sub, buckets[1:], buckets))
        highest = max(counts)
        if highest > 255:
            return _WORDS + first + steps + struct.pack(f"<{len(counts)}H", *counts)
        if highest > 15:
            return _BYTES + first + steps + bytes(counts)
        return _SMALL + first + _pack_small(b"\0" + steps, bytes(counts))
    except (OverflowError, ValueError, struct.error):
        pairs = list(zip(buckets, counts, strict=True))
        return _PLAIN + msgspec.msgpack.encode(pairs)


def pack_histogram(counts: Mapping[int, int]) -> bytes:
    """``pack_gaps`` of bucket -> count."""
    buckets = sorted(counts)
    return pack_gaps((buckets, [counts[bucket] for bucket in buckets]))


def _pack_small(steps: bytes, counts: bytes) -> bytes:
    large, start = steps.translate(_IS_LARGE), 0
    while (at := large.find(1, start)) >= 0:
        more, rest = divmod(steps[at] - 1, 15)
        steps = b"%b%b%c%b" % (steps[:at], b"\x0f" * more, rest + 1, steps[at + 1 :])
        counts = counts[:at] + bytes(more) + counts[at:]
        large = steps.translate(_IS_LARGE)
        start = at + more
    joined = int.from_bytes(steps, "big") << 4 | int.from_bytes(counts, "big")
    return joined.to_bytes(len(counts), "big")


def unpack_gaps(packed: bytes) -> Gaps:
    """What ``pack_gaps`` was given."""
    form = packed[:1]
    if form == _PLAIN:
        pairs = msgspec.msgpack.decode(packed[1:], type=list[tuple[int, int]])
        return [bucket for bucket, _ in pairs], [count for _, count in pairs]
    bucket = int.from_bytes(packed[1:3], "big") - 1
    if form == _SMALL:
        return _unpack_small(bucket, packed[3:])
    size = 1 if form == _BYTES else 2
    length = (len(packed) - 2) // (size + 1)
    counts: Sequence[int] = packed[2 + length :]
    if form == _WORDS:
        counts = struct.unpack(f"<{length}H", packed[2 + length :])
    return list(accumulate(packed[3 : 2 + length], initial=bucket)), counts


def _unpack_small(bucket: int, packed: bytes) -> Gaps:
    counts = packed.translate(_COUNTS)
    buckets = list(accumulate(packed.translate(_STEPS), initial=bucket))[1:]
    if 0 in counts:  # of large steps
        return list(compress(buckets, counts)), counts.replace(b"\0", b"")
    return buckets, counts


_STEPS = bytes(byte >> 4 for byte in range(256))
_COUNTS = bytes(byte & 15 for byte in range(256))
"""What a byte of the small form has of a pair."""


def decode_profile(text: str | bytes) -> tuple[Any, ...]:
    """The values of ``PROFILE_FIELDS``, from the key of a profile as JSON."""
    return pad_profile(decode_key(text))


def decode_key(text: str | bytes) -> Any:
    """A key from its JSON."""
    return _freeze(msgspec.json.decode(text))


def encode_key(key: Key) -> str:
    """JSON, by which a database finds the number of a key."""
    return _encode(key).decode()


def _freeze(value: Any) -> Any:
    return tuple([_freeze(each) for each in value]) if isinstance(value, list) else value
