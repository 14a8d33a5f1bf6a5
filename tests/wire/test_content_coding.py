from __future__ import annotations

import gzip
import sys

import pytest

from headway.wire.content_coding import (
    DECODERS,
    MAX_PIECE,
    BodyTooLargeError,
    coding_name,
    decode_body,
    new_decoder,
)
from support.content_codings import CODINGS, TEXT
from support.for_each import for_each


@pytest.mark.parametrize("name", CODINGS)
def test_a_body_is_decompressed_up_to_the_limit(name: str) -> None:
    coding, encode = CODINGS[name]
    assert decode_body(coding_name(coding), encode(TEXT), len(TEXT)) == TEXT
    with pytest.raises(BodyTooLargeError):
        decode_body(coding_name(coding), encode(TEXT), len(TEXT) - 1)


@pytest.mark.parametrize("name", CODINGS)
def test_pieces_have_a_limited_size(name: str) -> None:
    coding, encode = CODINGS[name]
    decoder = new_decoder(coding_name(coding))
    assert decoder is not None
    pieces = list(decoder.decode(encode(bytes(1_000_000))))
    assert sum(map(len, pieces)) == 1_000_000
    assert max(map(len, pieces)) <= 2 * MAX_PIECE


@for_each("name", CODINGS)
@for_each("cut", [b"no such coding", None])
def test_a_body_that_is_not_in_its_coding_is_an_error(name: str, cut: bytes | None) -> None:
    coding, encode = CODINGS[name]
    with pytest.raises(ValueError):
        decode_body(coding_name(coding), encode(TEXT)[:-5] if cut is None else cut, 1 << 20)


@pytest.mark.parametrize("coding", DECODERS)
def test_an_empty_body_stays_empty(coding: str) -> None:
    assert decode_body(coding, b"", 10) == b""


@pytest.mark.parametrize("coding", DECODERS)
def test_no_bytes_have_no_output(coding: str) -> None:
    decoder = new_decoder(coding)
    assert decoder is not None
    assert b"".join(decoder.decode(b"")) == b""
    assert decoder.is_complete() is (coding in ("gzip", "deflate"))


@pytest.mark.parametrize(
    ("header", "name"),
    [(b" GZip ", "gzip"), (b"x-gzip", "gzip"), (b"identity", ""), (b"", ""), (b"br", "br")],
)
def test_the_header_names_the_coding(header: bytes, name: str) -> None:
    assert coding_name(header) == name


@pytest.mark.parametrize("coding", ["lzma", "gzip, br", "*"])
def test_an_unknown_coding_is_an_error(coding: str) -> None:
    with pytest.raises(LookupError):
        decode_body(coding, gzip.compress(TEXT), 1 << 20)


def test_a_coding_without_its_module_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("brotli", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    assert (new_decoder("br"), new_decoder("zstd")) == (None, None)
    assert new_decoder("gzip") is not None
