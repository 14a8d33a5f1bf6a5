"""The header lines of responses, byte for byte."""

from __future__ import annotations

from msgspec.structs import replace

from headway.ports import ResponseHeaders
from headway.server.response_headers import LONGEST_HEADER, response_lines, stream_lines
from headway.types import Transformation

ANSWERED = ResponseHeaders(
    "id-1",
    provider="openai",
    model="gpt-4o",
    attempts=2,
    latency_s=0.5,
    overhead_s=0.0001234,
    time_to_first_token_s=0.25,
    input_tokens=6,
    output_tokens=0,
)
BEGINNING = b"content-type: application/json\r\nx-request-id: id-1\r\n"
NAMES = b"x-headway-provider: openai\r\nx-headway-model: gpt-4o\r\n"
MEASURED = (
    b"x-headway-attempts: 2\r\nx-headway-latency-ms: 500.000\r\n"
    b"x-headway-overhead-ms: 0.123\r\nx-headway-ttft-ms: 250.000\r\n"
)
TOKENS = b"x-headway-input-tokens: 6\r\nx-headway-output-tokens: 0\r\n"
TIMING = b"server-timing: upstream;dur=499.877, gateway;dur=0.123, ttft;dur=250.000\r\n"
COST = b"x-headway-cost-usd: 0.000058\r\n"


def test_a_priced_response_has_all_headers() -> None:
    priced = replace(ANSWERED, cost_usd="0.000058")
    assert response_lines(priced) == BEGINNING + NAMES + MEASURED + TOKENS + COST + TIMING


def test_a_response_of_the_gateway_itself_took_no_time_elsewhere() -> None:
    """Its overhead includes what comes after the last token."""
    for own in (
        replace(ANSWERED, latency_s=0.0001),
        replace(ANSWERED, latency_s=0.0001, cost_usd="1"),
    ):
        assert b"server-timing: upstream;dur=0.000, gateway;dur=0.123, " in response_lines(own)


def test_an_unknown_value_has_no_header() -> None:
    assert response_lines(ANSWERED) == BEGINNING + NAMES + MEASURED + TOKENS + TIMING
    uncounted = replace(ANSWERED, input_tokens=None, output_tokens=None)
    assert response_lines(uncounted) == BEGINNING + NAMES + MEASURED + TIMING
    assert response_lines(ResponseHeaders("id-1")) == BEGINNING
    priced = replace(ANSWERED, cost_usd="0.000058")
    for name, missing, timing in (
        ("latency_s", b"x-headway-latency-ms", b"gateway;dur=0.123, ttft;dur=250.000"),
        ("overhead_s", b"x-headway-overhead-ms", b"ttft;dur=250.000"),
        (
            "time_to_first_token_s",
            b"x-headway-ttft-ms",
            b"upstream;dur=499.877, gateway;dur=0.123",
        ),
        ("provider", b"x-headway-provider", TIMING[15:-2]),
        ("model", b"x-headway-model", TIMING[15:-2]),
    ):
        lines = response_lines(replace(priced, **{name: None}))
        assert missing not in lines
        assert b"\r\nserver-timing: " + timing + b"\r\n" in lines, name


def test_a_model_cannot_add_a_header() -> None:
    for named, shown in (
        ("a\r\nset-cookie: b=c", b"a set-cookie: b=c"),
        ("mod\xe8le", b"mod?le"),
        ("m" * 9000, b"m" * LONGEST_HEADER),
    ):
        priced = replace(ANSWERED, cost_usd="0.000058", model=named)
        for lines in (response_lines(priced), stream_lines(priced)):
            assert b"\r\nx-headway-model: " + shown + b"\r\n" in lines


def test_further_headers_are_sent_as_they_are_unless_they_would_add_others() -> None:
    for value, shown in (
        (b"6m0s", b"6m0s"),
        (b"a\r\nset-cookie: b=c", b"a set-cookie: b=c"),
        (b"a\rb", b"a b"),
        (b"\xe9", b"?"),
    ):
        further = ((b"x-ratelimit-reset-tokens", value), (b"x-should-retry", b"true"))
        lines = b"x-ratelimit-reset-tokens: " + shown + b"\r\nx-should-retry: true\r\n"
        assert response_lines(ResponseHeaders("id-1", further=further)) == BEGINNING + lines


def test_retry_after_is_in_whole_seconds_and_never_zero() -> None:
    for seconds, shown in ((0.0, b"1"), (1.0, b"1"), (1.2, b"2"), (60, b"60")):
        lines = response_lines(ResponseHeaders("id-1", retry_after_s=seconds))
        assert lines == BEGINNING + b"retry-after: %b\r\n" % shown


def test_each_transformation_has_a_line_without_control_characters() -> None:
    told = Transformation("dropped", "seed\r\nset-cookie: a=b", "\x00caf\xe9 " + "c" * 900)
    lines = response_lines(ResponseHeaders("id-1", transformations=(told, told)))
    first, second, rest = lines.removeprefix(BEGINNING).split(b"\r\n")
    assert first == second
    assert rest == b""
    name, _, value = first.partition(b": ")
    assert name == b"x-headway-transformations"
    assert value.startswith(b"dropped seed set-cookie: a=b: caf? ccc")
    assert len(value) <= LONGEST_HEADER


def test_a_stream_tells_caches_and_proxies_not_to_hold_it_back() -> None:
    head = ResponseHeaders("id-1", b"text/event-stream")
    lines = (
        b"content-type: text/event-stream\r\nx-request-id: id-1\r\n"
        b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"
    )
    assert stream_lines(head) == lines
    begun = replace(head, provider="openai", attempts=1, time_to_first_token_s=0.25)
    assert stream_lines(begun) == (
        lines + b"x-headway-provider: openai\r\nx-headway-attempts: 1\r\n"
        b"x-headway-ttft-ms: 250.000\r\nserver-timing: ttft;dur=250.000\r\n"
    )


def test_the_id_has_a_second_name_where_clients_look_for_it() -> None:
    headers = ResponseHeaders("id-1", id_header=b"request-id")
    assert response_lines(headers).endswith(b"\r\nrequest-id: id-1\r\n")
    assert stream_lines(headers).endswith(b"\r\nrequest-id: id-1\r\n")
