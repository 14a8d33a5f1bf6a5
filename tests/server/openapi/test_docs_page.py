"""The documentation page in a browser: complete, and loaded from this server only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.server.openapi.operations import OPERATIONS
from server.openapi.browser import Browser, Page, browse
from support.gateway_process import Gateway

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
METHODS = ("get", "put", "post", "delete", "patch")
"""In the order in which the page shows those of a path."""
OPERATIONS_BY_PATH = sorted(OPERATIONS, key=lambda each: METHODS.index(each.method))
ROUTES = [
    f"{each.method.upper()} {path}"
    for tag, path in dict.fromkeys((each.tag, each.path) for each in OPERATIONS)
    for each in OPERATIONS_BY_PATH
    if (each.tag, each.path) == (tag, path)
]
FORMS = "[...document.querySelector('rapi-doc').shadowRoot.querySelectorAll('api-request')]"
SHOWN = "document.querySelector('rapi-doc')?.shadowRoot?.querySelectorAll('api-request').length"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    directory = tmp_path_factory.mktemp("docs")
    server = Gateway.start(directory, {"providers": {"echo": {"kind": "echo"}}})
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One for all tests: to start it takes longer than all that they do."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH")
    with browse(CHROMIUM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def page(gateway: Gateway, browser: Browser) -> Page:
    tab = browser.new_tab()
    tab.open(f"{gateway.base_url}/docs")
    tab.until(f"{SHOWN} === {len(ROUTES)}")
    return tab


def test_the_page_lists_every_route(page: Page) -> None:
    shown = page.evaluate(f"{FORMS}.map(form => form.method.toUpperCase() + ' ' + form.path)")
    assert shown == ROUTES
    menu = page.evaluate(
        "document.querySelector('rapi-doc').shadowRoot.querySelector('nav').innerText"
    )
    assert [
        line
        for line in menu.split()
        if line.startswith(("/api", "/v1", "/v2", "/health", "/providers/", "/spend", "/global"))
    ] == [route.split()[1] for route in ROUTES]


def test_the_page_shows_the_contracts_sample(page: Page) -> None:
    text = """(function text(node) {
        return [...(node.shadowRoot ?? node).childNodes].map(
            child => child.nodeType === 3 ? child.data : text(child)).join('');
    })(document.querySelector('rapi-doc'))"""
    assert page.until(f"{text}.includes('72f34d3b-f254-4950-9d6f-9f66e082fd2f')")


def test_a_route_can_be_tried_from_the_page(page: Page, gateway: Gateway) -> None:
    page.evaluate(
        f"""(() => {{
        const form = {FORMS}[0].shadowRoot;
        form.querySelector('[data-pname=provider]').value = 'echo';
        form.querySelector('textarea').value = '{{"model": "echo", "chat_input": "Hello, page"}}';
        form.querySelector('[part~=btn-try]').click();
        }})()"""
    )
    said = f"{FORMS}[0].responseText"
    reply = json.loads(page.until(f"{said}.startsWith('{{') && {said}"))
    assert reply["provider"] == "echo"
    assert reply["metrics"]["latency_s"] > 0
    assert f"{gateway.base_url}/api/engine/chat/echo" in page.urls


def test_the_first_form_is_filled_in_with_a_model_of_this_server(page: Page) -> None:
    form = f"{FORMS}[0].shadowRoot"
    assert page.evaluate(f"{form}.querySelector('[data-pname=provider]').value") in (
        "echo",
        "local",
    )
    asked = json.loads(page.evaluate(f"{form}.querySelector('textarea').value"))
    assert asked["chat_input"]


def test_the_page_loads_nothing_from_other_hosts_without_complaints(
    page: Page, gateway: Gateway
) -> None:
    loaded = [url for url in page.urls if not url.startswith("data:")]
    assert f"{gateway.base_url}/docs/assets/rapidoc-min.js" in loaded
    assert [url for url in loaded if not url.startswith(f"{gateway.base_url}/")] == []
    assert page.complaints == []


def test_a_server_with_keys_has_a_page_that_asks_for_one(browser: Browser, tmp_path: Path) -> None:
    config = {"server": {"api_keys": ["gw-secret-key"]}, "providers": {"echo": {"kind": "echo"}}}
    server = Gateway.start(tmp_path, config)
    try:
        tab = browser.new_tab()
        tab.open(f"{server.base_url}/docs")
        tab.until(f"{SHOWN} === {len(ROUTES)}")
        tab.until("document.querySelector('#key')?.hidden === false")
        for key in ("wrong", "gw-secret-key"):
            tab.evaluate(
                f"document.querySelector('#key input').value = '{key}';"
                "document.querySelector('#key button').click()"
            )
            tab.until(
                "document.querySelector('#key output').value.includes('refused')"
                if key == "wrong"
                else "document.querySelector('#key').hidden"
            )
        tab.evaluate(f"{FORMS}[1].shadowRoot.querySelector('[part~=btn-try]').click()")
        said = tab.until(f"{FORMS}[1].responseText.includes('echo') && {FORMS}[1].responseText")
        assert "echo" in json.loads(said)
    finally:
        server.stop()


def test_a_request_to_another_host_would_be_blocked_and_reported(page: Page) -> None:
    outside = "http://127.0.0.1:1/elsewhere"
    assert page.evaluate(f"fetch('{outside}').then(() => 'sent', () => 'stopped')") == "stopped"
    assert any("Content Security Policy" in text for text in page.complaints)
