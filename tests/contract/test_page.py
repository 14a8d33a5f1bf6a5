"""The web page over HTTP, in each form of the server."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

from contract.shapes import error_of
from support.gateway_process import GATE_KEY, Gateway
from support.waiting import PATIENCE_S

Launch = Callable[..., Gateway]
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
GZIP = {"accept-encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def guarded(lasting: Launch, mode: str) -> Gateway:
    """A server with keys: the page needs none."""
    return lasting({"server": {"api_keys": [GATE_KEY]}}, mode=mode)


def addresses(server: Gateway) -> list[str]:
    """The files that the document names."""
    document = server.client.get("/", HTML).body.decode()
    return [f"/{path}" for path in re.findall(r"""["'(](?:\./)?(ui/[^"')]+)["')]""", document)]


def test_a_browser_gets_the_page_and_any_other_client_the_text(guarded: Gateway) -> None:
    client = guarded.client
    shown = client.get("/", HTML)
    assert shown.status == 200
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.body.lower().startswith(b"<!doctype html>")
    for accept in ({}, {"accept": "*/*"}, {"accept": "application/json"}):
        text = client.get("/", accept)
        assert (text.status, text.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert text.headers["vary"] == "accept"
        assert text.body.startswith(b"This is Headway")
    for base in ("/v1", "/openai/v1", "/anthropic/"):
        assert client.get(base, HTML).body.startswith(b"This is Headway")


def test_every_file_that_the_document_names_is_there(guarded: Gateway) -> None:
    found = addresses(guarded)
    assert found
    for address in found:
        plain, packed = guarded.client.get(address), guarded.client.get(address, GZIP)
        assert plain.status == packed.status == 200, address
        assert "immutable" in plain.headers["cache-control"]
        if packed.headers.get("content-encoding") == "gzip":
            assert gzip.decompress(packed.body) == plain.body
            assert packed.headers["content-length"] == str(len(packed.body))


def test_head_has_the_headers_alone(gateway: Gateway) -> None:
    for address, headers in (("/", HTML), (addresses(gateway)[0], GZIP)):
        connection = HTTPConnection(gateway.client.host, gateway.client.port, timeout=PATIENCE_S)
        got = gateway.client.get(address, headers)
        connection.request("HEAD", address, headers=headers)
        head = connection.getresponse()
        assert (head.status, head.read()) == (200, b"")
        for name in ("content-type", "content-length", "content-encoding", "etag", "cache-control"):
            assert head.getheader(name) == got.headers.get(name), name
        connection.close()


def test_the_document_is_sent_once(gateway: Gateway) -> None:
    tag = gateway.client.get("/", HTML).headers["etag"]
    again = gateway.client.get("/", {**HTML, "if-none-match": tag})
    assert (again.status, again.body) == (304, b"")


def test_no_path_leads_out_of_the_folder(gateway: Gateway) -> None:
    folder = addresses(gateway)[0].split("/")[2]
    for path in ("../page.py", "..%2fpage.py", "%2e%2e/page.py", "vendor/../index.html", "", "/"):
        error_of(gateway.client.get(f"/ui/{folder}/{path}"), 404)
    error_of(gateway.client.get("/ui/0123456789abcdef/app/main.js"), 404)
    error_of(gateway.client.call("POST", f"/ui/{folder}/app/main.js", {}), 405)


@pytest.mark.parametrize("switch", [{"changes": {"server": {"page": False}}}, {"env": "false"}])
def test_the_page_can_be_turned_off(launch: Launch, switch: dict[str, Any]) -> None:
    env = {"HEADWAY_PAGE": switch["env"]} if "env" in switch else {}
    server = launch(switch.get("changes"), env=env)
    assert server.client.get("/", HTML).body.startswith(b"This is Headway")
    error_of(server.client.get("/ui/0123456789abcdef/app/main.js"), 404)
