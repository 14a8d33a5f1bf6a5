"""What the plan of a route reads of a client's request, found in its bytes without decoding them
where that is possible."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b

import msgspec
from msgspec import Raw

from headway.dialects.base import DecodedRequest
from headway.pipeline.target_facts import Interests
from headway.policy.request_labels import tags_in, user_in
from headway.routing.abilities import NOTHING
from headway.routing.route import Route
from headway.routing.routed_request import RoutedRequest
from headway.types import ChatRequest, EmbeddingsRequest, Headers, RelayedRequest, Request

BYTES_PER_TOKEN = 4
"""Of JSON with texts in it. English prose has more, code and other languages have less."""
LONG = 16 * 1024
"""Bytes of a prompt, from which on it may have a file in it that is no text."""
FILE_TOKENS = 1000
"""Of an image or a page in place of the bytes of its file: of this order in all price lists."""
SECRETS = frozenset(
    {
        "api-key", "authorization", "cookie", "proxy-authorization", "x-api-key",
        "x-goog-api-key", "x-headway-provider-key",
    }
)  # fmt: skip
"""Headers that no condition may read, as what it reads can get into explanations."""
OFF = frozenset([b"null", b"false", b"[]", b"{}", b'""', b'"none"', b"0"])
"""Values of a field that ask for nothing."""
PROMPT_FIELDS = ("tools", "system", "instructions", "systemInstruction", "system_instruction")
"""What stands before the messages, in the names of all formats."""
MAX_OUTPUT_FIELDS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
ENOUGH_PROMPT = 4096
"""Bytes of what stands before the first message of the user, above which that message does not
count: about the shortest prompt that providers keep in a cache."""

_PART = re.compile(
    rb'"type"\s*:\s*"(image_url|input_image|image|document|file|input_file|input_audio)"'
)
_MEDIA_TYPE = re.compile(rb'"mime_?[tT]ype"\s*:\s*"(image|audio|application/pdf)')
_IMAGES = re.compile(rb'"images"\s*:\s*\[\s*"')
NEED_OF_PART = {
    b"image_url": "images",
    b"input_image": "images",
    b"image": "images",
    b"document": "documents",
    b"file": "documents",
    b"input_file": "documents",
    b"application/pdf": "documents",
    b"input_audio": "audio",
    b"audio": "audio",
}
"""What parts of messages need, by their types in all formats, or by those of their media."""

Fields = Mapping[str, Raw]
Asked = tuple[tuple[re.Pattern[bytes], str], ...]
_ANYTHING = re.compile(b"")
_FORMAT: Asked = (
    (re.compile(rb'"json_schema"|"response_?(json_?)?schema"', re.IGNORECASE), "json_schema"),
    (re.compile(rb'"json_object"|"application/json"'), "json_object"),
)
_EFFORT: Asked = ((re.compile(rb'"effort"\s*:\s*+"(?!none")'), "reasoning"),)
NEEDS_OF_FIELDS: Mapping[str, Asked] = {
    "tools": ((_ANYTHING, "tools"),),
    "functions": ((_ANYTHING, "tools"),),
    "response_format": _FORMAT,
    "output_format": _FORMAT,
    "text": _FORMAT,
    "output_config": (*_FORMAT, *_EFFORT),
    "generationConfig": (
        *_FORMAT,
        (re.compile(rb'"thinkingConfig"\s*:\s*\{\s*"'), "reasoning"),
        (re.compile(rb'"responseLogprobs"\s*:\s*true'), "logprobs"),
    ),
    "format": ((re.compile(rb"\{"), "json_schema"), (re.compile(rb'"json"'), "json_object")),
    "reasoning_effort": ((_ANYTHING, "reasoning"),),
    "reasoning": (
        (re.compile(rb'"(effort|max_tokens|enabled)"\s*:\s*+(?!"none|null|false)'), "reasoning"),
    ),
    "thinking": ((re.compile(rb'"(enabled|adaptive)"'), "reasoning"),),
    "think": ((_ANYTHING, "reasoning"),),
    "logprobs": ((_ANYTHING, "logprobs"),),
    "top_logprobs": ((re.compile(rb"[1-9]"), "logprobs"),),
}
"""What the fields of bodies ask for, in the names of all formats."""

_FILE = re.compile(rb"[A-Za-z0-9+/=_-]{2048,}")
"""A file in base64."""
_MAX_OUTPUT = re.compile(rb"[1-9][0-9]{0,8}")
_NESTED_MAX_OUTPUT = re.compile(rb'"(?:maxOutputTokens|num_predict)"\s*:\s*([1-9][0-9]{0,8})\b')
_USER = re.compile(rb'"role"\s*:\s*"user"')
_decode_messages = msgspec.json.Decoder(list[Raw]).decode


def read_request(
    decoded: DecodedRequest,
    *,
    route: Route,
    interests: Interests,
    dialect: str,
    headers: Headers,
    key_id: str,
    now: float,
) -> RoutedRequest:
    """``now`` is unix seconds. What neither the conditions of ``route`` read nor its targets differ
    in is left at its default."""
    request, reads = decoded.request, interests.reads
    fields = fields_of(request)
    needs = NOTHING
    if interests.lacks or "needs" in reads:
        needs = find_needs(request, fields)
    return RoutedRequest(
        model=decoded.model_name or request.model,
        dialect=dialect,
        operation=_operation(request),
        headers=read_headers(headers) if "headers" in reads else {},
        tags=tags_in(fields, decoded.tags) if "tags" in reads else (),
        key_id=key_id,
        user=(decoded.user or user_in(fields) or "") if "user" in reads else "",
        session_id=decoded.session_id or "",
        stream=decoded.stream,
        input_tokens=_estimate_tokens(request, fields, interests),
        max_output_tokens=find_max_output(fields),
        needs=needs,
        prefix=find_prefix(request, fields) if route.sticky == "prefix" else "",
        now=now,
    )


def fields_of(request: Request) -> Fields:
    """The fields of the client's body, in its own format."""
    if isinstance(request, RelayedRequest) and request.form is not None:
        return request.form.fields
    return request.parameters if request.native is None else request.native.fields


