"""Count tokens offline, for responses whose provider reported no usage.

OpenAI's models are counted with their own encoding. The tokens of other model families are counted
with o200k_base and multiplied by a factor (``FAMILIES``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct
from msgspec.json import encode

from headway.metering.vocabulary import EncodingName, encoding


class Counted(Struct, frozen=True):
    """``tokens`` is the count in ``encoding`` times ``factor``, rounded half up."""

    tokens: int
    encoding: str
    factor: Fraction


class Tokenizer(Struct, frozen=True):
    """How a model's tokens are counted; exact if ``factor`` is 1."""

    encoding: EncodingName
    factor: Fraction = Fraction(1)


CL100K = Tokenizer("cl100k_base")
O200K = Tokenizer("o200k_base")

OPENAI: tuple[tuple[str, Tokenizer], ...] = (
    ("gpt-4o", O200K),
    ("gpt-4.", O200K),
    ("gpt-4", CL100K),
    ("gpt-3.5", CL100K),
    ("gpt-35", CL100K),
    ("text-embedding-", CL100K),
    ("davinci-002", CL100K),
    ("babbage-002", CL100K),
)
"""Prefixes of model names, the first match applies; as in tiktoken's ``model.py``. All others
(gpt-4o and later, gpt-oss, o1, o3, o4, unknown models) use o200k_base."""

FAMILIES: tuple[tuple[tuple[str, ...], Tokenizer], ...] = (
    (("claude",), Tokenizer("o200k_base", Fraction(120, 100))),
    (("gemini", "gemma"), Tokenizer("o200k_base", Fraction(108, 100))),
    (
        ("mistral", "mixtral", "ministral", "magistral", "codestral", "devstral", "pixtral"),
        Tokenizer("o200k_base", Fraction(105, 100)),
    ),
    (("smollm",), Tokenizer("o200k_base", Fraction(109, 100))),
    (("llama",), Tokenizer("o200k_base", Fraction(101, 100))),
    (("qwen", "qwq"), Tokenizer("o200k_base", Fraction(102, 100))),
    (("deepseek",), Tokenizer("o200k_base", Fraction(104, 100))),
)
"""Substrings of model names, the first match applies: a model distilled into Llama or Qwen uses
their vocabulary, so those come before DeepSeek.

A factor is the family's token count divided by o200k_base's, over English prose and source code:
Llama 3, Qwen 3, DeepSeek V3 and Mistral v3 by their public vocabularies; SmolLM2 by its own; Gemini
as published in npm ``ai-tokenizer`` 1.0.6 (1.08; Gemma 3 by its vocabulary is 1.07); Claude, which
publishes none, by its last public vocabulary (1.10 of o200k_base) times that package's 1.10 for
Claude 4.5. Other scripts differ more: Russian counts 1.0 to 2.0, Chinese 0.7 to 1.3 of o200k_base.
"""


PART_OBJECTS = ("functionCall", "functionResponse")
"""Fields of parts that are objects whose whole JSON is counted."""
MAX_PIECE = 32_768
"""Maximum number of characters passed to the tokenizer at once."""


def tokenizer(model: str) -> Tokenizer:
    """The tokenizer for a model name. Never raises."""
    lowered = model.lower()
    for needles, family in FAMILIES:
        if any(needle in lowered for needle in needles):
            return family
    bare = lowered.rpartition("/")[2].removeprefix("ft:")
    return next((found for start, found in OPENAI if bare.startswith(start)), O200K)


def count(text: str, model: str) -> Counted:
    """Count the tokens of a text. Special tokens are counted as ordinary text, a lone surrogate as
    a replacement character, so no text raises."""
    return _counted([text], model)


def count_messages(messages: Any, model: str) -> Counted:
    """Count the tokens of the texts in ``messages``, the parsed list in OpenAI's chat format:
    contents, text parts, refusals, names, and the names and arguments of tool calls. Of messages
    that consist of ``parts``, the texts, and the JSON of calls and their responses.

    Nothing is added per message or role: the overhead differs by provider and is not published.
    Images and audio are not counted. Values of any other shape count as zero tokens.
    """
    return _counted(_texts(messages), model)


def _counted(texts: Iterator[str] | list[str], model: str) -> Counted:
    chosen = tokenizer(model)
    encode = encoding(chosen.encoding).encode_ordinary
    exact = sum(len(encode(piece)) for text in texts for piece in _pieces(text)) * chosen.factor
    return Counted(int(exact + Fraction(1, 2)), chosen.encoding, chosen.factor)


def _pieces(text: str) -> Iterator[str]:
    """Split the text at spaces: the tokenizer panics on a run of a few hundred thousand spaces.
    Both split patterns start a new token at a space between two words, so a cut there does not
    change the count; only a run of ``MAX_PIECE`` characters without a word is counted inexactly."""
    start = 0
    while len(text) - start > MAX_PIECE:
        cut = text.rfind(" ", start + 1, start + MAX_PIECE)
        end = cut if cut > 0 else start + MAX_PIECE
        yield text[start:end]
        start = end
    yield text[start:]


def _texts(messages: Any) -> Iterator[str]:
    for message in _objects(messages):
        yield from _strings(message, "name", "content", "refusal")
        for part in _objects(message.get("content")):
            yield from _strings(part, "text", "refusal")
        for part in _objects(message.get("parts")):
            yield from _strings(part, "text")
            yield from (encode(part[name]).decode() for name in PART_OBJECTS if name in part)
        yield from _call(message.get("function_call"))
        for call in _objects(message.get("tool_calls")):
            yield from _call(call.get("function"))
            yield from _call(call.get("custom"))


def _call(function: Any) -> Iterator[str]:
    if isinstance(function, Mapping):
        yield from _strings(function, "name", "arguments", "input")


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def _strings(source: Mapping[str, Any], *keys: str) -> Iterator[str]:
    for key in keys:
        if isinstance(text := source.get(key), str):
            yield text
