"""What is kept of messages, and what never is: keys, and what the operator's hook removes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Raw

from headway.pipeline.redaction import SHORTEST_SECRET
from headway.record import ContentMode

Redact = Callable[[str], str]

REMOVED = "[removed]"
"""In place of a secret."""
SECRET_NAMES = frozenset(
    ("api_key", "apikey", "api-key", "authorization", "authorization_token", "access_token",
     "auth_token", "bearer_token", "client_secret", "x-api-key", "x-goog-api-key")
)  # fmt: skip
"""Names of fields, in lower case, whose texts are secret: those of tools that a provider calls with
them (MCP servers), and keys in a place where no route takes one."""
HEADER_NAMES = frozenset(("headers", "extra_headers", "default_headers", "http_headers"))
"""Names of objects whose values are those of headers."""
OWN_NAMES = frozenset(
    ("properties", "parameters", "input_schema", "schema", "$defs", "arguments", "input", "args",
     "response")
)  # fmt: skip
"""Objects whose members are named by the client or the model: a tool may take ``headers``."""
ADDED_TOOLS = b"additional_tools"
SHORT = 16
"""Bytes of JSON that cannot have a field with a secret."""
OPAQUE_NAMES = frozenset(
    ("encrypted_content", "signature", "thoughtsignature", "thought_signature", "data", "file_data",
     "b64_json", "id", "call_id", "tool_call_id", "tool_use_id")
)  # fmt: skip
"""Fields, in lower case, with what nobody reads: images, files, signatures and ids. The hook does
not get it, if it has no blanks: changed, it would be of no use."""
DATA_URL = "data:"
HINTS = (b'key"', b"authorization", b'_token"', b'headers"', b'_secret"')
"""Bytes, in lower case, without which JSON has none of these names."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ContentRules:
    """``mode``, by the key's id in ``by_key``, says what is kept; ``redact`` gets each text."""

    def __init__(
        self,
        mode: ContentMode = "off",
        by_key: Mapping[str, ContentMode] | None = None,
        redact: Redact | None = None,
    ) -> None:
        self._mode = mode
        self._by_key = by_key or {}
        self.redact = None if redact is None else _checked(redact)
        self.is_off = mode == "off" and all(each == "off" for each in self._by_key.values())
        """Nothing is kept of any call."""
        self.has_failed = False
        """A failure to keep the content of a call was logged."""

    def mode_for(self, key_id: str | None) -> ContentMode:
        return self._by_key.get(key_id or "", self._mode)


class RedactionError(Exception):
    """The operator's hook failed. The text does not quote what it was given."""


def _checked(redact: Redact) -> Redact:
    def call(text: str) -> str:
        try:
            redacted = redact(text)
        except Exception as error:
            raise RedactionError(f"ledger.redact raised {type(error).__name__}") from None
        if not isinstance(redacted, str):
            raise RedactionError(f"ledger.redact returned {type(redacted).__name__}, and no text")
        return redacted

    return call


NOTHING_KEPT = ContentRules()


def clean(raw: Raw, redact: Redact | None = None) -> Raw:
    """``raw`` without secret fields, and with ``redact`` applied to each text. JSON that has
    nothing to remove stays as it is. Raises what ``redact`` raises."""
    if redact is None and not may_have_secrets(bytes(raw)):
        return raw
    return Raw(_encode(_cleaned(_decode(raw), redact)))


def clean_fields(fields: Mapping[str, Raw], redact: Redact | None = None) -> dict[str, Raw]:
    """The parameters of a request without those that are secret. Raises what ``redact`` raises."""
    return {name: clean(raw, redact) for name, raw in fields.items() if not is_secret(name)}


def hash_of(raw: Raw | bytes) -> str:
    """The SHA-256, as hex digits, of JSON without white space between its values."""
    return sha256(msgspec.json.format(bytes(raw), indent=-1)).hexdigest()


def may_have_secrets(data: bytes) -> bool:
    lower = data.lower()
    return any(hint in lower for hint in HINTS)


def has_secret_fields(messages: Raw, parameters: Mapping[str, Raw]) -> bool:
    """Whether ``clean`` must look at a request. Messages have such fields in tools only, which an
    item of OpenAI's Responses API may add; a search for every name in a long conversation would
    take longer than the rest of keeping it."""
    if ADDED_TOOLS in bytes(messages):
        return True
    return any(
        is_secret(name) or (len(data := bytes(raw)) > SHORT and may_have_secrets(data))
        for name, raw in parameters.items()
    )


def is_secret(name: str) -> bool:
    lower = name.lower()
    return lower in SECRET_NAMES or lower in HEADER_NAMES


def remove_secrets(line: bytes, secrets: Iterable[str]) -> bytes:
    """``line`` without the texts in ``secrets``, wherever they are in it."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET and (data := secret.encode()) in line:
            line = line.replace(data, REMOVED.encode())
    return line


def _cleaned(value: Any, redact: Redact | None, by_name: bool = True) -> Any:
    """``by_name``: the names of members say what is secret."""
    if isinstance(value, str):
        return value if redact is None else redact(value)
    if isinstance(value, list):
        return [_cleaned(each, redact, by_name) for each in value]
    if not isinstance(value, dict):
        return value
    cleaned: dict[str, Any] = {}
    for name, each in value.items():
        lower = name.lower() if by_name else ""
        if lower in SECRET_NAMES and isinstance(each, str):
            cleaned[name] = REMOVED
        elif lower in HEADER_NAMES and isinstance(each, dict):
            cleaned[name] = dict.fromkeys(each, REMOVED)
        elif isinstance(each, str) and _is_opaque(name, each):
            cleaned[name] = each
        else:
            cleaned[name] = _cleaned(each, redact, by_name and lower not in OWN_NAMES)
    return cleaned


def _is_opaque(name: str, text: str) -> bool:
    is_candidate = name.lower() in OPAQUE_NAMES or text.startswith(DATA_URL)
    return is_candidate and " " not in text and "\n" not in text
