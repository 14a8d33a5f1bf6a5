"""Decompresses bodies of providers that compress although the request accepts ``identity`` only
(content codings, RFC 9110, section 8.4.1). Output stops at a limit, however small the input."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from headway.errors import UpstreamGarbled
from headway.wire.content_coding import DECODERS, Decoder, coding_name, new_decoder


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
    coding = coding_name(value)
    if not coding:
        return None
    decoder = new_decoder(coding)
    if decoder is None:
        raise UpstreamGarbled(
            f"{host} compressed its answer as {coding!r}, which it was not asked to and which"
            f" cannot be decoded here (known: {', '.join(DECODERS)}; br and zstd with the"
            " packages brotli and backports.zstd)",
            code="unknown_content_encoding",
        )
    return BodyDecoder(coding, decoder, limit, host)
