"""Find the provider's own words in an error of any shape.

Shapes seen on the wire or in the sources of servers: ``{"error": {message, type, param, code}}``;
``error`` or ``errors`` as a text, a list, or true beside a message; ``{"object": "error",
"message"}`` (vLLM); ``{"error_type", "error_message", "choices": null}``; ``{"code", "msg",
"success": false}``; ``{"detail"}`` as a text, an object, or FastAPI's list of ``{"loc", "msg"}``;
``{"title", "detail"}`` (RFC 9457); ``{"fault": {"faultstring"}}`` (Apigee); ``error: out of
memory`` as plain text; a text that is JSON; HTML from a proxy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from headway.wire.json_repair import repair_whole

CONTAINERS = ("error", "errors", "fault", "exception", "err", "Error", "Response", "base_resp")
"""Fields that hold the error, in this order."""
MESSAGES = (
    "message", "Message", "msg", "error_message", "error_msg", "errorMessage", "originalMessage",
    "error_description", "detail", "details", "faultstring", "status_msg", "description", "title",
    "reason",
)  # fmt: skip
CODES = ("code", "error_code", "errorCode", "errcode")
TYPES = ("type", "error_type", "errorType", "__type")
NAMING = (*TYPES, *CODES, "object")
"""Fields that name an error or its kind, and are no words about it."""
STATUSES = ("status_code", "statusCode", "http_status", "status", *CODES)
ERROR_FIELDS = (
    *CONTAINERS[:-1], "error_message", "error_msg", "errorMessage", "error_type", "errorType",
    "error_code", "errorCode", "errcode", "error_description",
)  # fmt: skip
"""A value in one of these says that the object is an error."""
ANSWER_FIELDS = (
    "candidates", "choices", "content", "delta", "embedding", "embeddings", "output",
    "predictions", "response",
)  # fmt: skip
"""A value in one of these says that it is none, whatever else it has."""
FAILED_WORDS = ("error", "fail", "failed", "failure")
PLAIN_MESSAGES = ("message", "Message", "msg", "detail")
"""A text in one of these says that an object without a type is an error."""
SUCCESSES = (0, "0", 200, "200", "ok", "OK", "success")
NOT_SUCCESSFUL = (False, "false", "False", 0)
INVALID_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Exceptions that msgspec's JSON decoders raise over bytes that are not the expected JSON."""
TAG = re.compile(r"<(/?)([!a-zA-Z][\w-]*)[^<>]*>")
UNSEEN_TAGS = ("script", "style", "title")
"""Their text is not on the page."""
STATUS_IN_TEXT = re.compile(r"(?:HTTP(?:/[\d.]+)?|Error|Status)?:?\s?([45]\d\d)\b", re.IGNORECASE)
EVENT_FIELDS = (b"data", b"error", b"event", b"id", b"retry")
EVENT_LINE = re.compile(rb"(?:event|data|error):")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_DEPTH = 8
NO_ERRORS = (b"", b"null", b'""', b"{}", b"[]", b"false", b"0")
"""Values of a field ``error``, in JSON, that are none. The first is that of an absent field."""


class ErrorFields(msgspec.Struct, frozen=True):
    """What an error says of itself. ``message`` is empty where it has no words."""

    message: str = ""
    code: Any = None
    type: Any = None
    param: Any = None
    status: int | None = None


