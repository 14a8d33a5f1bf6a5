"""What a request says about itself for its record: its end user, its tags, and its generation
parameters.

Headers have priority over fields. All values are bounded, and made of visible characters, so that
they can stand in a table, a log and a query: what is too long is cut, what is too many is left
out, and no request is refused for them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import msgspec
from msgspec import Raw

from headway.types import Headers

USER_HEADERS = (b"x-headway-user", b"x-litellm-end-user-id")
TAG_HEADERS = (b"x-headway-tags", b"x-litellm-tags")
LABEL_HEADERS = (*USER_HEADERS, *TAG_HEADERS)
MAX_TAGS = 20
MAX_TAG_LENGTH = 128
"""Characters, also of the next."""
MAX_USER_LENGTH = 256
MAX_OBJECT = 16 * 1024
"""Bytes of an object in a body that is read here. Nothing is read of a longer one."""
CACHED_BYTES, CACHED_OBJECTS = 512, 256
"""Size and number of the objects in bodies that are not read again."""

USER_FIELDS = ("user", "safety_identifier")
"""OpenAI's earlier and its present name of the end user."""
TAG_FIELDS = ("metadata", "labels")
"""Objects of names and values, or lists of words."""
LABEL_FIELDS = frozenset({*USER_FIELDS, *TAG_FIELDS})
USER_ID = "user_id"
"""The member of ``metadata`` that is Anthropic's name of the end user."""
_SESSION = re.compile(r"\{.*|user_\w+_account_[\w-]*_session_[\w-]+", re.DOTALL)
"""A ``user_id`` that tells sessions apart, and no users: see ``dialects.anthropic.session``."""

PARAMETERS = frozenset(
    {
        # of texts, in the names of all dialects
        "background", "best_of", "budget_tokens", "candidateCount", "context_length", "dimensions",
        "effort", "encoding_format", "frequency_penalty", "frequencyPenalty",
        "include_thoughts", "includeThoughts", "input_type", "keep_alive", "logprobs",
        "max_completion_tokens", "max_output_tokens", "max_tokens", "max_tool_calls",
        "maxOutputTokens", "mediaResolution", "min_p", "mirostat", "mirostat_eta", "mirostat_tau",
        "n", "num_ctx", "num_predict", "output_dimension", "output_dimensionality",
        "outputDimensionality", "parallel_tool_calls", "presence_penalty", "presencePenalty", "raw",
        "reasoning_effort", "repeat_last_n", "repeat_penalty", "repetition_penalty",
        "responseLogprobs", "responseMimeType", "safe_prompt", "seed", "service_tier", "speed",
        "store", "summary", "taskType", "temperature", "tfs_z", "think", "thinking_budget",
        "thinkingBudget", "thinkingLevel", "tool_choice", "top_a", "top_k", "top_logprobs", "top_p",
        "topK", "topP", "truncate", "truncation", "type", "typical_p", "verbosity",
        # of images, audio, video and reranking
        "aspect_ratio", "input_fidelity", "language", "max_chunks_per_doc", "max_tokens_per_doc",
        "moderation", "output_compression", "output_format", "partial_images", "quality",
        "response_format", "return_documents", "seconds", "size", "style", "top_n", "voice",
    }
)  # fmt: skip
"""The generation parameters whose values go on record, and the members of ``OBJECTS``."""
OBJECTS = frozenset(
    {
        "generationConfig", "generation_config", "options", "output_config", "reasoning",
        "response_format", "text", "thinking", "thinkingConfig", "thinking_config", "tool_choice",
    }
)  # fmt: skip
"""Objects with generation parameters, which get a path for a name: ``reasoning.effort``."""
RECORDED = PARAMETERS | OBJECTS | LABEL_FIELDS
"""All fields of a body that are read here."""
MAX_DEPTH = 2
_is_short = re.compile(rb'-?[0-9][0-9.eE+-]{0,30}|true|false|"[A-Za-z0-9._:/+ -]{1,40}"').fullmatch

_decode_object = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_any = msgspec.json.Decoder().decode

Fields = Mapping[str, Raw]


def find_user(headers: Headers) -> str | None:
    """The end user whom a header names; None if there is none."""
    by_name = dict(headers)
    for name in USER_HEADERS:
        if user := _visible(by_name.get(name, b"").decode(errors="replace"), MAX_USER_LENGTH):
            return user
    return None


