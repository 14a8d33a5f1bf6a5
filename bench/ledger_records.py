"""Records as a gateway of some size writes them: several models, keys, users, tags and sessions,
some failures, retries and fallbacks to another provider, over a month."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

from msgspec import Raw

from headway.metering.histogram import bucket_of
from headway.record import LineItem, Record

START = 1_790_000_000.0
"""Unix seconds of the first record, in September 2026."""
MONTH_S = 30 * 86400.0

MODELS = (
    ("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "0.0000004", "0.0000001", "0.0000016"),
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14", "0.000002", "0.0000005", "0.000008"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "0.000003", "0.0000003",
     "0.000015"),
    ("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", "0.000001", "0.0000001",
     "0.000005"),
    ("gemini", "gemini-2.5-flash", "gemini-2.5-flash", "0.0000003", "0.000000075", "0.0000025"),
    ("groq", "llama-3.3-70b-versatile", "llama-3.3-70b-versatile", "0.00000059", "0.00000059",
     "0.00000079"),
    ("mistral", "mistral-small-latest", "mistral-small-2506", "0.0000001", "0.0000001",
     "0.0000003"),
)  # fmt: skip
"""Provider, model, deployment, and the prices of input, cache reads and output."""
MODEL_WEIGHTS = (40, 12, 15, 10, 14, 6, 3)
DIALECTS = {"anthropic": ("anthropic_messages", "/v1/messages")}
KEYS, USERS, TAGS = 20, 500, 40
FAILURES = (
    (429, "rate_limited", "rate_limit_exceeded", "Rate limit reached for requests"),
    (503, "upstream_error", "overloaded_error", "Overloaded"),
    (504, "timeout", "idle_timeout", "the provider sent nothing for 60 s"),
    (400, "invalid_request", "context_length_exceeded", "This model's maximum context is 128000"),
)


def generate_records(count: int, seed: int = 0, span_s: float = MONTH_S) -> Iterator[Record]:
    """``count`` records, in the order of their times; the same for the same arguments."""
    return _Generator(count, seed, span_s).records()


class _Generator:
    def __init__(self, count: int, seed: int, span_s: float) -> None:
        self.count = count
        self.step_s = span_s / count
        self.random = random = Random(seed)  # noqa: S311
        self.key_weights = list(accumulate(1 / (at + 1) for at in range(KEYS)))
        self.user_weights = list(accumulate(1 / (at + 1) for at in range(USERS)))
        self.model_weights = list(accumulate(MODEL_WEIGHTS))
        self.tag_sets = [
            (f"team:{random.randrange(8)}", f"feature:{random.randrange(TAGS - 8)}")
            for _ in range(60)
        ]
        self.gaps = [self._gaps() for _ in range(300)]
        self.sessions: list[str] = []

    def records(self) -> Iterator[Record]:
        random, now, made = self.random, START, 0
        while made < self.count:
            now += random.expovariate(1 / self.step_s)
            chance = random.random()
            record = self._record(now)
            if chance < 0.02 and made + 1 < self.count:
                yield self._failed_attempt(record)
                made += 1
                record.attempt = record.attempts = 2
                record.id, record.role = self._uuid(), "retry" if chance < 0.015 else "fallback"
            elif chance < 0.04:
                self._fail(record)
            elif chance < 0.05:
                record.outcome, record.tokens_source = "cancelled", "estimated"
                record.status, record.finish_reason = 499, None
            yield record
            made += 1

    def _uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _gaps(self) -> tuple[tuple[tuple[int, int], ...], tuple[float, ...]]:
        """A histogram of gaps, and mean, median, 95th percentile and maximum in seconds."""
        events = int(min(2000, 5 + self.random.lognormvariate(4.5, 0.9)))
        gaps = sorted(self.random.gammavariate(4, 0.005) for _ in range(events))
        counts: dict[int, int] = {}
        for gap in gaps:
            counts[bucket_of(gap)] = counts.get(bucket_of(gap), 0) + 1
        summary = sum(gaps) / events, gaps[events // 2], gaps[int(events * 0.95)], gaps[-1]
        return tuple(sorted(counts.items())), summary

    def _session(self) -> str | None:
        chance = self.random.random()
        if chance < 0.4:
            return None
        if chance < 0.5 or not self.sessions:
            self.sessions.append(self._uuid())
            del self.sessions[:-200]
        return self.random.choice(self.sessions)

    def _record(self, now: float) -> Record:
        random = self.random
        user = random.choices(range(USERS), cum_weights=self.user_weights)[0]
        provider, model, deployment, *prices = random.choices(
            MODELS, cum_weights=self.model_weights
        )[0]
        dialect, route = DIALECTS.get(provider, ("openai_chat", "/v1/chat/completions"))
        tokens = int(random.lognormvariate(7, 1.2)), int(random.lognormvariate(5, 1))
        cached = tokens[0] // 2 if random.random() < 0.3 else 0
        items = _line_items(tokens[0], cached, tokens[1], prices)
        first_token = random.lognormvariate(-0.7, 0.6)
        streams = random.random() < 0.6
        gaps, summary = random.choice(self.gaps) if streams else ((), (None,) * 4)
        latency = first_token + tokens[1] * 0.008 + random.random() * 0.1
        id_ = self._uuid()
        return Record(
            id=id_, request_id=self._uuid(), call_id=id_, timestamp=now, started=now - latency,
            route=route, dialect=dialect, outcome="ok", provider=provider, kind=provider,
            model=model, deployment=deployment, stream=streams, session_id=self._session(),
            key_id=f"{user % KEYS:08x}", status=200, finish_reason="stop", upstream_status=200,
            upstream_request_id=f"req_{random.getrandbits(96):024x}",
            input_tokens=tokens[0], output_tokens=tokens[1], cache_read_tokens=cached,
            tokens_source="reported", cost_source="computed", cost_usd=f"{_sum(items):f}",
            price_source="prices 2026-11-01", price_date="2026-11-01", line_items=items,
            latency_s=latency, time_to_first_byte_s=first_token - 0.01,
            time_to_first_token_s=first_token, time_to_sent_s=0.0004,
            inter_token_latency_s=summary[0], inter_token_latency_p50_s=summary[1],
            inter_token_latency_p95_s=summary[2], inter_token_latency_max_s=summary[3],
            tokens_per_second=tokens[1] / latency, gateway_overhead_s=random.gammavariate(4, 3e-5),
            content_events=sum(count for _, count in gaps), gap_counts=gaps,
            request_bytes=tokens[0] * 4, response_bytes=tokens[1] * 40,
            upstream_request_bytes=tokens[0] * 4 + 60, upstream_response_bytes=tokens[1] * 42,
            user=f"user-{user}" if random.random() < 0.9 else None,
            tags=random.choice(self.tag_sets) if random.random() < 0.5 else (),
            parameters=random.choice(PARAMETERS),
        )  # fmt: skip

    def _failed_attempt(self, last: Record) -> Record:
        """The attempt before ``last``, of the same call."""
        first = self._record(last.timestamp - (last.latency_s or 0))
        self._fail(first)
        first.id = last.call_id
        for name in ("call_id", "request_id", "key_id", "user", "tags", "session_id", "model"):
            setattr(first, name, getattr(last, name))
        first.is_last = False
        return first

    def _fail(self, record: Record) -> None:
        status, type_, code, message = self.random.choice(FAILURES)
        record.outcome, record.status, record.upstream_status = "error", status, status
        record.error_type, record.error_code, record.error_message = type_, code, message
        record.line_items, record.gap_counts = (), ()
        for name in FAILED_FIELDS:
            setattr(record, name, None)


FAILED_FIELDS = (
    "finish_reason", "input_tokens", "output_tokens", "cache_read_tokens", "tokens_source",
    "cost_usd", "cost_source", "price_source", "price_date", "time_to_first_token_s",
    "inter_token_latency_s", "inter_token_latency_p50_s", "inter_token_latency_p95_s",
    "inter_token_latency_max_s", "tokens_per_second", "content_events",
)  # fmt: skip
PARAMETERS: tuple[dict[str, Raw], ...] = (
    {},
    {"temperature": Raw(b"0")},
    {"temperature": Raw(b"0.7"), "max_tokens": Raw(b"1024")},
    {"max_tokens": Raw(b"4096"), "tool_choice": Raw(b'"auto"')},
)


def _line_items(input_: int, cached: int, output: int, prices: list[Any]) -> tuple[LineItem, ...]:
    items = [LineItem("input", str(input_ - cached), prices[0])]
    if cached:
        items.append(LineItem("cache_read", str(cached), prices[1]))
    return (*items, LineItem("output", str(output), prices[2]))


def _sum(items: tuple[LineItem, ...]) -> Decimal:
    return sum(
        (Decimal(item.quantity) * Decimal(item.unit_price_usd) for item in items), Decimal(0)
    )
