from __future__ import annotations

import pytest

from headway.errors import UpstreamGarbled
from headway.transport.content_encoding import find_decoder
from headway.wire.content_coding import MAX_PIECE
from support.content_codings import CODINGS, TEXT


def decode(coding: bytes, pieces: list[bytes], limit: int = 1 << 30) -> list[bytes]:
    decoding = find_decoder(coding, limit, "host.test")
    assert decoding is not None
    out: list[bytes] = []
    for piece in pieces:
        decoding.decode(piece, out.append)
    decoding.end()
    return out


@pytest.mark.parametrize("name", CODINGS)
def test_a_body_is_decoded_whole_and_a_byte_at_a_time(name: str) -> None:
    coding, encode = CODINGS[name]
    packed = encode(TEXT)
    assert b"".join(decode(coding, [packed])) == TEXT
    assert b"".join(decode(coding, [packed[at : at + 1] for at in range(len(packed))])) == TEXT


@pytest.mark.parametrize("name", CODINGS)
def test_decompressed_pieces_have_a_limited_size(name: str) -> None:
    coding, encode = CODINGS[name]
    out = decode(coding, [encode(bytes(4_000_000))])
    assert sum(map(len, out)) == 4_000_000
    assert max(map(len, out)) <= 4 * MAX_PIECE


@pytest.mark.parametrize("name", CODINGS)
def test_a_decompression_bomb_is_stopped_at_its_limit(name: str) -> None:
    coding, encode = CODINGS[name]
    with pytest.raises(UpstreamGarbled, match="grew beyond 100000 bytes"):
        decode(coding, [encode(bytes(4_000_000))], limit=100_000)


@pytest.mark.parametrize("name", CODINGS)
def test_a_truncated_body_is_an_error(name: str) -> None:
    coding, encode = CODINGS[name]
    with pytest.raises(UpstreamGarbled, match="stops before its end"):
        decode(coding, [encode(TEXT)[:-1]])


@pytest.mark.parametrize("name", CODINGS)
def test_a_body_that_is_not_in_its_content_encoding_is_an_error(name: str) -> None:
    coding, encode = CODINGS[name]
    encode(b"")  # skips where the module for it is missing
    with pytest.raises(UpstreamGarbled, match="is not the") as caught:
        decode(coding, [b'{"plain": "text"}' * 9])
    assert caught.value.code == "bad_content_encoding"


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_an_empty_body_of_any_coding_is_empty(coding: bytes) -> None:
    CODINGS[coding.decode()][1](b"")
    assert decode(coding, []) == []


@pytest.mark.parametrize("value", [b"identity", b"", b" Identity "])
def test_identity_needs_no_decoding(value: bytes) -> None:
    assert find_decoder(value, 1, "host.test") is None


@pytest.mark.parametrize("value", [b"lzma", b"gzip, br", b"*"])
def test_an_unknown_coding_is_named(value: bytes) -> None:
    with pytest.raises(UpstreamGarbled) as caught:
        find_decoder(value, 1, "host.test")
    assert caught.value.code == "unknown_content_encoding"
    assert value.decode() in caught.value.message
    assert "host.test" in caught.value.message
