"""Sending, cancelling, finishing, pausing and closing, over real sockets."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from headway.errors import InvalidField
from headway.transport.limits import Limits
from headway.types import HttpRequest
from headway.wire.url import join
from support.for_each import for_each
from support.receiver import (
    QUICK,
    Recorder,
    Run,
    begin,
    checked_transport,
    fetch,
    request,
    until,
)
from support.scripted_server import ScriptedServer, answer, chunked, sse
from support.waiting import PATIENCE_S

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def test_a_request_goes_out_and_its_response_comes_in(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b'{"ok":1}')]) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(
                transport, server.url, body=b'{"a":1}', headers=(("authorization", "Bearer k"),)
            )
            assert receiver.log == ["sent", "response", "chunk", "end"]
            assert (receiver.status, receiver.body) == (200, b'{"ok":1}')
            assert receiver.headers[b"content-type"] == b"application/json"
            (received,) = server.requests
            assert (received.method, received.target) == ("POST", "/v1/x")
            assert received.body == b'{"a":1}'
            assert received.header("authorization") == "Bearer k"
            assert received.header("accept-encoding") == "identity"
            assert received.header("host") == f"127.0.0.1:{server.port}"

    run(main())


def test_each_piece_of_a_stream_is_pushed_as_it_arrives(run: Run) -> None:
    async def main() -> None:
        script = [CHUNKED + b"3\r\none\r\n", 0.05, b"3\r\ntwo\r\n", 0.05, b"0\r\n\r\n"]
        async with ScriptedServer([script]) as server, checked_transport() as transport:
            receiver = await fetch(transport, server.url)
            assert receiver.chunks == [b"one", b"two"]
            sent, response, one, two, end = receiver.times
            assert sent <= response == one < two < end

    run(main())


def test_on_sent_comes_before_send_returns_on_a_pooled_connection(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            await fetch(transport, server.url)
            tasks = asyncio.all_tasks()
            _, receiver = begin(transport, server.url)
            assert receiver.log == ["sent"]
            assert asyncio.all_tasks() == tasks
            await receiver.over.wait()

    run(main())


def test_a_request_sent_from_on_end_uses_the_same_connection(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), answer(b"2")]) as server,
            checked_transport() as transport,
        ):
            second = Recorder()

            def follow_up(name: str) -> None:
                if name == "end":
                    transport.send(request(server.url), QUICK, second)

            transport.send(request(server.url), QUICK, Recorder(follow_up))
            await until(second.over.is_set)
            assert (second.body, server.connections) == (b"2", 1)

    run(main())


def test_cancel_closes_the_connection_at_once_and_nothing_more_is_called(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([[CHUNKED + b"1\r\na\r\n", "hang"]]) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, server.url)
            await until(lambda: receiver.body == b"a")
            began = time.monotonic()
            pending.cancel()
            await server.left()
            assert time.monotonic() - began < 2.5  # half of the shortest timeout
            assert receiver.log == ["sent", "response", "chunk"]
            pending.cancel()
            pending.finish()
            pending.pause()
            pending.resume()
            assert receiver.log == ["sent", "response", "chunk"]

    run(main())


def test_cancel_from_inside_a_chunk_stops_the_chunks_that_came_with_it(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([chunked(b"a", b"b", b"c")]) as server,
            checked_transport() as transport,
        ):
            receiver = Recorder(lambda name: pending.cancel() if name == "chunk" else None)
            pending = transport.send(request(server.url), QUICK, receiver)
            await server.left()
            assert receiver.log == ["sent", "response", "chunk"]

    run(main())


def test_cancel_before_there_is_a_connection_calls_nothing(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            pending, receiver = begin(transport, server.named_url)
            pending.cancel()
            await asyncio.sleep(0.05)
            assert receiver.log == []
            assert transport.stats[0].waiting == transport.stats[0].connecting == 0

    run(main())


@for_each("turns", range(12))
def test_cancelling_in_any_turn_of_connecting_leaves_nothing_open(run: Run, turns: int) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            pending, receiver = begin(transport, server.url)
            for _ in range(turns):
                await asyncio.sleep(0)
            pending.cancel()
            seen = list(receiver.log)
            await asyncio.sleep(0.02)
            assert receiver.log == seen

    run(main())


def test_a_cancelled_request_does_not_take_anothers_connection_away(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            first, _ = begin(transport, server.url)
            _, second = begin(transport, server.url)
            first.cancel()
            await until(second.over.is_set)
            assert second.status == 200

    run(main())


def test_finish_reads_the_rest_away_and_the_connection_serves_again(run: Run) -> None:
    async def main() -> None:
        script = [CHUNKED + b"1\r\na\r\n", 0.05, b"1\r\nb\r\n0\r\n\r\n"]
        async with (
            ScriptedServer([script, answer(b"next")]) as server,
            checked_transport() as transport,
        ):
            receiver = Recorder(lambda name: pending.finish() if name == "chunk" else None)
            pending = transport.send(request(server.url), QUICK, receiver)
            await until(lambda: bool(transport.stats and transport.stats[0].idle))
            assert receiver.log == ["sent", "response", "chunk"]
            assert (await fetch(transport, server.url)).body == b"next"
            assert server.connections == 1

    run(main())


@pytest.mark.parametrize("rest", [["hang"], [b"100\r\n" + b"b" * 256 + b"\r\n", "hang"]])
def test_finish_closes_a_connection_whose_rest_does_not_end_soon(
    run: Run, rest: list[bytes | str]
) -> None:
    async def main() -> None:
        limits = Limits(drain_s=0.1, drain_bytes=100)
        async with (
            ScriptedServer([[CHUNKED + b"1\r\na\r\n", 0.02, *rest]]) as server,
            checked_transport(limits=limits) as transport,
        ):
            pending, receiver = begin(transport, server.url)
            await until(lambda: receiver.body == b"a")
            pending.finish()
            await server.left()
            assert receiver.log == ["sent", "response", "chunk"]

    run(main())


def test_finish_before_there_is_a_connection_is_cancel(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            pending, receiver = begin(transport, server.named_url)
            pending.finish()
            await asyncio.sleep(0.05)
            assert (receiver.log, len(server.requests)) == ([], 0)

    run(main())


def test_pause_stops_the_upstream_and_resume_lets_it_go_on(run: Run) -> None:
    async def main() -> None:
        total = 30_000_000
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total
        async with (
            ScriptedServer([[head, bytes(total)]]) as server,
            checked_transport() as transport,
        ):
            pending, receiver = begin(transport, server.url)
            await until(lambda: bool(receiver.chunks))
            pending.pause()
            pending.pause()
            seen = len(receiver.body)
            await asyncio.sleep(0.2)
            assert len(receiver.body) - seen <= 262_144
            assert len(receiver.body) < total
            pending.resume()
            pending.resume()
            await asyncio.wait_for(receiver.over.wait(), PATIENCE_S)
            assert len(receiver.body) == total

    run(main())


def test_a_connection_whose_response_ended_while_paused_can_be_used_again(run: Run) -> None:
    async def main() -> None:
        async with (
            ScriptedServer([answer(b"1"), answer(b"2")]) as server,
            checked_transport() as transport,
        ):
            first = Recorder(lambda name: pending.pause() if name == "chunk" else None)
            pending = transport.send(request(server.url), QUICK, first)
            await until(first.over.is_set)
            assert (await fetch(transport, server.url)).body == b"2"
            assert server.connections == 1

    run(main())


def test_a_request_paused_before_it_is_sent_reads_nothing_until_it_is_resumed(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer(b"1")]) as server, checked_transport() as transport:
            pending, receiver = begin(transport, server.url)
            pending.pause()
            await until(lambda: bool(server.requests))
            await asyncio.sleep(0.05)
            assert receiver.log == ["sent"]
            pending.resume()
            await until(receiver.over.is_set)

    run(main())


def test_a_response_before_the_request_is_wholly_written_is_delivered(run: Run) -> None:
    async def main() -> None:
        refusal = answer(b"too big", status=413)
        async with (
            ScriptedServer([[refusal, 0.2, "close"]], reads_body=False) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.url, body=bytes(50_000_000))
            assert (receiver.status, receiver.body) == (413, b"too big")
            assert receiver.log == ["response", "chunk", "end"]
            assert not any(origin.open for origin in transport.stats)

    run(main())


def test_on_sent_of_a_large_request_comes_when_all_of_it_is_sent(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            body = bytes(range(256)) * 80_000
            receiver = await fetch(transport, server.url, body=body)
            assert receiver.log == ["sent", "response", "end"]
            assert server.requests[0].body == body

    run(main())


def test_head_has_no_body_and_the_connection_serves_on(run: Run) -> None:
    async def main() -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n"
        async with (
            ScriptedServer([head, answer(b"next")]) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, server.url, method="HEAD", body=b"")
            assert receiver.log == ["sent", "response", "end"]
            assert (await fetch(transport, server.url)).body == b"next"
            assert server.connections == 1

    run(main())


def test_a_receiver_that_raises_gets_an_error_and_the_log_gets_the_traceback(run: Run) -> None:
    async def main() -> None:
        seen: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))

        def fail(name: str) -> None:
            if name == "chunk":
                raise KeyError("ours")

        async with ScriptedServer([sse(b"1", b"2")]) as server, checked_transport() as transport:
            receiver = Recorder(fail)
            transport.send(request(server.url), QUICK, receiver)
            await until(receiver.over.is_set)
            assert receiver.fault == ("UpstreamError", "receiver_failed")
            assert isinstance(seen[0]["exception"], KeyError)
            await server.left()

    run(main())


class BrokenAtEnd(Recorder):
    def on_end(self, now: float) -> None:
        raise KeyError("ours")


def test_a_receiver_that_raises_at_the_end_gets_an_error(run: Run) -> None:
    async def main() -> None:
        seen: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context))
        played = [answer(b"1"), [b"HTTP/1.1 200 OK\r\n\r\n2", "close"]]
        async with ScriptedServer(played) as server, checked_transport() as transport:
            for _ in played:
                receiver = BrokenAtEnd()
                transport.send(request(server.url), QUICK, receiver)
                await until(receiver.over.is_set)
                assert receiver.fault == ("UpstreamError", "receiver_failed")
                assert receiver.error is not None
                assert receiver.error.status == 502
        assert [type(context["exception"]) for context in seen] == [KeyError, KeyError]

    run(main())


def test_a_request_that_http_cannot_carry_is_refused_before_it_is_sent(run: Run) -> None:
    async def main() -> None:
        async with checked_transport() as transport:
            bad = HttpRequest(join("http://127.0.0.1:9"), (("authorization", "a\nb"),), b"")
            with pytest.raises(InvalidField):
                transport.send(bad, QUICK, Recorder())

    run(main())


def test_close_fails_the_requests_in_progress_and_the_waiting_ones(run: Run) -> None:
    async def main() -> None:
        limits = Limits(connections=1)
        async with (
            ScriptedServer([[CHUNKED, "hang"]]) as server,
            checked_transport(limits=limits) as transport,
        ):
            _, active = begin(transport, server.url)
            await until(lambda: active.status == 200)
            _, waiting = begin(transport, server.url)
            await transport.close()
            assert active.fault == waiting.fault == ("UpstreamDisconnected", "transport_closed")
            _, late = begin(transport, server.url)
            assert late.log == []
            await until(late.over.is_set)
            assert late.fault == ("UpstreamUnreachable", "transport_closed")
            cancelled, silent = begin(transport, server.url)
            cancelled.cancel()
            await asyncio.sleep(0.02)
            assert silent.log == []

    run(main())


def test_close_waits_for_connecting_tasks(run: Run) -> None:
    async def main() -> None:
        async with ScriptedServer([answer()]) as server, checked_transport() as transport:
            receivers = [begin(transport, server.url)[1] for _ in range(5)]
            await asyncio.sleep(0)
            await transport.close()
            assert {receiver.fault for receiver in receivers} == {
                ("UpstreamDisconnected", "transport_closed")
            }

    run(main())


def test_a_unix_socket_is_reached_by_its_path(run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        path = str(tmp_path / "model.sock")
        async with (
            ScriptedServer([answer(b"hi")], path=path) as server,
            checked_transport() as transport,
        ):
            receiver = await fetch(transport, f"unix:{path}:/v1", path="/chat")
            assert receiver.body == b"hi"
            assert server.requests[0].target == "/v1/chat"
            assert server.requests[0].header("host") == "localhost"
        async with checked_transport() as transport:
            receiver = await fetch(transport, f"unix:{path}.missing")
            assert receiver.fault == ("UpstreamUnreachable", "no_such_socket")
            assert f"{path}.missing" in str(receiver.error)

    run(main())
