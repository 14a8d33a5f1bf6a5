"""What the gateway writes to its spool, one line of JSON each: the ``Record`` of an attempt, the
``Content`` of a call where it is kept, and the ``Feedback`` that a client sends later.

A record contains no prompt, no output and no key. Rules: None is unknown, never 0; fields are only
added, and ``v`` changes when the meaning of a field does. docs/ledger.md is generated from these
structs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from headway.metering.line_items import LineItem as LineItem

VERSION = 1

Outcome = Literal["ok", "error", "cancelled", "refused"]
"""Completed; failed; the client disconnected, or another attempt answered first; refused before any
request to a provider."""

TokensSource = Literal["reported", "counted", "estimated"]


CostSource = Literal["provider", "computed"]

AttemptRole = Literal["first", "retry", "fallback", "hedge", "shadow"]
"""Why an attempt was made."""

CacheStatus = Literal["hit", "miss", "coalesced", "bypass"]
"""Answered from the cache; not in it; answered with an identical request in flight; not looked for.
"""

ContentMode = Literal["off", "hash", "full"]
"""What is kept of the messages: nothing, their hashes, or all."""


class Record(Struct, gc=False):
    """One attempt, or one request that was refused before any attempt. Units: seconds, tokens,
    bytes, US dollars. ``pipeline/accounting.py`` creates it, with the fields in this order."""

    id: str
    """UUID of this record. Storing a record twice has no effect."""
    request_id: str
    """Id of the client's request, which all its attempts share: its `x-request-id`, or a UUID."""
    timestamp: float
    """Unix seconds at the end of the attempt."""
    started: float
    """Unix seconds when the client's request had been read completely."""
    route: str
    """Path template of the route, as in the API documentation."""
    dialect: str
    """The wire format of the client, such as `engine` or `openai_chat`."""
    outcome: Outcome
    """`ok`, `error`, `cancelled` (the client disconnected, or another attempt beside this one
    answered first) or `refused` (no request was sent to a provider)."""
    v: int = 1
    """Version of this shape."""

    attempt: int = 1
    """Number of this attempt, from 1; 0 if the request was refused before any attempt."""
    attempts: int = 1
    """Number of attempts so far, including this one."""
    provider: str | None = None
    """The configured name."""
    kind: str | None = None
    """The kind of that provider."""
    model: str | None = None
    """The requested model."""
    deployment: str | None = None
    """The provider's exact name of the model that it used."""
    stream: bool | None = None
    """Whether the client requested a stream."""
    session_id: str | None = None
    """The session id that the client sent."""
    key_id: str | None = None
    """Id of the gateway key: the first eight hex digits of its SHA-256, or `anonymous`."""

    status: int | None = None
    """HTTP status of the reply. A stream that failed later keeps its 200."""
    error_type: str | None = None
    """The stable type, as in the reply's `error.type`."""
    error_code: str | None = None
    """The provider's code, or the gateway's, such as `idle_timeout`."""
    error_message: str | None = None
    """The message that was sent to the client."""
    finish_reason: str | None = None
    """Finish reason of the first choice."""
    upstream_status: int | None = None
    """HTTP status of the provider's response."""
    upstream_request_id: str | None = None
    """The provider's id of the request, to quote to its support."""
    transformations: tuple[str, ...] = ()
    """Transformations of the request for the provider, one line each."""

    input_tokens: int | None = None
    """Including cache reads and writes."""
    output_tokens: int | None = None
    """Including reasoning."""
    cache_read_tokens: int | None = None
    """The part of `input_tokens` read from a cache."""
    cache_write_tokens: int | None = None
    """The part of `input_tokens` written to a cache, for any time to live."""
    cache_write_1h_tokens: int | None = None
    """The part of `cache_write_tokens` written for one hour."""
    reasoning_tokens: int | None = None
    """The part of `output_tokens` that was reasoning."""
    input_audio_tokens: int | None = None
    """The part of `input_tokens` that was audio."""
    input_image_tokens: int | None = None
    """The part of `input_tokens` that was images, and documents read as images."""
    input_video_tokens: int | None = None
    """The part of `input_tokens` that was video."""
    cache_read_audio_tokens: int | None = None
    """The part of `cache_read_tokens` that was audio."""
    cache_read_image_tokens: int | None = None
    """The part of `cache_read_tokens` that was images."""
    output_audio_tokens: int | None = None
    """The part of `output_tokens` that was audio."""
    output_image_tokens: int | None = None
    """The part of `output_tokens` that was images."""
    output_video_tokens: int | None = None
    """The part of `output_tokens` that was video."""
    citation_tokens: int | None = None
    """Tokens of cited sources, billed in addition to the input and the output."""
    web_searches: int | None = None
    """Searches of the web by the provider, as it counts them for billing."""
    file_searches: int | None = None
    """Searches of stored files by the provider."""
    tokens_source: TokensSource | None = None
    """`reported` by the provider, `counted` by the gateway from the complete response, or
    `estimated` from a part of it."""
    cost_usd: str | None = None
    """Exact decimal number of US dollars."""
    cost_source: CostSource | None = None
    """`provider` where the provider reported `cost_usd`, else `computed`."""
    cost_computed_usd: str | None = None
    """The gateway's own computation, where the provider reported `cost_usd`."""
    cost_unknown_reason: str | None = None
    """Why the gateway could not compute the cost."""
    price_conditions: Mapping[str, str] = {}
    """Conditions of the call under which another price than the standard one applies, such as
    `service_tier`, `speed` or `region`."""
    price_source: str | None = None
    """Source of the price: the price data with its version, or `configured`."""
    price_date: str | None = None
    """ISO date of the price."""

    latency_s: float | None = None
    """From `started` to the last byte of the provider's response."""
    time_to_first_byte_s: float | None = None
    """From `started` to the headers of the provider's response."""
    time_to_first_token_s: float | None = None
    """From `started` to the first content event."""
    time_to_sent_s: float | None = None
    """From `started` to the last byte of the request to the provider."""
    inter_token_latency_s: float | None = None
    """Mean gap between consecutive content events."""
    inter_token_latency_p50_s: float | None = None
    """Median gap."""
    inter_token_latency_p95_s: float | None = None
    """95th percentile of the gaps."""
    inter_token_latency_max_s: float | None = None
    """Longest gap."""
    tokens_per_second: float | None = None
    """`output_tokens / latency_s`."""
    gateway_overhead_s: float | None = None
    """Time that the gateway itself used, without waiting for the provider."""
    content_events: int | None = None
    """Number of content events."""

    request_bytes: int | None = None
    """Size of the client's request body."""
    response_bytes: int | None = None
    """Size of the body sent to the client."""
    upstream_request_bytes: int | None = None
    """Size of the body sent to the provider."""
    upstream_response_bytes: int | None = None
    """Size of the body received from the provider."""
    native_path: str | None = None
    """Method and path of a request that was passed through as it is, without its query."""

    audio_seconds: float | None = None
    """Seconds of audio, where the provider bills those."""
    input_characters: int | None = None
    """Characters of the text to speak."""
    search_units: int | None = None
    """Units of reranking, as the provider counts them for billing."""

    call_id: str = ""
    """Id of the call, which all its attempts share: the `id` of the reply, and of the first
    record."""
    is_last: bool = True
    """No attempt follows: the call ended with this one."""
    role: AttemptRole = "first"
    """Why the attempt was made: `first`, `retry`, `fallback` (another target), `hedge` (beside a
    slow one) or `shadow` (a copy whose answer no client sees)."""
    user: str | None = None
    """The end user that the client named, by `user` or its dialect's equivalent."""
    tags: tuple[str, ...] = ()
    """The tags that the client gave, by `x-headway-tags` or `metadata`: `name:value` or a word."""
    parameters: Mapping[str, Raw] = {}
    """The generation parameters of the request that are numbers, booleans or short words."""
    line_items: tuple[LineItem, ...] = ()
    """The lines of the gateway's own computation of the cost: their products add up to it."""
    gap_counts: tuple[tuple[int, int], ...] = ()
    """A histogram of the gaps between content events: pairs of bucket and count, as
    `metering.histogram` numbers the buckets."""
    content: ContentMode = "off"
    """What is kept of the messages."""
    is_drained: bool = False
    """The client disconnected, and the rest of the response was read for its usage."""
    reply_id: str | None = None
    """The `id` of the reply, where it is the provider's. Otherwise it is `call_id`, which clients
    of Anthropic's and OpenAI's Responses API get without hyphens behind `msg_` and `resp_`."""

    route_name: str | None = None
    """The configured route that the model of the request named."""
    decision: str | None = None
    """How the targets of the call were chosen, as a JSON object: the strategy, the targets in their
    order, and those that were passed over, with the reason."""
    provider_key: str | None = None
    """Which of the provider's keys was used, by its number in the configuration, from 1; null where
    it has one."""
    cache: CacheStatus | None = None
    """`hit`, `miss`, `coalesced` (answered together with an identical request) or `bypass`, where a
    cache is configured."""
    saved_usd: str | None = None
    """What the answer would have cost without the cache: an exact decimal number of US dollars."""
    shadow_of: str | None = None
    """The `call_id` of the call that this one is a copy of."""
    connect_s: float | None = None
    """Time until the request was sent, from when it was ready, where no connection was free at
    once: waiting for one, opening it (name, TCP, TLS), and writing a long body."""


