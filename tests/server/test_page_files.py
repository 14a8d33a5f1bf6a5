"""The files of the web page in a folder of the test's own, and those that ship."""

from __future__ import annotations

import gzip
import os
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from headway.server.page_files import FOLDER, PageFiles

IMPORT_MAP = '{"imports": {"preact": "./ui/dev/vendor/preact.js"}}'
DOCUMENT = f'<script type="importmap">{IMPORT_MAP}</script><link href="ui/dev/styles/base.css">'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "index.html": DOCUMENT,
        "app/main.js": "import 'preact';\n" * 20,
        "styles/base.css": "body { margin: 0 }",
        "vendor/font.woff2": "a font",
        "vendor/LICENSE": "MIT",
        "README.md": "# The page",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_document_names_files_of_this_version(folder: Path) -> None:
    version = PageFiles(folder).current()
    content = version.document.content.decode()

    assert re.fullmatch("[0-9a-f]{16}", version.digest)
    assert content == DOCUMENT.replace("ui/dev/", f"ui/{version.digest}/")
    assert version.document.compressed is not None
    assert gzip.decompress(version.document.compressed).decode() == content


def test_the_import_map_is_hashed_as_it_is_sent(folder: Path) -> None:
    version = PageFiles(folder).current()
    sent = IMPORT_MAP.replace("ui/dev/", f"ui/{version.digest}/").encode()

    assert version.import_map_hash == f"'sha256-{b64encode(sha256(sent).digest()).decode()}'"


def test_a_file_is_read_once_and_kept(folder: Path) -> None:
    files = PageFiles(folder)
    digest = files.current().digest

    assert files.kept(digest, "app/main.js") is None
    found = files.read(digest, "app/main.js")
    assert found is not None
    assert found.content_type == b"text/javascript; charset=utf-8"
    assert found.compressed is not None
    assert len(found.compressed) < len(found.content)
    assert files.kept(digest, "app/main.js") is found


def test_a_file_can_be_asked_for_before_the_document(folder: Path) -> None:
    digest = PageFiles(folder).current().digest

    assert PageFiles(folder).read(digest, "styles/base.css") is not None


def test_a_font_is_not_compressed_again(folder: Path) -> None:
    files = PageFiles(folder)
    found = files.read(files.current().digest, "vendor/font.woff2")

    assert found == (b"font/woff2", b"a font", None)


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "/", "app", "app/", "app/other.js", "/app/main.js", "app//main.js"),
        *("../page_files.py", "app/../app/main.js", "app/%6dain.js", "..\\index.html"),
        *("index.html", "README.md", "vendor/LICENSE"),
    ],
)
def test_only_the_files_of_the_page_can_be_read(folder: Path, path: str) -> None:
    files = PageFiles(folder)

    assert files.read(files.current().digest, path) is None


def test_another_versions_files_are_not_read(folder: Path) -> None:
    assert PageFiles(folder).read("0" * 16, "app/main.js") is None


def test_an_edit_makes_a_new_version(folder: Path) -> None:
    files = PageFiles(folder)
    old = files.current()
    files.read(old.digest, "app/main.js")
    assert files.current() is old

    path = folder / "app/main.js"
    path.write_text("edited")
    os.utime(path, ns=(1, 1))
    new = files.current()

    assert new.digest != old.digest
    assert files.kept(old.digest, "app/main.js") is None
    assert files.read(old.digest, "app/main.js") is None
    found = files.read(new.digest, "app/main.js")
    assert found is not None
    assert found.content == b"edited"


def test_the_digest_is_of_contents_and_names_not_of_times(folder: Path) -> None:
    files = PageFiles(folder)
    before = files.current().digest
    os.utime(folder / "app/main.js", ns=(1, 1))
    assert files.current().digest == before

    (folder / "app/main.js").rename(folder / "app/other.js")
    assert files.current().digest != before


def test_the_page_that_ships_names_files_that_it_has() -> None:
    files = PageFiles()
    version = files.current()
    names = re.findall(rf"ui/{version.digest}/([^\"']+)", version.document.content.decode())

    assert names
    assert [name for name in names if files.read(version.digest, name) is None] == []
    assert (FOLDER / "vendor/manifest.json").exists()
