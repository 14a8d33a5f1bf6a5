"""Where ``headway serve`` listens, what it announces, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from contract.conftest import Launch
from contract.shapes import ok
from support.gateway_process import Gateway

COUNTS = pytest.mark.parametrize("count", ["1", "3"])


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@COUNTS
def test_it_announces_its_address_and_can_be_called_at_once(launch: Launch, count: str) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    assert own.client.get("/health").status == 200
    assert "".join(own.output).count("Headway listening on") == 1


@COUNTS
def test_it_announces_the_variable_that_redirects_a_provider(launch: Launch, count: str) -> None:
    place = {"CO_API_URL": "http://127.0.0.1:9/v2"}
    own = launch(args=("--port", "0", "--workers", count), env=place)
    assert own.client.get("/health").status == 200
    said = [line for line in own.output if " is at " in line]
    assert said == ["cohere is at http://127.0.0.1:9/v2, as CO_API_URL says\n"]


@COUNTS
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
def test_it_listens_on_ipv6(launch: Launch, count: str) -> None:
    own = launch(args=("--host", "::1", "--port", "0", "--workers", count))
    assert own.base_url.startswith("http://[::1]:")
    assert ok(own.chat())


@COUNTS
def test_a_port_in_use_is_reported_in_one_line(launch: Launch, count: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        own = Gateway.spawn(
            launch().directory / "second", {}, args=("--port", port, "--workers", count)
        )
        assert own.wait() == 1
    (line,) = own.output
    assert line == f"headway: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@COUNTS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_graceful_stop_exits_with_zero(
    launch: Launch, count: str, number: signal.Signals
) -> None:
    own = launch(args=("--port", "0", "--workers", count))
    ok(own.chat())
    own.process.send_signal(number)
    assert own.wait(5) == 0
    assert "Traceback" not in "".join(own.output)


def test_the_same_port_can_be_served_again_at_once(launch: Launch) -> None:
    """Although connections of the first server are still in the kernel (TIME_WAIT)."""
    first = launch()
    port = first.base_url.rpartition(":")[2]
    with first.client.connect() as stream:
        first.stop(5)
        assert stream.is_closed_by_server()
    ok(launch(args=("--port", port)).chat())


@pytest.fixture
def silent() -> Iterator[str]:
    """A provider that never answers: no process accepts connections from its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


def test_a_second_signal_ends_the_grace_period(launch: Launch, silent: str) -> None:
    """Ctrl-C twice stops uvicorn at once."""
    own = launch({"providers": {"openai": {"kind": "openai", "base_url": silent}}})
    with own.open(is_stream=True):
        time.sleep(0.2)
        own.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert own.process.poll() is None
        own.process.send_signal(signal.SIGINT)
        try:
            own.wait(5)
        except subprocess.TimeoutExpired:
            own.kill()
            raise
