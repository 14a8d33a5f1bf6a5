"""The vectors of an embeddings response as the request asked for them, for all wire formats.

``encoding_format`` is ``float`` (the default) or ``base64``: little-endian float32
(platform.openai.com/docs/api-reference/embeddings/create; openai-python, resources/embeddings.py).
Many providers ignore it, or have no such parameter.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Raw

from headway.errors import InvalidField
from headway.events import Embeddings
from headway.types import EmbeddingsRequest

Vector = list[float] | str
TYPE_PARAMETERS = ("embedding_types", "output_dtype")
"""Parameters of Cohere, Mistral and Voyage that ask for another type than float32. Such vectors
are passed on as they are."""
FLOAT32_SIZE = 4
"""Bytes."""

_decode_any = msgspec.json.Decoder().decode


def fit_vectors(embeddings: Embeddings, request: EmbeddingsRequest) -> Embeddings:
    """One vector for each input, in the encoding that the request asks for. Raises ValueError where
    the numbers of vectors and of inputs differ, because then nobody knows which belong together,
    and for base64 that is not float32."""
    vectors = embeddings.vectors
    found, expected = sum(map(bool, vectors)), count_inputs(request.input)
    if found != expected or len(vectors) != expected:
        raise ValueError(f"the answer has {found} vectors for {expected} inputs")
    convert = _converter(request.parameters)
    if convert is not None:
        vectors = [convert(vector) for vector in vectors]
    return msgspec.structs.replace(embeddings, vectors=vectors)


def check_encoding(parameters: Mapping[str, Raw]) -> None:
    """For a provider that is not sent ``encoding_format``. Raises InvalidField for one that nobody
    would apply."""
    if bytes(parameters.get("encoding_format", b"null")) not in CONVERTERS:
        message = "`encoding_format` must be float or base64."
        raise InvalidField(message, param="encoding_format")


def count_inputs(raw: Raw) -> int:
    """The number of vectors that an ``input`` asks for: a text or a list of tokens is one input."""
    given = _decode_any(raw)
    if not isinstance(given, list) or all(isinstance(each, int) for each in given):
        return 1
    return len(given)


def count_given_tokens(raw: Raw) -> int:
    """The number of tokens in an ``input`` that has tokens instead of texts, or beside them."""
    given = _decode_any(raw)
    items = given if isinstance(given, list) else ()
    return sum(len(each) if isinstance(each, list) else isinstance(each, int) for each in items)


def _converter(parameters: Mapping[str, Raw]) -> Callable[[Vector], Vector] | None:
    """None where vectors are passed on as they are: a vendor's own type, or its own encoding."""
    if any(name in parameters for name in TYPE_PARAMETERS):
        return None
    return CONVERTERS.get(bytes(parameters.get("encoding_format", b"null")))


def _as_base64(vector: Vector) -> Vector:
    if isinstance(vector, str):
        return vector
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _as_floats(vector: Vector) -> Vector:
    if not isinstance(vector, str):
        return vector
    data = b64decode(vector, validate=True)
    if len(data) % FLOAT32_SIZE:
        raise ValueError("a vector in base64 is not a list of float32")
    return list(struct.unpack(f"<{len(data) // FLOAT32_SIZE}f", data))


CONVERTERS: Mapping[bytes, Callable[[Vector], Vector]] = {
    b"null": _as_floats,
    b'"float"': _as_floats,
    b'"base64"': _as_base64,
}
"""By ``encoding_format`` in JSON."""
