"""Which answer a request on the routes of the web page gets, and its headers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from headway.errors import NotFound
from headway.server.page import Page, Response, wants_page
from headway.server.page_files import PageFiles
from headway.types import Headers

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def page(tmp_path: Path) -> Page:
    (tmp_path / "index.html").write_text('<script type="importmap">{}</script>' * 9)
    (tmp_path / "main.js").write_text("let x = 1;\n" * 9)
    return Page(PageFiles(tmp_path))


def index(page: Page, *headers: tuple[bytes, bytes]) -> Response:
    return asyncio.run(page.index(headers))


def address_of_script(page: Page) -> str:
    tag = dict(index(page)[1])[b"etag"].decode()
    return f"/ui/{tag[3:-1]}/main.js"


@pytest.mark.parametrize(
    ("accept", "is_wanted"),
    [
        ([BROWSER], True),
        ([b"text/html"], True),
        ([b"TEXT/HTML;level=1"], True),
        ([b"application/json", b"text/html;q=0.1"], True),
        ([b"text/html;q=0"], False),
        ([b"text/html; q=0.000"], False),
        ([b"*/*"], False),
        ([b"text/*"], False),
        ([b"application/json"], False),
        ([b""], False),
        ([], False),
    ],
)
def test_browsers_get_the_page_and_others_do_not(accept: list[bytes], is_wanted: bool) -> None:
    headers: Headers = [(b"accept", value) for value in accept]

    assert wants_page(headers) is is_wanted


def test_the_document_is_asked_for_again_each_time(page: Page) -> None:
    status, headers, body = index(page)
    sent = dict(headers)

    assert status == 200
    assert body.startswith(b"<script")
    assert sent[b"content-type"] == b"text/html; charset=utf-8"
    assert sent[b"cache-control"] == b"no-cache"
    assert sent[b"vary"] == b"accept, accept-encoding"


def test_the_document_is_not_sent_to_who_has_it(page: Page) -> None:
    first = dict(index(page)[1])
    status, headers, body = index(page, (b"if-none-match", b'"other", ' + first[b"etag"]))

    assert (status, body) == (304, b"")
    assert dict(headers)[b"etag"] == first[b"etag"]
    assert dict(headers)[b"content-security-policy"] == first[b"content-security-policy"]
    assert index(page, (b"if-none-match", b'"other"'))[0] == 200


def test_the_policy_allows_nothing_inline_but_the_import_map(page: Page) -> None:
    policy = dict(index(page)[1])[b"content-security-policy"].decode()
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    assert "unsafe" not in policy
    assert rules["default-src"] == "'none'"
    assert rules["script-src"].startswith("'self' 'sha256-")
    assert rules["style-src"] == rules["connect-src"] == rules["font-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"


def test_a_file_is_kept_for_ever(page: Page) -> None:
    address = address_of_script(page)
    status, headers, body = asyncio.run(page.file(address, []))

    assert status == 200
    assert body.startswith(b"let x")
    assert dict(headers) == {
        b"content-type": b"text/javascript; charset=utf-8",
        b"cache-control": b"public, max-age=31536000, immutable",
        b"vary": b"accept-encoding",
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"no-referrer",
        b"cross-origin-opener-policy": b"same-origin",
        b"cross-origin-resource-policy": b"same-origin",
        b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        (b"gzip, deflate, br", True),
        (b"br;q=1.0, gzip;q=0.5", True),
        (b"GZIP", True),
        (b"gzip;q=0", False),
        (b"gzip ; q=0.0", False),
        (b"br", False),
        (b"identity", False),
    ],
)
def test_only_who_takes_gzip_gets_it(page: Page, accepted: bytes, is_compressed: bool) -> None:
    headers = [(b"accept-encoding", accepted)]
    for _, answered, body in (
        index(page, *headers),
        asyncio.run(page.file(address_of_script(page), headers)),
    ):
        assert (dict(answered).get(b"content-encoding") == b"gzip") is is_compressed
        assert body.startswith(b"\x1f\x8b") is is_compressed


def test_a_file_that_is_not_there_is_not_found(page: Page) -> None:
    folder = address_of_script(page).rpartition("/")[0]
    for path in ("/ui/", "/ui/main.js", f"{folder}/other.js", f"{folder}/../main.js"):
        with pytest.raises(NotFound, match="The page has no file"):
            asyncio.run(page.file(path, []))


def test_a_server_starts_without_the_page() -> None:
    program = "import sys, headway.server.app; print('headway.server.page' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert ran.stdout.strip() == b"False"
