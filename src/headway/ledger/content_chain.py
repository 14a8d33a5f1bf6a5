"""Content in pieces that are kept once each: messages by their hash, and conversations as chains.

``split_content`` takes a ``Content`` apart. Each message is a *piece*, named by its SHA-256; long
base64 texts within it (images, files) are pieces of their own, as are long parameters. A *node* is
a message after its predecessors, and its hash is that of both: two conversations share the nodes of
their common beginning, so a further turn of an agent adds only its new messages.

Within the body of a piece a reference to another one is a NUL, a letter and the 32 hex digits of
its name: JSON contains no NUL. The letter says how the piece was encoded: ``b`` as base64, ``t`` as
text.
"""

from __future__ import annotations

import binascii
import logging
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.record import Content

HASH_BYTES = 16
"""Of a SHA-256: more than enough against accidents."""
MIN_BLOB, MIN_PARAMETER = 4096, 256
"""Bytes from which a text in base64, and a parameter, is a piece of its own."""
MIN_ZLIB = 64
ROOT = b""
"""The hash of the node before the first message."""
NO_RESPONSE = b"=null"
"""``Chain.response`` of a reply that its client did not have stored."""
TEXT_LIMIT = 200_000
"""Characters of a message that can be searched for."""

_log = logging.getLogger("headway.ledger")
_BLOB = re.compile(rb'(?<=[",])[A-Za-z0-9+/_-]{%d,}={0,2}(?=")' % MIN_BLOB)
_REFERENCE = re.compile(rb"\0([bt])([0-9a-f]{32})")
_list_of_raws = msgspec.json.Decoder(list[Raw]).decode
_SILENT_KEYS = frozenset(
    ("type", "role", "id", "call_id", "tool_call_id", "tool_use_id", "media_type", "mime_type",
     "mimeType", "format", "detail", "signature", "encrypted_content", "data", "cache_control")
)  # fmt: skip
"""Keys of messages whose texts nobody searches for."""


class Piece(Struct, frozen=True):
    """What is kept once."""

    hash: bytes
    data: bytes
    """With references to the pieces in ``refers``."""
    refers: tuple[bytes, ...] = ()
    is_searched: bool = False

    @property
    def body(self) -> bytes:
        """As ``compress`` gives it."""
        return compress(self.data)

    @property
    def text(self) -> str | None:
        """What a message says, for the search; None where there is nothing to find."""
        return text_of(_REFERENCE.sub(b"", self.data)) if self.is_searched else None


class Node(Struct, frozen=True):
    """A message after others."""

    hash: bytes
    parent: bytes
    """The node before; ``ROOT`` for the first message."""
    message: bytes
    """The piece."""


class Chain(Struct, frozen=True):
    """A ``Content`` in pieces."""

    pieces: Sequence[Piece]
    """Those that others refer to come first; each once."""
    nodes: Sequence[Node]
    """The messages of the request in order, then those of the reply, which all follow the last
    one of the request; each once."""
    head: bytes
    """The last node of the request; ``ROOT`` without messages."""
    outputs: Sequence[bytes]
    """The nodes of the reply."""
    parameters: bytes
    """A compressed JSON object, with references."""
    response: bytes
    """Compressed, with references."""
    refers: tuple[bytes, ...]
    """The pieces that ``parameters`` and ``response`` refer to."""


class _Pieces:
    """Collects pieces."""

    def __init__(self) -> None:
        self.found: dict[bytes, Piece] = {}

    def add_message(self, raw: bytes, *, is_searched: bool) -> bytes:
        hash_ = hash_of(raw)
        if hash_ not in self.found:
            self.found[hash_] = Piece(hash_, *self.extract_blobs(raw), is_searched)
        return hash_

    def extract_blobs(self, raw: bytes) -> tuple[bytes, tuple[bytes, ...]]:
        """``raw`` with references instead of long base64 texts, and what they refer to."""
        if b"\0" in raw:  # no JSON, and it would look like a reference
            raw = raw.replace(b"\0", b"\\u0000")
        if len(raw) < MIN_BLOB:
            return raw, ()
        refers: list[bytes] = []

        def replace(match: re.Match[bytes]) -> bytes:
            return self._add_blob(match.group(), refers)

        return _BLOB.sub(replace, raw), tuple(dict.fromkeys(refers))

    def _add_blob(self, text: bytes, refers: list[bytes]) -> bytes:
        hash_ = hash_of(text)
        decoded = decode_base64(text)
        kind, data = (b"t", text) if decoded is None else (b"b", decoded)
        refers.append(hash_)
        self.found.setdefault(hash_, Piece(hash_, data))
        return b"\0" + kind + hash_.hex().encode()

    def add_parameter(self, raw: bytes, refers: list[bytes]) -> bytes:
        """A short one itself, a long one as a reference."""
        if len(raw) < MIN_PARAMETER:
            return raw
        hash_ = self.add_message(raw, is_searched=False)
        refers.append(hash_)
        return b"\0t" + hash_.hex().encode()


