"""uvicorn's internals are known in one file, and are as that file expects them."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from uvicorn.server import ServerState

import headway
from headway.server.http.request_cycle import RequestCycle
from headway.server.http.uvicorn_adapter import AsgiCycle, ConnectionHost

SOURCES = Path(headway.__file__).parent


def test_one_file_imports_uvicorn() -> None:
    importing = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if re.search(r"^\s*(?:from|import) uvicorn\b", path.read_text(), re.MULTILINE)
    }
    assert importing == {"server/http/uvicorn_adapter.py"}


ASKED_LATER = """
import sys
from headway.server.http import uvicorn_adapter
print("uvicorn.main" in sys.modules)
import uvicorn
print(uvicorn.__version__ != "", uvicorn.run.__module__, uvicorn.Server is uvicorn_adapter.Server)
try:
    uvicorn.unknown
except AttributeError as error:
    print(error)
"""


def test_the_names_of_uvicorns_package_are_there_for_who_asks() -> None:
    ran = subprocess.run([sys.executable, "-c", ASKED_LATER], capture_output=True, check=True)
    told = ["False", "True uvicorn.main True", "module 'uvicorn' has no attribute 'unknown'"]
    assert ran.stdout.decode().splitlines() == told


def test_both_kinds_of_cycle_have_the_methods_that_the_protocol_calls() -> None:
    called = {"start", "feed", "feed_end", "disconnect", "pause_writing", "resume_writing"}
    state = {"disconnected", "response_started", "response_complete", "keep_alive"}
    for kind in (RequestCycle, AsgiCycle):
        assert called <= {name for name in dir(kind) if callable(getattr(kind, name))}
    assert state <= set(dir(RequestCycle))


@pytest.fixture
def host() -> ConnectionHost:
    application: Any = object()
    loop: Any = object()
    return ConnectionHost(application, ServerState(), {"kept": 1}, loop)


def test_every_response_begins_with_the_headers_of_the_host(host: ConnectionHost) -> None:
    assert host.ok_head == b"HTTP/1.1 200 OK\r\n"
    host.set_headers([(b"date", b"today"), (b"x", b"y")])
    assert host.header_lines == b"date: today\r\nx: y\r\n"
    assert host.ok_head == b"HTTP/1.1 200 OK\r\ndate: today\r\nx: y\r\n"


def connection(**changes: Any) -> Any:
    """What the host reads of an ``HttpProtocol``."""
    addresses = {"peername": ("1.2.3.4", 5), "sockname": ("6.7.8.9", 80)}
    values = {
        "transport": SimpleNamespace(get_extra_info=addresses.get, is_closing=lambda: False),
        "flow": SimpleNamespace(resume_reading=lambda: None, pause_reading=lambda: None),
        "url": b"/a%20b?c=d#e",
        "version": "1.0",
        "headers": [(b"host", b"a")],
        "expects_continue": False,
        "on_response_complete": lambda: None,
    }
    return SimpleNamespace(**{**values, **changes})


def test_the_scope_of_a_request_follows_the_asgi_specification(host: ConnectionHost) -> None:
    assert host.asgi_cycle(connection(), b"GET", False).scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.0",
        "server": ("6.7.8.9", 80),
        "client": ("1.2.3.4", 5),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=d",
        "headers": [(b"host", b"a")],
        "extensions": {"headway.break_off": {}},
        "state": {"kept": 1},
    }


def test_the_application_sees_a_client_that_leaves(host: ConnectionHost) -> None:
    async def main() -> str:
        cycle = host.asgi_cycle(connection(), b"POST", True)
        cycle.feed(b"half")
        first = await cycle.receive()
        assert first == {"type": "http.request", "body": b"half", "more_body": True}
        cycle.feed_end()
        last = await cycle.receive()
        assert last == {"type": "http.request", "body": b"", "more_body": False}
        cycle.disconnect()
        return (await cycle.receive())["type"]

    assert asyncio.run(main()) == "http.disconnect"
