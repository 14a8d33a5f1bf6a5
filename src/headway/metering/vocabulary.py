"""The tokenizer vocabularies, shipped in the package and never downloaded.

The two files are OpenAI's, as tiktoken would download them from
``openaipublic.blob.core.windows.net/encodings/{name}.tiktoken``, gzipped. tiktoken publishes their
sha256 and their split patterns in ``tiktoken_ext/openai_public.py``; a file with another hash is
rejected.
"""

from __future__ import annotations

import gzip
import zlib
from binascii import a2b_base64
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal

from msgspec import Struct
from tiktoken import Encoding

EncodingName = Literal["cl100k_base", "o200k_base"]


class Vocabulary(Struct, frozen=True):
    """The definition of an encoding, without special tokens: client text contains none."""

    sha256: str
    pattern: str


VOCABULARIES: dict[EncodingName, Vocabulary] = {
    "cl100k_base": Vocabulary(
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
    "o200k_base": Vocabulary(
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
}


class DamagedVocabularyError(ValueError):
    """A shipped vocabulary file differs from the published one: the installation is damaged."""


@cache
def encoding(name: EncodingName) -> Encoding:
    """The encoding, built on first use (0.2 s) and cached.

    Raises DamagedVocabularyError.
    """
    vocabulary = VOCABULARIES[name]
    packed = (files(__package__) / "vocab" / f"{name}.tiktoken.gz").read_bytes()
    return Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks=ranks(packed, vocabulary.sha256),
        special_tokens={},
    )


def ranks(packed: bytes, expected_sha256: str) -> dict[bytes, int]:
    """A gzipped vocabulary as token -> rank, verified. Each line of the file is ``base64 rank``.

    Raises DamagedVocabularyError.
    """
    try:
        data = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise DamagedVocabularyError(
            f"not a whole gzip file: {error}; reinstall headway"
        ) from error
    found = sha256(data).hexdigest()
    if found != expected_sha256:
        raise DamagedVocabularyError(f"sha256 {found} is not {expected_sha256}; reinstall headway")
    fields = data.split()
    return dict(zip(map(a2b_base64, fields[::2]), map(int, fields[1::2]), strict=True))