class SpooledRecord(Record, gc=False, omit_defaults=True):
    """A record as it is encoded for the spool: without the fields that have their default, which
    is half of its bytes."""


class ShippedRecord(Record, gc=False):
    """A record as the shipper reads it from the spool."""

    gap_counts: Raw = Raw(b"[]")  # type: ignore[assignment]
    """JSON: ``headway.ledger.rows.gaps_of`` reads it in a third of the time that tuples take."""


class Content(Struct, frozen=True, kw_only=True, tag_field="entry", tag="content"):
    """The messages of one call, where they are kept."""

    call_id: str
    """As in its record."""
    timestamp: float
    """Unix seconds."""
    key_id: str | None = None
    """As in its record."""
    wire: str
    """The wire format of ``messages``, such as ``openai_chat`` or ``anthropic_messages``."""
    mode: ContentMode = "full"
    messages: Raw
    """A JSON array of the request's messages (or input items), as the client sent them; with
    ``mode: hash`` an array of the messages' SHA-256 as hex digits."""
    output: Raw
    """A JSON array of the messages of the reply in OpenAI's chat format, one for each choice; with
    ``mode: hash`` an array of hashes."""
    parameters: Mapping[str, Raw] = {}
    """The other fields of the request: tools, system prompts outside of the messages, sampling."""
    response: Raw = Raw(b"null")
    """The whole reply in the client's format, where a route gives it out again (stored
    responses)."""
    aliases: tuple[str, ...] = ()
    """Further ids by which the reply, or an item of it, is asked for: those that a provider gave
    it. ``Store.conversation`` finds it by each of them."""


