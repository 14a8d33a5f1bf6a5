"""Judge an answer by the JSON schema that its request demands.

Schemas come from clients: nothing that one refers to is fetched, and its patterns are matched in
linear time. It needs the extra ``schema``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw, Struct

from headway.dialects.base import DecodedRequest, Dialect
from headway.errors import HeadwayError
from headway.types import ChatRequest

FindFlaw = Callable[[str], str | None]
"""What is wrong with the text of an answer; None: nothing."""
FORMAT = "response_format"
MAX_FLAW = 300
"""Characters."""
NEEDS_EXTRA = "invalid_schema needs the package jsonschema-rs: pip install 'headway[schema]'"


class _Schema(Struct):
    schema: Raw = Raw()


class _Format(Struct):
    type: str = ""
    json_schema: _Schema = msgspec.field(default_factory=_Schema)


_decode_format = msgspec.json.Decoder(_Format).decode
_decode_any = msgspec.json.Decoder().decode
INVALID = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_available() -> bool:
    try:
        import jsonschema_rs  # noqa: F401  is installed
    except ImportError:
        return False
    return True


def find_demand(decoded: DecodedRequest, dialect: Dialect) -> FindFlaw | None:
    """What a request demands of its answer; None: no JSON."""
    request = decoded.request
    if not isinstance(request, ChatRequest):
        return None
    if request.native is not None:
        try:
            request, _ = dialect.convert_request(request)
        except HeadwayError:
            return None  # only a provider of the same wire format can be sent it
    return _demand_of(request.parameters)


def _demand_of(parameters: Mapping[str, Raw]) -> FindFlaw | None:
    raw = parameters.get(FORMAT)
    if raw is None:
        return None
    try:
        demanded = _decode_format(raw)
    except INVALID:
        return None  # the provider says what is wrong with it
    if demanded.type == "json_object":
        return find_no_object
    if demanded.type != "json_schema" or not bytes(demanded.json_schema.schema):
        return None
    return _compile(bytes(demanded.json_schema.schema))


def find_no_object(text: str) -> str | None:
    try:
        parsed = _decode_any(text)
    except INVALID as exc:
        return f"it is no JSON ({exc})"
    return None if isinstance(parsed, dict) else "it is no JSON object"


@lru_cache(maxsize=256)
def _compile(schema: bytes) -> FindFlaw | None:
    """None for a schema that cannot be applied: the provider says so, or knows more of it."""
    import jsonschema_rs

    try:
        validator = jsonschema_rs.validator_for(
            _decode_any(schema), offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, *INVALID):
        return None
    return Validation(validator).find_flaw


class Validation:
    def __init__(self, validator: Any) -> None:
        self._validator = validator

    def find_flaw(self, text: str) -> str | None:
        try:
            parsed = _decode_any(text)
        except INVALID as exc:
            return f"it is no JSON ({exc})"
        error = next(self._validator.iter_errors(parsed), None)
        if error is None:
            return None
        path = "".join(f"[{each!r}]" for each in error.instance_path)
        return f"{error.message[:MAX_FLAW]} - at ${path}"
