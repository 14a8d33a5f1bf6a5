from __future__ import annotations

import gzip
import json
import random

import pytest

from headway.dialects.base import ClientRequest, DecodedRequest, Dialect
from headway.dialects.engine import Engine
from headway.dialects.openai.chat import OpenAIChat
from headway.dialects.openai.embeddings import OpenAIEmbeddings
from headway.errors import BodyTooLarge, InvalidBody, InvalidField, UnsupportedEncoding
from headway.pipeline.request_body import decode_request
from headway.wire.json_size import has_more_items
from support.content_codings import CODINGS
from support.for_each import for_each

BODIES: list[tuple[Dialect, bytes]] = [
    (Engine(), b'{"model": "m", "chat_input": "Hi"}'),
    (OpenAIChat(), b'{"model": "p/m", "messages": [{"role": "user", "content": "Hi"}]}'),
    (OpenAIEmbeddings(), b'{"model": "p/m", "input": "Hi"}'),
]


def decode(
    dialect: Dialect, body: bytes, *codings: bytes, limit: int = 1 << 20, items: int = 1000
) -> DecodedRequest:
    headers = [(b"content-encoding", coding) for coding in codings]
    return decode_request(dialect, ClientRequest("p", headers, body), limit, items)


@for_each("name", CODINGS)
@for_each(("dialect", "body"), BODIES)
def test_a_compressed_body_is_decoded(dialect: Dialect, body: bytes, name: str) -> None:
    coding, encode = CODINGS[name]
    assert decode(dialect, encode(body), coding) == decode(dialect, body)


def test_json_that_only_says_it_is_compressed_is_read() -> None:
    assert decode(*BODIES[0], b"gzip").request.model == "m"


@pytest.mark.parametrize("codings", [(b"compress",), (b"gzip", b"br"), (b"aes128gcm",)])
def test_a_coding_that_is_not_known_is_named(codings: tuple[bytes, ...]) -> None:
    with pytest.raises(UnsupportedEncoding) as caught:
        decode(Engine(), gzip.compress(BODIES[0][1]), *codings)
    assert caught.value.status == 415
    assert repr(b",".join(codings).decode()) in str(caught.value)
    assert "gzip, deflate, br, zstd" in str(caught.value)


def test_a_body_is_limited_when_decompressed() -> None:
    body = json.dumps({"model": "m", "chat_input": "x" * 5000}).encode()
    with pytest.raises(BodyTooLarge, match="larger than 5000 bytes when decompressed"):
        decode(Engine(), gzip.compress(body), b"gzip", limit=5000)


@pytest.mark.parametrize(
    "cut", [b"not compressed", gzip.compress(BODIES[0][1])[:-3]], ids=["text", "truncated"]
)
def test_a_body_that_is_not_in_its_coding_is_told(cut: bytes) -> None:
    with pytest.raises(InvalidBody, match="is not the gzip that its content-encoding header says"):
        decode(Engine(), cut, b"gzip")


@pytest.mark.parametrize("codings", [(), (b"identity",)])
def test_a_body_that_is_no_json_stays_an_error(codings: tuple[bytes, ...]) -> None:
    with pytest.raises(InvalidBody, match="JSON"):
        decode(Engine(), b"{", *codings)


def test_what_is_wrong_in_a_compressed_body_is_named() -> None:
    with pytest.raises(InvalidField) as caught:
        decode(Engine(), gzip.compress(b'{"model": 1, "chat_input": "Hi"}'), b"gzip")
    assert caught.value.param == "model"


def test_a_body_of_too_many_items_is_refused_plain_and_compressed() -> None:
    calls = [{"id": str(number), "type": "function"} for number in range(200)]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    body = json.dumps({"model": "p/m", "messages": [message]}).encode()
    dialect = OpenAIChat()
    assert decode(dialect, body, items=1011).request.model == "m"
    assert decode(dialect, gzip.compress(body), b"gzip", items=1011).request.model == "m"
    for coded, codings in ((body, ()), (gzip.compress(body), (b"gzip",))):
        with pytest.raises(BodyTooLarge, match="more than 1010 strings, objects"):
            decode(dialect, coded, *codings, items=1010)


def test_compressed_bytes_are_not_counted_as_json() -> None:
    body = json.dumps({"model": "m", "chat_input": random.Random(1).randbytes(40_000).hex()})
    coded = gzip.compress(body.encode(), 9)
    assert has_more_items(coded, 100)
    assert decode(Engine(), coded, b"gzip", items=100).request.model == "m"
