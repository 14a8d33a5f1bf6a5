"""The golden ledger: what providers report as usage, the lines of the bill, and dollars to the last
digit, through the adapters, the price book and the record.

The cases are the tables in ``golden/*.txt``, written by hand from what providers document of their
usage and prices, many from reports of users whose gateway had billed it wrongly. A case is

    ## What is to be billed, in words
    source: the report, or the page that says so
    call: KIND MODEL [answered=MODEL] [at=TIME] [base_url=URL] [region=...]
    usage: the provider's JSON     around which a response is made, whole and streamed; or
    body: JSON                     the whole response; or
    event: JSON                    an event of a stream, one a line; and
    more: JSON                     further members of the response beside the usage
      ITEM  QUANTITY  PRICE  AMOUNT        with the price for M (million) or K (thousand), or h(our)
      = TOTAL  HOW                         HOW: reported, counted, estimated; provider = TOTAL

in which every amount is quantity times price, and their sum is the total: a test multiplies again.
``!`` before a text is the reason why there is no cost.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from headway.dialects.base import ClientRequest, Dialect
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.dialects.openai.relayed import OpenAIRelayed
from headway.dialects.openai.rerank import Rerank
from headway.metering.configured_prices import ConfiguredPrice
from headway.metering.line_items import LineItem, amount_of
from headway.metering.prices import PriceBook, read_shipped_prices
from headway.providers import KINDS
from headway.record import Record
from support.for_each import for_each
from support.golden_responses import DONE, JSON, SSE, build, encode_events
from support.native_fakes import NativePipe
from support.pipeline_fakes import Pipe, in_loop

TABLES = sorted((Path(__file__).parent / "golden").glob("*.txt"))
DATE = datetime(2026, 11, 29, 12, tzinfo=UTC)
UNITS = {"M": Decimal(10**6), "K": Decimal(10**3), "h": Decimal(3600), "1": Decimal(1)}
OPTIONS = ("region", "project", "location", "api_version", "model_name")
LEAST = Decimal("1e-12")


class Row(NamedTuple):
    item: str
    quantity: Decimal
    price: Decimal
    per: str
    amount: Decimal

    @property
    def product(self) -> Decimal:
        return self.quantity * self.price / UNITS[self.per]


class Case(NamedTuple):
    title: str
    table: str
    kind: str
    model: str
    settings: dict[str, str]
    fields: dict[str, Any]
    events: list[Any]
    rows: list[Row]
    total: Decimal | None
    how: str
    unknown: str | None

    def __repr__(self) -> str:
        return f"{self.table}: {self.title}"


def read_table(path: Path) -> list[Case]:
    return [read_case(path.stem, part) for part in path.read_text().split("\n## ")[1:]]


def read_case(table: str, text: str) -> Case:
    title, *lines = [line for line in text.splitlines() if line.strip()]
    fields: dict[str, Any] = {}
    events, rows, total, how, unknown = [], list[Row](), None, "reported", None
    for line in lines:
        name, _, value = line.partition(": ")
        if line.startswith("  ! "):
            unknown = line[4:]
        elif line.startswith("  = "):
            amount, *rest = line[4:].split()
            total, how = Decimal(amount), rest[0] if rest else how
        elif line.startswith("  "):
            item, quantity, price, amount = line.split()
            dollars, _, per = price.partition("/")
            rows.append(Row(item, Decimal(quantity), Decimal(dollars), per, Decimal(amount)))
        elif name == "event":
            events.append(json.loads(value))
        else:
            fields[name] = value
    kind, model, *settings = fields.pop("call").split()
    options = dict(setting.split("=", 1) for setting in settings)
    return Case(title, table, kind, model, options, fields, events, rows, total, how, unknown)


CASES = [case for path in TABLES for case in read_table(path)]
STREAMED = [case for case in CASES if "usage" in case.fields]


def test_the_tables_have_at_least_eighty_cases_and_no_two_with_one_title() -> None:
    assert len(CASES) >= 80
    assert len({case.title for case in CASES}) == len(CASES)


@for_each("case", CASES)
def test_quantity_times_price_is_the_amount_and_all_amounts_are_the_total(case: Case) -> None:
    """Of the tables themselves, with plain arithmetic."""
    for row in case.rows:
        expected = row.product.quantize(LEAST) if row.per == "h" else row.product
        assert row.amount == expected, row
    if case.rows and case.how != "provider":
        assert sum(row.amount for row in case.rows) == case.total


def new_pipe(case: Case, pipe: Pipe) -> Pipe:
    settings = case.settings
    at = datetime.fromisoformat(settings["at"]) if "at" in settings else DATE
    prices = msgspec.json.decode(case.fields.get("prices", "{}"), type=dict[str, ConfiguredPrice])
    book = PriceBook.load(read_shipped_prices(), {"openai": prices}) if prices else BOOK
    options = {name: settings[name] for name in OPTIONS if name in settings}
    known = pipe.gateway.snapshot.upstreams["openai"]
    provider = KINDS[case.kind]
    base_url = settings.get("base_url", "https://provider.example/v1")
    upstream = replace(known, provider=provider, options=options, base_url=base_url)
    pipe.gateway.snapshot = replace(
        pipe.gateway.snapshot, prices=book, upstreams={"openai": upstream}
    )
    seconds = at.replace(tzinfo=UTC).timestamp()
    pipe.gateway.unix_time = lambda: seconds
    pipe.counts = (12, 3)
    return pipe


BOOK = PriceBook.load(read_shipped_prices())
ROUTES: dict[str, Dialect] = {
    "embeddings": OpenAIEmbeddings(),
    "rerank": Rerank(is_cohere=True),
    **{
        name: OpenAIRelayed(name, takes_forms=True, default_model="")
        for name in ("audio/speech", "audio/transcriptions", "images/generations")
    },
}


def ask(case: Case, is_streamed: bool) -> Pipe:
    route, pipe = case.settings.get("route"), new_pipe(case, Pipe())
    if route in ("native", "realtime"):
        return pass_through(case)
    if route is None:
        pipe.ask(model=case.model, is_stream=is_streamed)
    else:
        asked = {**json.loads(case.fields.get("asked", "{}")), "model": f"openai/{case.model}"}
        pipe.send(ClientRequest("", (), json.dumps(asked).encode()), ROUTES[route])
    return pipe


def pass_through(case: Case) -> Pipe:
    pipe = NativePipe()
    new_pipe(case, pipe)
    if case.settings["route"] == "realtime":
        query = f"model={case.model}"
        pipe.pass_through("/v1/realtime", method="GET", query=query, is_socket=True)
    else:
        asked = {**json.loads(case.fields["asked"]), "model": case.model}
        pipe.pass_through(case.settings["path"], json.dumps(asked).encode())
    return pipe


def hold_session(case: Case, pipe: Pipe) -> None:
    """Every event is a text message (RFC 6455, section 5.2)."""
    receiver: Any = pipe.upstream.receiver
    in_loop(partial(receiver.on_upgrade, [(b"upgrade", b"websocket")], pipe.clock()))
    for event in case.events:
        payload = json.dumps(event).encode()
        pipe.upstream.chunk(b"\x81\x7e" + len(payload).to_bytes(2, "big") + payload)


def respond(case: Case, pipe: Pipe, is_streamed: bool) -> None:
    more = json.loads(case.fields.get("more", "{}"))
    headers = [
        (name.encode(), value.encode())
        for name, value in json.loads(case.fields.get("headers", "{}")).items()
    ]
    if case.settings.get("route") == "realtime":
        hold_session(case, pipe)
        pipe.upstream.end()
        return
    if "body" in case.fields:
        content_type = case.settings.get("type", "application/json").encode()
        pipe.upstream.respond([(b"content-type", content_type), *headers])
        pipe.upstream.chunk(case.fields["body"].encode())
        pipe.upstream.end()
        return
    if case.events:
        pipe.upstream.respond(SSE)
        ending = b"" if "type" in case.events[0] or case.settings.get("ends") else DONE
        pipe.upstream.chunk(encode_events(case.events) + ending)
    else:
        answered = case.settings.get("answered", case.model)
        usage = json.loads(case.fields["usage"])
        whole, streamed, kind = build(KINDS[case.kind].wire, answered, usage, more)
        pipe.upstream.respond([*(kind if is_streamed else JSON), *headers])
        pipe.upstream.chunk(streamed if is_streamed else whole)
    if case.settings.get("ends") == "client":
        pipe.sink.leave()
    elif not pipe.upstream.is_over:
        pipe.upstream.end()


def check(case: Case, record: Record) -> None:
    if case.unknown is not None:
        assert (record.cost_usd, record.cost_unknown_reason) == (None, case.unknown)
        assert record.line_items == ()
        return
    assert [(line.kind, Decimal(line.quantity)) for line in record.line_items] == [
        (row.item, row.quantity) for row in case.rows
    ]
    for line, row in zip(record.line_items, case.rows, strict=True):
        check_price(line, row)
    assert record.cost_usd is not None, record.cost_unknown_reason
    assert Decimal(record.cost_usd) == case.total
    if case.how == "provider":
        assert record.cost_source == "provider"
        computed = record.cost_computed_usd
        total = None if computed is None else Decimal(computed)
        assert total == (sum(row.amount for row in case.rows) if case.rows else None)
    else:
        assert (record.cost_source, record.tokens_source or "reported") == ("computed", case.how)
        assert amount_of(record.line_items) == case.total


def check_price(line: LineItem, row: Row) -> None:
    price = Decimal(line.unit_price_usd)
    if row.per == "h":
        assert abs(price * 3600 - row.price) < Decimal("1e-18")
    else:
        assert price == row.price / UNITS[row.per]


@for_each("case", CASES)
def test_a_response_costs_what_the_table_says(case: Case) -> None:
    is_streamed = bool(case.events)
    pipe = ask(case, is_streamed)
    respond(case, pipe, is_streamed)
    (record,) = pipe.records
    check(case, record)


@for_each("case", STREAMED)
def test_a_stream_costs_what_the_table_says(case: Case) -> None:
    if "route" in case.settings or case.settings.get("whole"):
        return
    pipe = ask(case, True)
    respond(case, pipe, True)
    (record,) = pipe.records
    check(case, record)
