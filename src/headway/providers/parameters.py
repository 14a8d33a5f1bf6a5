"""Check parameters against the types and ranges that a provider's adapter declares, and write whole
numbers as such.

Parameters that it does not declare are left to the provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from headway.errors import InvalidField
from headway.types import Parameter

TYPES: dict[str, tuple[type, ...]] = {
    "float": (int, float),
    "integer": (int,),
    "string": (str,),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}

WHOLE_NUMBERS = frozenset(
    (
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens"),
        *("n", "best_of", "seed", "random_seed", "top_k", "top_logprobs", "dimensions"),
        *("num_ctx", "num_predict", "thinking_budget"),
    )
)
"""Parameters that are integers wherever they are known."""
FLOAT_MARKS = (b".", b"e", b"E")


def write_whole_numbers(given: Mapping[str, Raw]) -> Mapping[str, Raw]:
    """The parameters, with whole numbers that were written as floats (``100.0``, as JavaScript and
    Python often do) as integers: the same in JSON, but providers in other languages refuse them."""
    whole: dict[str, Raw] = {}
    for name in given:
        if name not in WHOLE_NUMBERS:
            continue
        text = bytes(given[name])
        if text.isdigit() or text[:1] not in b"-0123456789":
            continue
        if any(mark in text for mark in FLOAT_MARKS):
            value = float(text)
            if value.is_integer() and abs(value) < 2**63:
                whole[name] = Raw(msgspec.json.encode(int(value)))
    return {**given, **whole} if whole else given


def check(specs: tuple[Parameter, ...], given: Mapping[str, Raw]) -> Mapping[str, Raw]:
    """The parameters, with whole numbers that were written as floats (``100.0``, as JavaScript and
    Python often do) as integers. Raises InvalidField for a value of the wrong type or out of range.
    Null is left alone."""
    whole: dict[str, Raw] = {}
    for spec in specs:
        raw = given.get(spec.id)
        if raw is not None:
            value = _value(spec, raw)
            if spec.type == "integer" and isinstance(value, float) and value.is_integer():
                value = int(value)
                whole[spec.id] = Raw(msgspec.json.encode(value))
            _check(spec, value)
    return {**given, **whole} if whole else given


def _value(spec: Parameter, raw: Raw) -> Any:
    """Raises InvalidField for valid JSON that Python cannot hold: 1e999, thousands of digits."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidField(f"`{spec.id}` must be {_expected(spec)}.", param=spec.id) from None


def _check(spec: Parameter, value: Any) -> None:
    if value is None:
        return
    is_wrong_bool = isinstance(value, bool) and spec.type != "boolean"
    if is_wrong_bool or not isinstance(value, TYPES[spec.type]) or not _in_range(spec, value):
        message = f"`{spec.id}` must be {_expected(spec)}; it is {_display(value)}."
        raise InvalidField(message, param=spec.id)


def _in_range(spec: Parameter, value: Any) -> bool:
    low_enough = spec.max is None or value <= spec.max
    return low_enough and (spec.min is None or value >= spec.min)


def _expected(spec: Parameter) -> str:
    kind = {"float": "a number", "integer": "a whole number"}.get(spec.type, f"of type {spec.type}")
    if spec.min is not None and spec.max is not None:
        return f"{kind} from {spec.min} to {spec.max}"
    return kind if spec.min is None else f"{kind} of at least {spec.min}"


def _display(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
