from __future__ import annotations

import gzip
import random
import socket
from hashlib import sha1, sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
from tiktoken import Encoding
from tiktoken_ext import openai_public

from headway.metering.vocabulary import (
    VOCABULARIES,
    DamagedVocabularyError,
    EncodingName,
    encoding,
    ranks,
)

NAMES: tuple[EncodingName, ...] = get_args(EncodingName)
URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz     ",
    "ABCdef'sSTll '\n\r\t  ",
    "0123456789.,- ",
    "äöüßéèñçÅø\u0130\u0131\u017f\u212a ",
    "абвгдежзΑΒΓαβγ ",
    "漢字仮名カナひらがな한국어 ",
    "אבגדאבجدהव्यनीท้ ",
    "\U0001f600\U0001f468\u200d\U0001f469\ufe0f❤ ",
    "{}[]()<>/\\|!?#$%^&*_=+~`\"' ",
    "\u00a0\u2003\u3000\u0085\u2028\x00\x1c\x7f \n",
]


def shipped(name: str) -> bytes:
    return (files("headway.metering") / "vocab" / f"{name}.tiktoken.gz").read_bytes()


def strings() -> list[str]:
    chance = random.Random(11)
    mixed = [*ALPHABETS, "".join(ALPHABETS)]
    fuzz = [
        "".join(chance.choices(chance.choice(mixed), k=chance.randrange(1, 60)))
        for _ in range(3000)
    ]
    anything = [
        "".join(chr(chance.choice([chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)]))
                for _ in range(20))
        for _ in range(500)
    ]  # fmt: skip
    return [*fuzz, *anything, "Hello! Who are you?", "<|endoftext|>", "", " ", "\n\n  x"]


@pytest.mark.parametrize("name", NAMES)
def test_every_encoding_agrees_with_the_library_that_publishes_it(
    name: EncodingName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / sha1(URL.format(name).encode()).hexdigest()
    cached.write_bytes(gzip.decompress(shipped(name)))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    published: dict[str, Any] = getattr(openai_public, name)()
    assert VOCABULARIES[name].pattern == published["pat_str"]
    theirs, ours = Encoding(**published), encoding(name)
    for text in strings():
        assert ours.encode_ordinary(text) == theirs.encode(text, disallowed_special=())


@pytest.mark.parametrize("name", NAMES)
def test_loading_needs_no_network_no_environment_and_no_cache(
    name: EncodingName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    fresh = encoding.__wrapped__(name)
    assert fresh.decode(fresh.encode_ordinary("déjà vu")) == "déjà vu"
    assert list(tmp_path.iterdir()) == []


def test_an_encoding_is_built_once() -> None:
    assert encoding("cl100k_base") is encoding("cl100k_base")


@pytest.mark.parametrize(
    "damage",
    [b"", b"not gzip", shipped("cl100k_base")[:5000], shipped("cl100k_base")[:50] + b"\0" * 5000],
    ids=["empty", "not gzip", "cut", "overwritten"],
)
def test_a_damaged_file_is_refused(damage: bytes) -> None:
    with pytest.raises(DamagedVocabularyError, match="reinstall headway"):
        ranks(damage, VOCABULARIES["cl100k_base"].sha256)


def test_a_file_with_another_hash_is_refused_even_if_whole() -> None:
    with pytest.raises(DamagedVocabularyError, match="sha256"):
        ranks(gzip.compress(b"YQ== 0\n"), VOCABULARIES["cl100k_base"].sha256)


def test_a_vocabulary_is_lines_of_base64_and_rank() -> None:
    data = b"YQ== 0\nYg== 1\nYWI= 2\n"
    assert ranks(gzip.compress(data), sha256(data).hexdigest()) == {b"a": 0, b"b": 1, b"ab": 2}
