"""The header lines of responses, byte for byte."""

from __future__ import annotations

from msgspec.structs import replace

from headway.ports import ResponseHeaders
from headway.server.response_headers import LONGEST_HEADER, response_lines, stream_lines
from headway.types import Transformation

ANSWERED = ResponseHeaders("id-1", attempts=2, latency_s=0.5, input_tokens=6, output_tokens=0)
BEGINNING = b"content-type: application/json\r\nx-request-id: id-1\r\n"
MEASURED = BEGINNING + b"x-headway-attempts: 2\r\nx-headway-latency-s: 0.500000000\r\n"
TOKENS = b"x-headway-input-tokens: 6\r\nx-headway-output-tokens: 0\r\n"


def test_a_priced_response_has_all_headers() -> None:
    priced = replace(ANSWERED, cost_usd="0.000058")
    assert response_lines(priced) == MEASURED + TOKENS + b"x-headway-cost-usd: 0.000058\r\n"


def test_an_unknown_value_has_no_header() -> None:
    assert response_lines(ANSWERED) == MEASURED + TOKENS
    uncounted = replace(ANSWERED, input_tokens=None, output_tokens=None)
    assert response_lines(uncounted) == MEASURED
    assert response_lines(ResponseHeaders("id-1")) == BEGINNING


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
    assert name == b"x-headway-transformation"
    assert value.startswith(b"dropped seed set-cookie: a=b: caf? ccc")
    assert len(value) <= LONGEST_HEADER


def test_a_stream_tells_caches_and_proxies_not_to_hold_it_back() -> None:
    assert stream_lines(ResponseHeaders("id-1", b"text/event-stream")) == (
        b"content-type: text/event-stream\r\ncache-control: no-cache\r\n"
        b"x-accel-buffering: no\r\nx-request-id: id-1\r\n"
    )


def test_the_id_has_a_second_name_where_clients_look_for_it() -> None:
    headers = ResponseHeaders("id-1", id_header=b"request-id")
    assert response_lines(headers).endswith(b"\r\nrequest-id: id-1\r\n")
    assert stream_lines(headers).endswith(b"\r\nrequest-id: id-1\r\n")
