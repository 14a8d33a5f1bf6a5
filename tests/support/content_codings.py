"""Texts compressed in every content coding, by the libraries."""

from __future__ import annotations

import gzip
import importlib
import zlib
from collections.abc import Callable

import pytest

TEXT = b"".join(b"line %d of a text that repeats itself\n" % number for number in range(5000))


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


def brotli(data: bytes) -> bytes:
    return bytes(pytest.importorskip("brotli", minversion="1.2").compress(data))


def zstd(data: bytes) -> bytes:
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        module = pytest.importorskip("backports.zstd")
    return bytes(module.compress(data))


CODINGS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZip ", gzip.compress),
    "gzip in two members": (
        b"gzip",
        lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:]),
    ),
    "deflate": (b"deflate", zlib.compress),
    "deflate without its header": (b"deflate", raw_deflate),
    "br": (b"br", brotli),
    "zstd": (b"zstd", zstd),
    "zstd in two frames": (b"zstd", lambda data: zstd(data[:9]) + zstd(data[9:])),
}
