"""Ports that the tests' helper gives are free, and are given once."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support import ports
from support.ports import free_port
from support.waiting import PATIENCE_S

TAKE_ALL = """
from support import ports
ports.PORTS = range({first}, {first} + 2)
print(ports.free_port(), flush=True)
input()
"""


def test_a_server_can_listen_on_the_port() -> None:
    for _ in range(20):
        port = free_port()
        assert port in ports.PORTS
        for _ in range(2):  # also when it is restarted
            with socket.create_server(("127.0.0.1", port)) as server:
                socket.create_connection(server.getsockname()).close()
                server.accept()[0].close()


def test_a_port_on_which_something_listens_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    first = two_free_ports()
    monkeypatch.setattr(ports, "PORTS", range(first, first + 2))
    with socket.create_server(("127.0.0.1", first)):
        assert free_port() == first + 1


def test_a_port_is_given_once_until_the_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    first = two_free_ports()
    monkeypatch.setattr(ports, "PORTS", range(first, first + 2))
    with subprocess.Popen(
        [sys.executable, "-c", TAKE_ALL.format(first=first)],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        theirs = int(other.stdout.readline())
        ours = free_port()
        assert {theirs, ours} == {first, first + 1}
        other.communicate(b"end\n", timeout=PATIENCE_S)
    assert free_port() == theirs


def two_free_ports() -> int:
    """The first of two neighbours above those of ``PORTS``, so that no other test gets them."""
    for first in range(ports.PORTS.stop, ports.PORTS.stop + 700, 2):
        try:
            for port in (first, first + 1):
                socket.create_server(("127.0.0.1", port)).close()
                with socket.socket(type=socket.SOCK_DGRAM) as claim:
                    claim.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise AssertionError("no two free ports")
