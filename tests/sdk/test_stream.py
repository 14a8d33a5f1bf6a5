"""Streams: read as they arrive, and honest about how they end."""

from __future__ import annotations

import json
import threading

import pytest

from cli.fake_gateway import METRICS, OUTPUT, PIECES, STREAM, FakeGateway, chunk, error, last
from headway import ApiError, Client
from support.waiting import PATIENCE_S


def test_chunks_come_one_by_one_and_the_last_has_it_all(
    gateway: FakeGateway, client: Client
) -> None:
    stream = client.chat("openai/m", "Hi", stream=True)
    chunks = list(stream)
    assert [each.text for each in chunks] == ["", *PIECES, ""]
    assert [each.is_last for each in chunks] == [False, False, False, False, True]
    assert chunks[0].chat_input == "q"
    assert stream.last is chunks[-1]
    assert stream.last.chat_output == OUTPUT
    assert stream.last.metrics is not None
    assert stream.last.metrics.cost_usd == METRICS["cost_usd"]
    assert stream.last.choices[0]["finish_reason"] == "stop"
    assert gateway.asked["is_stream"] is True
    assert gateway.requests[0].headers["accept"] == "application/x-ndjson"


def test_a_chunk_is_there_before_the_next_one_is_sent(gateway: FakeGateway, client: Client) -> None:
    seen = threading.Event()

    def wait() -> None:
        assert seen.wait(PATIENCE_S)

    gateway.stream = [chunk("one"), wait, last("one")]
    with client.chat("p/m", "Hi", stream=True) as stream:
        assert next(stream).text == "one"
        seen.set()
        assert next(stream).is_last


def test_lines_may_be_cut_and_joined_anyhow(gateway: FakeGateway, client: Client) -> None:
    objects = (chunk("né"), last("né"))
    raw = b"".join(b"\n" + json.dumps(each, ensure_ascii=False).encode() for each in objects)
    for size in (1, 2, 7, 1000, len(raw)):
        gateway.stream = [raw[at : at + size] for at in range(0, len(raw), size)]
        assert [each.text for each in client.chat("p/m", "Hi", stream=True)] == ["né", ""]


def test_a_last_line_without_newline_counts(gateway: FakeGateway, client: Client) -> None:
    gateway.stream = [chunk("a"), json.dumps(last("a")).encode()]
    stream = client.chat("p/m", "Hi", stream=True)
    assert [each.text for each in stream] == ["a", ""]


def test_an_error_inside_the_stream_is_raised_where_it_came(
    gateway: FakeGateway, client: Client
) -> None:
    gateway.stream = [
        chunk("par"),
        error("cut", type="truncated_stream", provider="openai", request_id="r"),
    ]
    stream = client.chat("p/m", "Hi", stream=True)
    assert next(stream).text == "par"
    with pytest.raises(ApiError) as caught:
        next(stream)
    assert (caught.value.type, caught.value.status) == ("truncated_stream", None)
    assert (caught.value.message, caught.value.provider) == ("cut", "openai")
    assert stream.last is None


def test_text_that_speaks_of_an_error_is_text(gateway: FakeGateway, client: Client) -> None:
    gateway.stream = [chunk('{"error": 1}', error=None), last()]
    texts = [each.text for each in client.chat("p/m", "Hi", stream=True)]
    assert texts == ['{"error": 1}', ""]


def test_a_stream_without_its_last_object_is_truncated(
    gateway: FakeGateway, client: Client
) -> None:
    gateway.stream = [chunk("par")]
    with pytest.raises(ApiError) as caught:
        list(client.chat("p/m", "Hi", stream=True))
    assert caught.value.type == "truncated_stream"


@pytest.mark.parametrize("steps", [[], [chunk("par")]])
def test_a_broken_connection_is_not_the_end_of_a_stream(
    steps: list[object], gateway: FakeGateway, client: Client
) -> None:
    gateway.stream = steps  # type: ignore[assignment]
    gateway.ends_well = False
    with pytest.raises(ApiError) as caught:
        list(client.chat("p/m", "Hi", stream=True))
    assert caught.value.type == "connection_error"


def test_a_line_that_is_no_chunk_is_a_protocol_error(gateway: FakeGateway, client: Client) -> None:
    gateway.stream = [b"<html>\n"]
    with pytest.raises(ApiError) as caught:
        list(client.chat("p/m", "Hi", stream=True))
    assert caught.value.type == "protocol_error"


def test_a_refusal_before_the_stream_is_raised_by_the_call(
    gateway: FakeGateway, client: Client
) -> None:
    gateway.refuse(404, error("no such model", type="not_found_error"))
    with pytest.raises(ApiError) as caught:
        client.chat("p/m", "Hi", stream=True)
    assert caught.value.status == 404


@pytest.mark.parametrize("taken", [0, 1])
def test_closing_a_stream_early_cancels_the_call(
    taken: int, gateway: FakeGateway, client: Client
) -> None:
    left = threading.Event()

    def wait() -> None:
        assert left.wait(PATIENCE_S)

    gateway.stream = [chunk("a"), wait, *([chunk("x" * 10_000)] * 2000)]
    with client.chat("p/m", "Hi", stream=True) as stream:
        for _ in range(taken):
            next(stream)
    left.set()
    assert gateway.gone.wait(PATIENCE_S)
    gateway.stream = list(STREAM)
    assert len(list(client.chat("p/m", "Hi", stream=True))) == len(STREAM)


def test_closing_twice_or_after_the_end_is_harmless(client: Client) -> None:
    stream = client.chat("p/m", "Hi", stream=True)
    list(stream)
    stream.close()
    stream.close()
    assert list(stream) == []
    assert client.health().status == "healthy"