class Feedback(Struct, frozen=True, kw_only=True, tag_field="entry", tag="feedback"):
    """What somebody thinks of a reply."""

    id: str
    """UUID of this feedback. Storing it twice has no effect."""
    call_id: str
    """The id of the reply."""
    timestamp: float
    """Unix seconds."""
    key_id: str | None = None
    """Id of the gateway key that sent it."""
    score: float | None = None
    label: str | None = None
    comment: str | None = None


Entry = Record | Content | Feedback

ID_PREFIXES = {"anthropic_messages": "msg_", "openai_responses": "resp_"}
"""Dialect -> what the gateway's own ids of replies begin with."""


def reply_id_of(record: Record) -> str:
    """The ``id`` of the reply as its client got it, or would have got it."""
    if record.reply_id is not None:
        return record.reply_id
    call_id = record.call_id or record.id
    prefix = ID_PREFIXES.get(record.dialect)
    return call_id if prefix is None else prefix + call_id.replace("-", "")


def call_id_in(reply_id: str) -> str | None:
    """The id of the call that the gateway made ``reply_id`` of; None where it did not."""
    start, separator, digits = reply_id.rpartition("_")
    if start + separator not in ID_PREFIXES.values() or not _is_hex(digits):
        return None
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_is_hex = re.compile("[0-9a-f]{32}").fullmatch
_MARK = b'{"entry":'
"""The beginning of every line that is no record."""
_decode_other = msgspec.json.Decoder(Content | Feedback).decode
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_decode = msgspec.json.Decoder(Record).decode
_decode_shipped = msgspec.json.Decoder(ShippedRecord).decode


def encode(entry: Entry) -> bytes:
    """Encode as one line of JSON, with its newline. JSON escapes line breaks within texts; those
    between the values of a ``Raw`` become spaces."""
    line = _encode(entry)
    if line.find(b"\n") >= 0 or line.find(b"\r") >= 0:  # ``in`` takes ten times as long
        line = line.replace(b"\n", b" ").replace(b"\r", b" ")
    return line + b"\n"


def encode_record(record: Record) -> bytes:
    """As ``encode``, for a record whose ``parameters`` are short words and numbers, in which no
    line break can be."""
    return _encode_lines((record,))


def decode(line: bytes) -> Record:
    """Decode a line. Fields of later versions are ignored. Raises msgspec.DecodeError for an
    incomplete line."""
    return _decode(line)


def decode_entry(line: bytes) -> Entry:
    """Decode a line of any kind. Raises msgspec.DecodeError for an incomplete line."""
    return _decode_other(line) if line.startswith(_MARK) else _decode(line)


def decode_shipped(line: bytes) -> Entry:
    """As ``decode_entry``, for what is only stored."""
    return _decode_other(line) if line.startswith(_MARK) else _decode_shipped(line)
