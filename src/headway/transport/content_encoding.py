"""Decompresses bodies of providers that compress although the request accepts ``identity`` only
(content codings, RFC 9110, section 8.4.1).

gzip and deflate are the standard library's; brotli and zstd work where a module for them is
installed. Output comes in pieces of bounded size and stops at a limit, however small the input.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from headway.errors import UpstreamGarbled

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


class BodyDecoder:
    """A decoder, and the limit on the size of the decompressed body (bytes)."""

    __slots__ = ("_coding", "_decoder", "_host", "_limit", "_remaining")

    def __init__(self, coding: str, decoder: Decoder, limit: int, host: str) -> None:
        self._coding = coding
        self._decoder = decoder
        self._limit = self._remaining = limit
        self._host = host

    def decode(self, data: bytes, push: Callable[[bytes], None]) -> None:
        """Call ``push`` with each decompressed piece. Raises UpstreamGarbled for invalid bytes,
        and at the limit."""
        pieces = self._decoder.decode(data)
        while (piece := self._next(pieces)) is not None:
            self._remaining -= len(piece)
            if self._remaining < 0:
                raise UpstreamGarbled(
                    f"the {self._coding} answer of {self._host} grew beyond {self._limit} bytes"
                    " when decoded",
                    code="body_too_large",
                )
            if piece:
                push(piece)

    def end(self) -> None:
        """The body is complete. Raises UpstreamGarbled if the compressed stream is not."""
        if not self._decoder.is_complete():
            raise self._error("it stops before its end")

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        try:
            return next(pieces, None)
        except self._decoder.errors as error:
            raise self._error(str(error)) from error

    def _error(self, reason: str) -> UpstreamGarbled:
        return UpstreamGarbled(
            f"the answer of {self._host} is not the {self._coding} that it says: {reason}",
            code="bad_content_encoding",
        )


def find_decoder(value: bytes, limit: int, host: str) -> BodyDecoder | None:
    """The decoder for a content-encoding header's value; None for identity. ``limit`` is in
    decompressed bytes. Raises UpstreamGarbled for a coding that cannot be decoded here."""
    coding = value.decode("latin-1").strip().lower().removeprefix("x-")
    if coding in ("", "identity"):
        return None
    decoder = DECODERS[coding](coding) if coding in DECODERS else None
    if decoder is None:
        raise UpstreamGarbled(
            f"{host} compressed its answer as {coding!r}, which it was not asked to and which"
            f" cannot be decoded here (known: {', '.join(DECODERS)}; br and zstd with the"
            " packages brotli and backports.zstd)",
            code="unknown_content_encoding",
        )
    return BodyDecoder(coding, decoder, limit, host)


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