def parse_error_body(body: bytes) -> Any:
    """The body as parsed JSON, or its text. Events of a stream in its place become their data."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return msgspec.json.decode(body)
    except INVALID_JSON:
        text = body.strip()
    if (repaired := repair_whole(body)) is not None:
        return msgspec.json.decode(repaired)
    if EVENT_LINE.match(text):
        lines = [line.partition(b":") for line in text.splitlines() if line]
        data = b"\n".join(value.strip() for name, _, value in lines if name in (b"data", b"error"))
        if data and all(name in EVENT_FIELDS for name, _, _ in lines):
            return parse_error_body(data)
    return text.decode(errors="replace")


def read_error_fields(parsed: Any) -> ErrorFields:
    """The fields of an error: parsed JSON, or the text of a body that is not JSON."""
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], dict):
        parsed = parsed[0]
    if not isinstance(parsed, dict):
        message = words(parsed).strip()
        text = parsed.strip() if isinstance(parsed, str) else _as_json(parsed)
        return ErrorFields(message or text, status=_status_in_text(message))
    inner = next((parsed[name] for name in CONTAINERS if parsed.get(name)), parsed)
    if isinstance(inner, list) and isinstance(inner[0], dict):
        inner = inner[0]
    fields = inner if isinstance(inner, dict) else parsed
    message = _message(fields) or words(fields) or _message(parsed) or words(parsed.get("status"))
    if not isinstance(inner, dict) and (said := words(inner)) != message:
        message = ": ".join(text for text in (said, message) if text)
    return ErrorFields(
        message or _as_json(_unread(inner)) or _as_json(fields if _has_text(fields) else None),
        _first(fields, CODES),
        _first(fields, TYPES),
        fields.get("param") or _location(fields.get("detail")),
        _status(fields) or (None if fields is parsed else _status(parsed)),
    )


def is_error(parsed: Any) -> bool:
    """Whether an object without content, in place of a response or of a chunk, is an error."""
    if isinstance(parsed, list):
        return bool(parsed) and isinstance(parsed[0], dict) and is_error(parsed[0])
    if not isinstance(parsed, dict):
        return isinstance(parsed, str) and bool(words(parsed))
    if any(parsed.get(name) for name in ERROR_FIELDS) or _reports_failure(parsed):
        return True
    if any(parsed.get(name) for name in ANSWER_FIELDS):
        return False
    if _status(parsed) is not None:
        return True
    kind = parsed.get("type")
    if isinstance(kind, str) and kind:  # an event of a stream
        return "error" in kind.lower()
    if any(parsed.get(name) in SUCCESSES for name in STATUSES):
        return False
    return any(words(parsed.get(name)) for name in PLAIN_MESSAGES)


def _reports_failure(parsed: Mapping[str, Any]) -> bool:
    outcome, status = parsed.get("base_resp"), parsed.get("status")
    return (
        parsed.get("object") == "error"
        or parsed.get("type") == "error"
        or str(status).lower() in FAILED_WORDS
        or (isinstance(status, dict) and bool(status.get("code")) and bool(words(status)))
        or any(name in parsed and parsed[name] in NOT_SUCCESSFUL for name in ("success", "ok"))
        or (isinstance(outcome, dict) and bool(outcome.get("status_code")))
    )


def words(value: Any, depth: int = 0) -> str:
    """The text in a value: of HTML without its tags, of an object its message, of a list the texts
    of its items. Empty where it has none."""
    if isinstance(value, str):
        return _plain(value)
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, dict):
        inner = (words(value.get(name), depth + 1) for name in CONTAINERS if value.get(name))
        return _message(value, depth + 1) or next(filter(None, inner), "")
    if isinstance(value, list):
        found = (words(item, depth + 1) for item in value)
        return "; ".join(text for text in found if text)
    return ""


def _message(fields: Mapping[str, Any], depth: int = 0) -> str:
    text = next((text for name in MESSAGES if (text := words(fields.get(name), depth))), "")
    location = fields.get("loc")
    if text and isinstance(location, list):  # FastAPI's: the path of the field
        text = f"{'.'.join(map(str, location))}: {text}"
    return text


def _plain(text: str) -> str:
    if TAG.match(text.lstrip()):
        return _html_text(text)
    return text if text.strip() else ""


def _html_text(text: str) -> str:
    """The text of a page, behind its title where that says something else."""
    visible, title = [], []
    at, unseen = 0, ""
    for tag in TAG.finditer(text):
        between, at = text[at : tag.start()], tag.end()
        if not unseen:
            visible.append(between)
        elif unseen == "title":
            title.append(between)
        name = tag[2].lower()
        if tag[1] and name == unseen:
            unseen = ""
        elif not tag[1] and not unseen and name in UNSEEN_TAGS:
            unseen = name
    visible.append("" if unseen else text[at:])
    page, heading = (" ".join(" ".join(texts).split()) for texts in (visible, title))
    if not page or not heading or heading in page:
        return page or heading
    return f"{page} ({heading})"


def _location(detail: Any) -> str | None:
    """The field that FastAPI's first detail names, without ``body``."""
    first = detail[0] if isinstance(detail, list) and detail else None
    path = first.get("loc") if isinstance(first, dict) else None
    if not isinstance(path, list):
        return None
    return ".".join(str(step) for step in path if step != "body") or None


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _status(fields: Mapping[str, Any]) -> int | None:
    return next((found for name in STATUSES if (found := as_status(fields.get(name)))), None)


def as_status(value: Any) -> int | None:
    """The HTTP status of an error that a value is, as a number or as its digits."""
    if isinstance(value, str) and value.isdecimal() and len(value) == 3:
        value = int(value)
    return value if isinstance(value, int) and 400 <= value < 600 else None


def _status_in_text(text: str) -> int | None:
    """The status with which proxies begin their pages, such as ``502 Bad Gateway``."""
    found = STATUS_IN_TEXT.match(text)
    return None if found is None else int(found[1])


def _unread(inner: Any) -> Any:
    """The value that should have the words."""
    if not isinstance(inner, dict):
        return None
    if all(isinstance(value, list) for value in inner.values()):
        return inner  # lists of texts by field
    return next((inner[name] for name in MESSAGES if inner.get(name)), None)


def _has_text(value: Any) -> bool:
    """Whether there is anything to read besides types and codes, which are told as such."""
    if isinstance(value, dict):
        return any(_has_text(each) for name, each in value.items() if name not in NAMING)
    if isinstance(value, list):
        return any(map(_has_text, value))
    return isinstance(value, str) and bool(value.strip())


def _as_json(value: Any) -> str:
    """A message without words is better than none."""
    return msgspec.json.encode(value).decode() if value else ""
