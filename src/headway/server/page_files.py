"""The files of the web page: read when somebody asks for them, compressed once, kept in memory.

Their addresses contain a digest of the whole folder, so a browser may keep them for ever. Edits are
seen without a restart: a file's new time of modification makes a new digest.
"""

from __future__ import annotations

import gzip
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / "page"
INDEX = "index.html"
PLACEHOLDER = b"ui/dev/"
"""Where the files are, as the index names them."""
DIGEST_LENGTH = 16
CONTENT_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".woff2": b"font/woff2",
}
"""Files of other types (licences, this page's README) are not served."""
SERVED = tuple(CONTENT_TYPES)
COMPRESSED = frozenset({".png", ".woff2"})
"""Types that are compressed already."""
IMPORT_MAP = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)

Times = Mapping[str, tuple[int, int]]
"""Path in the folder -> time of modification in nanoseconds, and size."""


class File(NamedTuple):
    content_type: bytes
    content: bytes
    compressed: bytes | None


class Version(NamedTuple):
    """The folder at one moment."""

    digest: str
    times: Times
    document: File
    """The index, with the addresses of this version's files."""
    import_map_hash: str
    """The source expression of the inline import map (W3C Content Security Policy Level 3)."""


class PageFiles:
    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._version: Version | None = None
        self._kept: dict[str, File] = {}

    def current(self) -> Version:
        """The newest version. Reads all files if one has changed; may block."""
        times = dict(_times(self._folder))
        if self._version is None or self._version.times != times:
            self._kept = {}
            self._version = self._read(times)
        return self._version

    def kept(self, digest: str, path: str) -> File | None:
        """A file that was read before. Never blocks."""
        known = self._version is not None and self._version.digest == digest
        return self._kept.get(path) if known else None

    def read(self, digest: str, path: str) -> File | None:
        """A file; None if this version has none of this path, or is not the newest. May block."""
        version = self._version
        if version is None or version.digest != digest:
            version = self.current()
        if version.digest != digest or path not in version.times or path == INDEX:
            return None
        self._kept[path] = file = _file(path, (self._folder / path).read_bytes())
        return file

    def _read(self, times: Times) -> Version:
        contents = {path: (self._folder / path).read_bytes() for path in sorted(times)}
        total = sha256()
        for path, content in contents.items():
            total.update(f"{path}\0{len(content)}\0".encode())
            total.update(content)
        digest = total.hexdigest()[:DIGEST_LENGTH]
        index = contents[INDEX].replace(PLACEHOLDER, f"ui/{digest}/".encode())
        return Version(digest, times, _file(INDEX, index), _import_map_hash(index))


def _times(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """Asked at every look for the page: ``os.scandir`` takes less than half of
    ``Path.rglob``'s time."""
    waiting = [("", str(folder))]
    while waiting:
        prefix, directory = waiting.pop()
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir():
                    waiting.append((f"{prefix}{entry.name}/", entry.path))
                elif entry.name.endswith(SERVED):
                    stat = entry.stat()
                    yield f"{prefix}{entry.name}", (stat.st_mtime_ns, stat.st_size)


def _file(path: str, content: bytes) -> File:
    suffix = Path(path).suffix
    compressed = None if suffix in COMPRESSED else gzip.compress(content, 9, mtime=0)
    return File(CONTENT_TYPES[suffix], content, compressed)


def _import_map_hash(index: bytes) -> str:
    found = IMPORT_MAP.search(index)
    content = b"" if found is None else found[1]
    return f"'sha256-{b64encode(sha256(content).digest()).decode()}'"
