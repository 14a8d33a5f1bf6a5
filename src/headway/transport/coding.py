"""Content codings: what a provider compressed although it was asked not to (RFC 9110, 8.4.1).

gzip and deflate are the standard library's; brotli and zstd work where a module for them is
installed. Output comes in pieces of bounded size and stops at a limit, however small the input.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from headway.errors import UpstreamGarbled

PIECE = 65_536


class Decoder(Protocol):
    """One body's decoder."""

    errors: tuple[type[Exception], ...]
    """What its library raises for bytes that it cannot read."""

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Pieces of about ``PIECE`` bytes at most, some of them empty."""

    def is_whole(self) -> bool:
        """The compressed stream reached its own end, or never began."""


class ZlibDecoder:
    """gzip with any number of members, or deflate with or without its zlib header: RFC 9110 means
    with, servers have long sent it without."""

    __slots__ = ("_engine", "_is_deflate", "errors")

    def __init__(self, coding: str) -> None:
        self.errors: tuple[type[Exception], ...] = (zlib.error,)
        self._is_deflate = coding == "deflate"
        self._engine: Any = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        more = True
        while data or more:
            if data and (self._engine is None or self._engine.eof):
                self._engine = zlib.decompressobj(self._window(data))
            if self._engine is None:
                return
            piece = self._engine.decompress(data, PIECE)
            more = len(piece) >= PIECE  # the engine may hold output back with no input left
            data = self._engine.unconsumed_tail or self._engine.unused_data
            yield piece

    def _window(self, data: bytes) -> int:
        if not self._is_deflate:
            return 16 + zlib.MAX_WBITS
        # A zlib stream's first byte says method 8 in its low half (RFC 1950, section 2.2).
        return zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS

    def is_whole(self) -> bool:
        return self._engine is None or bool(self._engine.eof)


class BrotliDecoder:
    __slots__ = ("_began", "_engine", "errors")

    def __init__(self, module: Any) -> None:
        self.errors: tuple[type[Exception], ...] = (module.error,)
        self._engine = module.Decompressor()
        self._began = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._began = True
        more = True
        while data or (more and not self._engine.is_finished()):
            piece = self._engine.process(data, output_buffer_limit=PIECE)
            data = b""  # the engine keeps what it did not use, and holds output back
            more = len(piece) >= PIECE or not self._engine.can_accept_more_data()
            yield piece

    def is_whole(self) -> bool:
        return not self._began or bool(self._engine.is_finished())


class ZstdDecoder:
    """Over ``compression.zstd`` (Python 3.14) or its backport, which bound their output."""

    __slots__ = ("_began", "_engine", "_module", "errors")

    def __init__(self, module: Any) -> None:
        self.errors: tuple[type[Exception], ...] = (module.ZstdError,)
        self._module = module
        self._engine = module.ZstdDecompressor()
        self._began = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        self._began = True
        while data or not (self._engine.eof or self._engine.needs_input):
            if self._engine.eof:  # frames may follow one another (RFC 8878, section 3.1)
                self._engine = self._module.ZstdDecompressor()
            yield self._engine.decompress(data, PIECE)
            data = self._engine.unused_data if self._engine.eof else b""

    def is_whole(self) -> bool:
        return not self._began or bool(self._engine.eof)


class Decoding:
    """A body's decoder together with the limit on what the body may become."""

    __slots__ = ("_coding", "_decoder", "_host", "_left", "_limit")

    def __init__(self, coding: str, decoder: Decoder, limit: int, host: str) -> None:
        self._coding = coding
        self._decoder = decoder
        self._limit = self._left = limit
        self._host = host

    def decode(self, data: bytes, push: Callable[[bytes], None]) -> None:
        """Raises UpstreamGarbled for bytes that are not of this coding, and at the limit."""
        pieces = self._decoder.decode(data)
        while (piece := self._next(pieces)) is not None:
            self._left -= len(piece)
            if self._left < 0:
                raise UpstreamGarbled(
                    f"the {self._coding} answer of {self._host} grew beyond {self._limit} bytes"
                    " when decoded",
                    code="body_too_large",
                )
            if piece:
                push(piece)

    def end(self) -> None:
        """The body is complete. Raises UpstreamGarbled if the compressed stream is not."""
        if not self._decoder.is_whole():
            raise self._garbled("it stops before its end")

    def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        try:
            return next(pieces, None)
        except self._decoder.errors as error:
            raise self._garbled(str(error)) from error

    def _garbled(self, why: str) -> UpstreamGarbled:
        return UpstreamGarbled(
            f"the answer of {self._host} is not the {self._coding} that it says: {why}",
            code="bad_content_encoding",
        )


def find_decoding(value: bytes, limit: int, host: str) -> Decoding | None:
    """What a content-encoding header calls for; None is identity. Raises UpstreamGarbled naming a
    coding that cannot be decoded here."""
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
    return Decoding(coding, decoder, limit, host)


def _brotli(_coding: str) -> Decoder | None:
    module = _module("brotli")  # before 1.2 it could not bound its output
    has_bounds = hasattr(module, "Decompressor") and hasattr(
        module.Decompressor, "can_accept_more_data"
    )
    return BrotliDecoder(module) if has_bounds else None


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
