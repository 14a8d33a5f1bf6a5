"""Decompress HTTP content codings (RFC 9110, section 8.4.1): gzip, deflate, br and zstd.

gzip and deflate are the standard library's; brotli and zstd work where a module for them is
installed. Output comes in pieces of bounded size, however small the input.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

MAX_PIECE = 65_536


class Decoder(Protocol):
    """Decompresses one body."""

    errors: tuple[type[Exception], ...]
    """Exceptions of its library for invalid bytes."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Pieces of about ``MAX_PIECE`` bytes at most, some of them empty."""

    def is_complete(self) -> bool:
        """The compressed stream has reached its end, or never began."""


class ZlibDecoder:
    """gzip with any number of members, or deflate with or without its zlib header: RFC 9110 says
    with, but many servers send it without."""

    __slots__ = ("_decompressor", "_is_deflate", "errors")

    def __init__(self, coding: str) -> None:
        self.errors: tuple[type[Exception], ...] = (zlib.error,)
        self._is_deflate = coding == "deflate"
        self._decompressor: Any = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        more = True
        while data or more:
            if data and (self._decompressor is None or self._decompressor.eof):
                self._decompressor = zlib.decompressobj(self._window(data))
            if self._decompressor is None:
                return
            piece = self._decompressor.decompress(data, MAX_PIECE)
            more = len(piece) >= MAX_PIECE  # zlib may hold output back with no input left
            data = self._decompressor.unconsumed_tail or self._decompressor.unused_data
            yield piece

    def _window(self, data: bytes) -> int:
        if not self._is_deflate:
            return 16 + zlib.MAX_WBITS
        # A zlib stream's first byte says method 8 in its low half (RFC 1950, section 2.2).
        return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS

    def is_complete(self) -> bool:
        return self._decompressor is None or bool(self._decompressor.eof)


class BrotliDecoder:
    __slots__ = ("_began", "_decompressor", "errors")

    def __init__(self, module: Any) -> None:
        self.errors: tuple[type[Exception], ...] = (module.error,)
        self._decompressor = module.Decompressor()
        self._began = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._began = True
        more = True
        while data or (more and not self._decompressor.is_finished()):
            piece = self._decompressor.process(data, output_buffer_limit=MAX_PIECE)
            data = b""  # the library keeps what it did not use, and holds output back
            more = len(piece) >= MAX_PIECE or not self._decompressor.can_accept_more_data()
            yield piece

    def is_complete(self) -> bool:
        return not self._began or bool(self._decompressor.is_finished())


class ZstdDecoder:
    """Over ``compression.zstd`` (Python 3.14) or its backport, which can limit their output."""

    __slots__ = ("_began", "_decompressor", "_module", "errors")

    def __init__(self, module: Any) -> None:
        self.errors: tuple[type[Exception], ...] = (module.ZstdError,)
        self._module = module
        self._decompressor = module.ZstdDecompressor()
        self._began = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._began = True
        while data or not (self._decompressor.eof or self._decompressor.needs_input):
            if self._decompressor.eof:  # frames may follow one another (RFC 8878, section 3.1)
                self._decompressor = self._module.ZstdDecompressor()
            yield self._decompressor.decompress(data, MAX_PIECE)
            data = self._decompressor.unused_data if self._decompressor.eof else b""

    def is_complete(self) -> bool:
        return not self._began or bool(self._decompressor.eof)


def _brotli(_coding: str) -> Decoder | None:
    module = _module("brotli")  # older than 1.2, it cannot limit its output
    has_limit = hasattr(module, "Decompressor") and hasattr(
        module.Decompressor, "can_accept_more_data"
    )
    return BrotliDecoder(module) if has_limit else None


def _zstd(_coding: str) -> Decoder | None:
    module = _module("compression.zstd") or _module("backports.zstd")
    return ZstdDecoder(module) if module else None


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


DECODERS: dict[str, Callable[[str], Decoder | None]] = {
    "gzip": ZlibDecoder,
    "deflate": ZlibDecoder,
    "br": _brotli,
    "zstd": _zstd,
}


def new_decoder(coding: str) -> Decoder | None:
    """None for a coding that is unknown, or whose module is not installed."""
    return DECODERS[coding](coding) if coding in DECODERS else None


def coding_name(header: bytes) -> str:
    """The coding in a content-encoding header, in lower case; empty for identity."""
    name = header.decode("latin-1").strip().lower().removeprefix("x-")
    return "" if name == "identity" else name


class BodyTooLargeError(ValueError):
    """The decompressed body is over the limit."""


def decode_body(coding: str, body: bytes, limit: int) -> bytes:
    """A whole body, decompressed to at most ``limit`` bytes. Raises LookupError for a coding that
    cannot be decoded here, BodyTooLargeError, and ValueError for bytes that are not in it."""
    decoder = new_decoder(coding)
    if decoder is None:
        raise LookupError(coding)
    pieces: list[bytes] = []
    size = 0
    try:
        for piece in decoder.decode(body) if body else ():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise BodyTooLargeError
    except decoder.errors as error:
        raise ValueError(str(error)) from error
    if not decoder.is_complete():
        raise ValueError("it stops before its end")
    return b"".join(pieces)