def split_content(content: Content) -> Chain:
    """Raises ValueError where ``messages`` or ``output`` is no JSON array, or nested too deeply."""
    try:
        messages, output = _list_of_raws(content.messages), _list_of_raws(content.output)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"its messages are no list, or nested too deeply: {error}") from None
    pieces, refers, nodes = _Pieces(), list[bytes](), dict[bytes, Node]()
    is_searched = content.mode == "full"

    def append(parent: bytes, raw: Raw) -> bytes:
        message = pieces.add_message(bytes(raw), is_searched=is_searched)
        node = Node(hash_of(parent + message), parent, message)
        nodes[node.hash] = node
        return node.hash

    head = ROOT
    for raw in messages:
        head = append(head, raw)
    outputs = [append(head, raw) for raw in output]
    fields = [
        msgspec.json.encode(name) + b":" + pieces.add_parameter(bytes(value), refers)
        for name, value in content.parameters.items()
    ]
    response, in_response = pieces.extract_blobs(bytes(content.response))
    return Chain(
        pieces=list(pieces.found.values()),
        nodes=list(nodes.values()),
        head=head,
        outputs=outputs,
        parameters=compress(b"{" + b",".join(fields) + b"}"),
        response=compress(response),
        refers=tuple(dict.fromkeys((*refers, *in_response))),
    )


def split_if_possible(content: Content) -> Chain | None:
    """None, and a line of the log, for content that cannot be stored: it must not keep what follows
    it from being stored."""
    try:
        return split_content(content)
    except ValueError as error:
        _log.error("the content of %s cannot be stored: %s", content.call_id, error)
        return None


def search_words(text: str) -> list[str]:
    """The words that a search looks for, in lower case; none where the text has none."""
    return list(dict.fromkeys(re.findall(r"[^\W_]+", text.lower())))


def hash_of(data: bytes) -> bytes:
    return sha256(data).digest()[:HASH_BYTES]


def compress(data: bytes) -> bytes:
    """With zlib where that is smaller; the first byte tells which."""
    if len(data) >= MIN_ZLIB:
        packed = zlib.compress(data, 6)
        if len(packed) < len(data):
            return b"z" + packed
    return b"=" + data


def decompress(body: bytes) -> bytes:
    return zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]


def references_in(data: bytes) -> list[bytes]:
    """The names of the pieces that an uncompressed body refers to."""
    return [bytes.fromhex(match.group(2).decode()) for match in _REFERENCE.finditer(data)]


def restore(body: bytes, find: Callable[[bytes], bytes]) -> bytes:
    """The original of a compressed body; ``find`` gives the compressed body of a piece by its
    name."""

    def replace(match: re.Match[bytes]) -> bytes:
        original = restore(find(bytes.fromhex(match.group(2).decode())), find)
        if match.group(1) == b"b":
            return binascii.b2a_base64(original, newline=False)
        return original

    data = decompress(body)
    return _REFERENCE.sub(replace, data) if b"\0" in data else data


def restore_parameters(body: bytes, find: Callable[[bytes], bytes]) -> Mapping[str, Raw]:
    return msgspec.json.decode(restore(body, find), type=dict[str, Raw])


def replace_parameter(body: bytes, name: str, value: bytes | None) -> tuple[bytes, list[bytes]]:
    """Compressed parameters with another ``value`` (None: without it), and the pieces that they
    refer to no longer."""
    data, mark = decompress(body), b"piece"
    while mark in data:
        mark += b"e"
    # A reference is a whole value: as a text, it is JSON.
    quoted = _REFERENCE.sub(rb'"%b\1\2"' % mark, data)
    fields = msgspec.json.decode(quoted, type=dict[str, Raw])
    fields.pop(name, None)
    kept = re.sub(rb'"%b([bt])([0-9a-f]{32})"' % mark, rb"\0\1\2", msgspec.json.encode(fields))
    if value is not None:
        comma = b"," if fields else b""
        kept = kept[:-1] + comma + msgspec.json.encode(name) + b":" + value + b"}"
    left = set(references_in(kept))
    return compress(kept), [each for each in references_in(data) if each not in left]


def decode_base64(text: bytes) -> bytes | None:
    """What ``text`` encodes; None where encoding that again would not give ``text``."""
    try:
        decoded = binascii.a2b_base64(text)
    except ValueError:
        return None
    return decoded if binascii.b2a_base64(decoded, newline=False) == text else None


def text_of(raw: bytes) -> str | None:
    """The texts of a message, one a line; None where there are none."""
    try:
        text = "\n".join(_texts_in(msgspec.json.decode(raw)))
    except RecursionError:
        return None
    return text[:TEXT_LIMIT] or None


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key not in _SILENT_KEYS:
                yield from _texts_in(each)