def read_headers(headers: Headers) -> dict[str, str]:
    return {
        name: value.decode("latin-1")
        for raw, value in headers
        if (name := raw.decode("latin-1")) not in SECRETS
    }


def _operation(request: Request) -> str:
    if isinstance(request, RelayedRequest):
        return request.operation
    return "embeddings" if isinstance(request, EmbeddingsRequest) else "chat"


# --- Needs --------------------------------------------------------------------------------------


def find_needs(request: Request, fields: Fields) -> frozenset[str]:
    """What a model must be able to do for this request."""
    if not isinstance(request, ChatRequest):
        return NOTHING
    found = {
        need for name in NEEDS_OF_FIELDS if name in fields for need in _ask(name, fields[name])
    }
    messages = request.messages
    pattern = _MEDIA_TYPE if "contents" in fields else _PART
    found.update(NEED_OF_PART[kind] for kind in pattern.findall(messages))
    if request.native is not None and _IMAGES.search(messages):
        found.add("images")
    return frozenset(found)


def _ask(name: str, raw: Raw) -> Iterator[str]:
    """What the field ``name`` asks for."""
    value = bytes(raw)
    if value in OFF:
        return
    for pattern, need in NEEDS_OF_FIELDS[name]:
        if pattern.search(value):
            yield need


# --- Length -------------------------------------------------------------------------------------


def _estimate_tokens(request: Request, fields: Fields, interests: Interests) -> int:
    """By length. Where that decides something, files in a long prompt do not count with all their
    bytes."""
    if isinstance(request, RelayedRequest):
        return 0
    prompt = request.messages if isinstance(request, ChatRequest) else request.input
    length = len(prompt)
    for name in PROMPT_FIELDS:
        if name in fields:
            length += len(fields[name])
    tokens = length // BYTES_PER_TOKEN
    window = interests.least_window
    is_near = "input_tokens" in interests.reads or (window is not None and tokens > window)
    if not is_near or length < LONG:
        return tokens
    files = [len(found) for found in _FILE.findall(prompt)]
    return max(0, length - sum(files)) // BYTES_PER_TOKEN + FILE_TOKENS * len(files)


def find_max_output(fields: Fields) -> int | None:
    """The most tokens of the answer that the request allows, if it says so as a number."""
    for name in MAX_OUTPUT_FIELDS:
        raw = fields.get(name)
        if raw is not None and (found := _MAX_OUTPUT.fullmatch(raw)):
            return int(found[0])
    nested = fields.get("generationConfig") or fields.get("options")
    found = None if nested is None else _NESTED_MAX_OUTPUT.search(nested)
    return None if found is None else int(found[1])


# --- The beginning of the prompt ----------------------------------------------------------------


def find_prefix(request: Request, fields: Fields) -> str:
    """A hash that requests of one conversation share: of the tools and the instructions, and where
    those are short of the messages up to the first of the user, too."""
    if not isinstance(request, ChatRequest):
        return ""
    digest = blake2b(digest_size=12)
    length = 0
    for name in PROMPT_FIELDS:
        if name in fields:
            digest.update(fields[name])
            length += len(fields[name])
    for message in _read_messages(request.messages):
        if _USER.search(message) and length >= ENOUGH_PROMPT:
            break
        digest.update(message)
        length += len(message)
        if _USER.search(message):
            break
    return digest.hexdigest()


def _read_messages(messages: Raw) -> list[Raw]:
    """None where it is a single text."""
    try:
        return _decode_messages(messages)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [messages]
