"""Clients that leave, servers that are told to stop, and configurations that change."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from contract.conftest import BODY_LIMIT, standard_config
from contract.shapes import checked_error, error_of, ndjson_pieces, ok
from support.gateway_process import SERVER_MODES, Gateway
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import HANG, Answer, Upstream, Wait
from support.processes import children, command, cpu_s
from support.waiting import until

Launch = Callable[..., Gateway]

STREAMING = tuple(step for n in range(200) for step in (text(f" {n}"), Wait(0.02)))
LEAVING: dict[str, tuple[Answer, bool]] = {
    "in the middle of a stream": (Answer((role(), *STREAMING, finish(), DONE)), True),
    "while a stream is silent": (Answer((role(), text("Hello"), HANG)), True),
    "before a stream's head": (Answer((), before_head=(HANG,)), True),
    "before a stream's first event": (Answer((HANG,)), True),
    "while a whole answer is on its way": (Answer((role(), *STREAMING, finish(), DONE)), False),
    "while a whole answer is silent": (Answer((), before_head=(HANG,)), False),
}
TRIES = 20
"""A busy machine may be late at times; a server that does not cancel is late every time."""


@pytest.mark.parametrize("name", LEAVING)
def test_a_client_that_leaves_cancels_the_upstream_request_within_100_ms(
    gateway: Gateway, upstream: Upstream, name: str
) -> None:
    answer, is_stream = LEAVING[name]
    upstream.play(answer)
    taken = []
    for number in range(1, TRIES + 1):
        taken.append(seconds_to_cancel(gateway, upstream, number, is_stream))
        if taken[-1] <= 0.1:
            break
    assert min(taken) <= 0.1, taken


def seconds_to_cancel(gateway: Gateway, upstream: Upstream, number: int, is_stream: bool) -> float:
    with gateway.open(is_stream=is_stream):
        exchange = upstream.await_request(number)
        until(lambda: exchange.sent or time.monotonic() > exchange.arrived + 0.05)
        time.sleep(0.05)
        left = time.monotonic()
    until(lambda: exchange.closed_at)
    assert exchange.closed_at is not None
    assert exchange.closed_at >= left, "the gateway gave up before the client left"
    return exchange.closed_at - left


def test_a_client_that_half_closes_is_answered_or_cancelled(
    gateway: Gateway, upstream: Upstream
) -> None:
    """Either is fair; what is not is to hang, or to leave the upstream running."""
    upstream.play(Answer((role(), text("Hello"), Wait(0.2), finish(), usage(), DONE)))
    with gateway.open(is_stream=True) as stream:
        exchange = upstream.await_request()
        stream.sock.shutdown(socket.SHUT_WR)
        until(lambda: exchange.finished or exchange.closed_at)


# --- SIGTERM --------------------------------------------------------------------------------------

SLOW = Answer(
    (role(), *(s for n in range(10) for s in (text(f" {n}"), Wait(0.1))), finish(), usage(), DONE)
)


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_running_stream_finishes_after_sigterm_and_no_new_one_starts(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch(mode=mode)
    upstream.play(SLOW)
    with own.stream() as stream:
        own.terminate()
        until(lambda: refuses(own))
        pieces = ndjson_pieces(stream)
        assert stream.complete
    assert pieces[-1].object["chat_output"] == "".join(f" {n}" for n in range(10))
    own.wait()
    assert len(upstream.exchanges) == 1
    assert "Traceback" not in "".join(own.output)


def refuses(gateway: Gateway) -> bool:
    try:
        reply = gateway.client.get("/health")
    except (OSError, EOFError):
        return True
    return reply.status == 503


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_stream_longer_than_the_grace_period_ends_with_an_error(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch({"server": {"body_limit": BODY_LIMIT, "shutdown_grace": 0.5}}, mode=mode)
    upstream.play(Answer((role(), text("Hello"), HANG)))
    with own.stream() as stream:
        chunks = stream.chunks()
        next(chunks)
        own.terminate()
        rest = ndjson_pieces(stream)
        assert stream.complete
    checked_error(rest[-1].object)
    own.wait()
    until(lambda: upstream.last.closed_at)


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_slow_count_of_tokens_does_not_cost_a_client_its_error(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch({"server": {"body_limit": BODY_LIMIT, "shutdown_grace": 0.3}}, mode=mode)
    upstream.play(Answer((role(), text("Hello"), finish(), DONE)))
    ok(own.chat())
    (counter,) = [pid for pid in children(own.process.pid) if b"token_counter" in command(pid)]
    os.kill(counter, signal.SIGSTOP)
    upstream.play(Answer((role(), text("Hello"), HANG)))
    with own.stream() as stream:
        next(stream.chunks())
        own.terminate()
        rest = ndjson_pieces(stream)
        assert stream.complete
    checked_error(rest[-1].object)
    assert own.wait() == 0
    last = own.records()[-1]
    assert (last["error_type"], last["output_tokens"]) == ("shutting_down", len("Hello") // 4)
    assert last["tokens_source"] == "estimated"
    assert "Traceback" not in "".join(own.output)


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_an_idle_server_stops_at_once(launch: Launch, mode: str) -> None:
    own = launch(mode=mode)
    idle = own.client.open("GET", "/health")
    with idle:
        assert idle.read_head().reply().status == 200
        began = time.monotonic()
        own.stop()
        assert time.monotonic() - began < 15  # half of the grace period
        assert idle.is_closed_by_server()


def test_the_server_listens_within_the_time_limit(launch: Launch) -> None:
    """A second is the promise, of which the processor's share does not depend on what else runs
    on the machine."""
    assert min(cpu_s(launch().process.pid) for _ in range(2)) < 1


# --- SIGHUP ---------------------------------------------------------------------------------------


def with_provider(upstream: Upstream, name: str, **fields: Any) -> dict[str, Any]:
    config = standard_config(upstream)
    config["providers"][name] = {"kind": "openai", "base_url": upstream.base_url, **fields}
    return config


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_sighup_reloads_the_configuration_without_touching_running_requests(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch(mode=mode)
    error_of(own.chat("newcomer"), 404)
    upstream.play(SLOW)
    with own.stream("keyless") as stream:
        config = with_provider(upstream, "newcomer")
        del config["providers"]["keyless"]
        own.reload(config)
        until(lambda: "newcomer" in own.client.get("/api/engine/providers").json)
        error_of(own.chat("keyless"), 404)
        pieces = ndjson_pieces(stream)
    assert pieces[-1].object["chat_output"] == "".join(f" {n}" for n in range(10))
    upstream.play()
    ok(own.chat("newcomer"))


def reloaded(own: Gateway, upstream: Upstream, **server: Any) -> None:
    """The server with other settings; a provider that is new shows that they are in use."""
    config = with_provider(upstream, "newcomer")
    own.reload({**config, "server": {**config.get("server", {}), **server}})
    until(lambda: "newcomer" in own.client.get("/api/engine/providers").json)


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_new_grace_period_is_in_use_after_a_reload(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch({"server": {"body_limit": BODY_LIMIT, "shutdown_grace": 60}}, mode=mode)
    reloaded(own, upstream, shutdown_grace=0.5)
    upstream.play(Answer((role(), text("Hello"), HANG)))
    with own.stream() as stream:
        next(stream.chunks())
        own.terminate()
        ndjson_pieces(stream)
        assert stream.complete
    own.wait()


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_new_limit_for_idle_connections_is_in_use_after_a_reload(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    own = launch({"server": {"body_limit": BODY_LIMIT, "keep_alive": 60}}, mode=mode)
    idle = own.client.open("GET", "/health")
    with idle:
        assert idle.read_head().reply().status == 200
        reloaded(own, upstream, keep_alive=0.3)
        until(idle.is_closed_by_server)


@pytest.mark.parametrize("mode", SERVER_MODES)
def test_a_server_that_announced_its_address_survives_sighup(
    launch: Launch, upstream: Upstream, mode: str
) -> None:
    """Unhandled, the signal ends a process: whoever waits for the line may send it at once."""
    own = launch(mode=mode)
    own.reload(standard_config(upstream))
    time.sleep(0.2)
    assert own.process.poll() is None
    ok(own.chat())


def test_a_wrong_configuration_is_refused_and_the_old_one_stays(
    launch: Launch, upstream: Upstream
) -> None:
    own = launch()
    ok(own.chat())
    lines = len(own.output)
    own.reload(with_provider(upstream, "newcomer", kind="no-such-kind"))
    until(lambda: "newcomer" in "".join(own.output[lines:]))
    assert "Traceback" not in "".join(own.output)
    assert "newcomer" not in own.client.get("/api/engine/providers").json
    ok(own.chat())


# --- Several workers ------------------------------------------------------------------------------


def test_two_workers_serve_one_port_write_one_spool_and_stop_together(
    launch: Launch, upstream: Upstream
) -> None:
    own = launch(args=("--port", "0", "--workers", "2"))
    replies = [ok(own.chat()) for _ in range(20)]
    assert len({reply["id"] for reply in replies}) == 20
    written = own.spooled().decode()
    assert all(reply["id"] in written for reply in replies)
    upstream.play(SLOW)
    with own.stream() as stream:
        own.terminate()
        pieces = ndjson_pieces(stream)
    assert pieces[-1].object["chat_output"] == "".join(f" {n}" for n in range(10))
    own.wait()
    assert refuses(own)
