"""What a connection keeps alive."""

from __future__ import annotations

import gc
import weakref

import pytest

from headway.server.http.request_head_cache import RequestHeadCache
from server.http.connection import Connection, fake_calls
from server.http.requests import HOST, LENGTH, request
from support.garbage import collect_garbage

BODIES = [[], [b"now"], [b"now", b"now"], [b"now stream"], [b"now bad"], [b"later"], [b"later"] * 3]


@pytest.mark.parametrize("bodies", BODIES, ids=str)
def test_a_lost_connection_leaves_no_reference_cycle(bodies: list[bytes]) -> None:
    with fake_calls():
        collect_garbage()
        gc.disable()
        try:
            connection = Connection(RequestHeadCache())
            for body in bodies:
                connection.read(request(HOST, LENGTH, body=body))
            left = weakref.ref(connection.protocol)
            connection.protocol.connection_lost(None)
            connection.calls.clear()  # they refer to their sinks
            del connection
            assert left() is None
        finally:
            gc.enable()