def find_tags(headers: Headers) -> tuple[str, ...]:
    """The tags in the headers, which are lists with commas between."""
    values = [value.decode(errors="replace") for name, value in headers if name in TAG_HEADERS]
    return _bounded(tag for value in values for tag in value.split(","))


def user_in(fields: Fields) -> str | None:
    """The end user whom the body names."""
    for name in USER_FIELDS:
        if user := _visible(_text(fields.get(name)), MAX_USER_LENGTH):
            return user
    return _labels_of(fields.get("metadata"))[0]


def tags_in(fields: Fields, given: tuple[str, ...] = ()) -> tuple[str, ...]:
    """``given`` and the tags in the body: ``name:value`` for each member of ``metadata`` that is
    short, and the words of its lists."""
    found = [tag for name in TAG_FIELDS for tag in _labels_of(fields.get(name))[1]]
    return _bounded((*given, *found)) if found else given


def parameters_in(fields: Fields) -> dict[str, Raw]:
    """The generation parameters that are numbers, booleans or short words, verbatim."""
    found: dict[str, Raw] = {}
    for name, raw in fields.items():
        if name in PARAMETERS and _is_short(raw):
            found[name] = raw  # noqa: PERF403 - a comprehension calls a function
    if not OBJECTS.isdisjoint(fields):
        for name in fields:
            if name in OBJECTS:
                found.update(_parameters_of(name, fields[name]))
    return found


Labels = tuple[str | None, tuple[str, ...]]
"""The user and the tags that an object has."""
NO_LABELS: Labels = (None, ())


def _labels_of(raw: Raw | None) -> Labels:
    if raw is None:
        return NO_LABELS
    data = bytes(raw)
    return _cached_labels(data) if len(data) <= CACHED_BYTES else _read_labels(data)


def _parameters_of(path: str, raw: Raw) -> Mapping[str, Raw]:
    data = bytes(raw)
    if len(data) <= CACHED_BYTES:
        return _cached_parameters(path, data)
    return dict(_read_parameters(path, data, 1))


def _read_labels(data: bytes) -> Labels:
    members = _members(data)
    user_id = _text(members.get(USER_ID))
    user = None if _SESSION.fullmatch(user_id) else _visible(user_id, MAX_USER_LENGTH) or None
    return user, _bounded(_read_tags(members))


@lru_cache(maxsize=CACHED_OBJECTS)
def _cached_labels(data: bytes) -> Labels:
    """Agents send the same object with each request of a session."""
    return _read_labels(data)


@lru_cache(maxsize=CACHED_OBJECTS)
def _cached_parameters(path: str, data: bytes) -> Mapping[str, Raw]:
    return dict(_read_parameters(path, data, 1))


def _read_parameters(path: str, data: bytes, depth: int) -> Iterator[tuple[str, Raw]]:
    for name, member in _members(data).items():
        if name in PARAMETERS and _is_short(member):
            yield f"{path}.{name}", member
        elif name in OBJECTS and depth < MAX_DEPTH:
            yield from _read_parameters(f"{path}.{name}", bytes(member), depth + 1)


def _read_tags(members: Fields) -> Iterator[str]:
    for name, raw in members.items():
        value = None if name == USER_ID else _value(raw)
        if isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))
        elif isinstance(value, bool):
            yield f"{name}:{str(value).lower()}"
        elif isinstance(value, str | int | float):
            yield f"{name}:{value}"


def _bounded(tags: Iterable[str]) -> tuple[str, ...]:
    """The first of them, each once. A comma in a tag would be two in a query."""
    kept: dict[str, None] = {}
    for tag in tags:
        if clean := _visible(tag.replace(",", ";"), MAX_TAG_LENGTH):
            kept[clean] = None
        if len(kept) == MAX_TAGS:
            break
    return tuple(kept)


def _visible(text: str, limit: int) -> str:
    text = text.strip()[:limit]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


def _members(data: bytes) -> Fields:
    """The members of an object; none of anything else."""
    if data[:1] != b"{" or len(data) > MAX_OBJECT:
        return {}
    try:
        return _decode_object(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}


def _text(raw: Raw | None) -> str:
    value = None if raw is None or bytes(raw)[:1] != b'"' else _value(raw)
    return value if isinstance(value, str) else ""


def _value(raw: Raw) -> object:
    if len(bytes(raw)) > MAX_OBJECT:
        return None
    try:
        return _decode_any(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
