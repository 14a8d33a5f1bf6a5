"""Decode JSON whose fields may have other types than documented.

The strict decoder is tried first, so that ordinary data costs nothing more. If it refuses the
types, every value is converted where its meaning is clear (``"12"`` and 12.0 for 12, 123 for an
id); a field whose value cannot be converted has its default, as if it were absent. Only what has no
default can make the whole fail.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Raw, inspect

T = TypeVar("T")
Count = Annotated[int, Meta(ge=0, le=2**53)]
"""A number of tokens: one below zero is no count."""
Words = Annotated[str, Meta(extra={"words": True})]
"""A text that no number stands for."""
Seconds = Annotated[int, Meta(ge=0, le=2**53)]
"""Unix time."""
Position = Annotated[int, Meta(ge=0, le=2**31 - 1, extra={"exact": True})]
"""An index: a number with a fraction is none."""
NUMBER = re.compile(r"\s*[+-]?\d{1,19}(?:\.\d*)?(?:[eE][+-]?\d{1,3})?\s*")
INT64 = range(-(2**63), 2**63)
BOOLS = {"true": True, "false": False}

Convert = Callable[[Any], Any]

_parse = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class UnfitError(ValueError):
    """The value cannot be converted."""


def lenient_decoder(kind: type[T]) -> Callable[[bytes | str | Raw], T]:
    """A decoder of ``kind``, a type that msgspec decodes. It raises msgspec.ValidationError for
    what cannot be converted, and what msgspec raises for bytes that are not JSON."""
    strict = msgspec.json.Decoder(kind).decode
    convert: Convert | None = None

    def decode(data: bytes | str | Raw) -> T:
        nonlocal convert
        try:
            return strict(data)
        except msgspec.ValidationError as error:
            if convert is None:
                convert = _converter(inspect.type_info(kind))
            try:
                return convert(_parse(data))  # type: ignore[no-any-return]
            except UnfitError:
                raise error from None

    return decode


def cleaner(kind: Any) -> Callable[[bytes | Raw], dict[str, Any]]:
    """A function that parses a JSON object and converts the fields that ``kind``, a struct, has: to
    None where that is not possible. The other fields stay as they are."""
    info = inspect.type_info(kind)

    def clean(data: bytes | Raw) -> dict[str, Any]:
        cleaned: dict[str, Any] = _clean(_parse(data), info)
        return cleaned

    return clean


def as_text(value: Any) -> str:
    """The text that a value of parsed JSON is; empty where it is none."""
    try:
        return _to_text(value)
    except UnfitError:
        return ""


def as_count(value: Any) -> int | None:
    """The count that a value of parsed JSON is; None where it is none."""
    try:
        count = _to_int(value)
    except UnfitError:
        return None
    return count if count >= 0 else None


# --- Scalars --------------------------------------------------------------------------------------


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitError
    return _encode(value).decode()


def _to_float(value: Any) -> float:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnfitError
    return float(value)


def _to_int(value: Any) -> int:
    """The whole part of a number."""
    if isinstance(value, bool) or not isinstance(value, int):
        number = _to_float(value)
        value = int(number) if math.isfinite(number) else -1 << 64
    if value not in INT64:
        raise UnfitError
    return int(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, str):
        value = BOOLS.get(value.lower())
    if value is None or value not in (0, 1) or isinstance(value, list | dict):
        raise UnfitError
    return bool(value)


def _number_converter(info: inspect.IntType | inspect.FloatType) -> Convert:
    least = -math.inf if info.ge is None else info.ge
    most = math.inf if info.le is None else info.le
    to_number = _to_int if isinstance(info, inspect.IntType) else _to_float

    def convert(value: Any) -> float:
        number = to_number(value)
        if not least <= number <= most:
            raise UnfitError
        return number

    return convert


def _literal_converter(info: inspect.LiteralType) -> Convert:
    def convert(value: Any) -> Any:
        if value not in info.values:
            raise UnfitError
        return value

    return convert


def _none(value: Any) -> None:
    if value is not None:
        raise UnfitError


def _unfit(value: Any) -> Any:
    raise UnfitError


def _same(value: Any) -> Any:
    return value


def _raw(value: Any) -> Raw:
    return Raw(_encode(value))


# --- Objects, lists, unions -----------------------------------------------------------------------


def _struct_converter(info: inspect.StructType) -> Convert:
    fields = [(field, _converter(field.type)) for field in info.fields]

    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnfitError
        found: dict[str, Any] = {}
        for field, convert_field in fields:
            if field.encode_name in value:
                with suppress(UnfitError):
                    found[field.name] = convert_field(value[field.encode_name])
            if field.required and field.name not in found:
                raise UnfitError
        return info.cls(**found)

    return convert


def _list_converter(info: inspect.ListType) -> Convert:
    """Items that are not convertible are left out, but one number or text in a list of them is not
    dispensable. An object in place of a list of objects is its only item."""
    convert_item = _converter(info.item_type)
    is_scalar = not isinstance(info.item_type, OBJECTS)

    def convert(value: Any) -> list[Any]:
        if isinstance(value, dict) and value and isinstance(info.item_type, inspect.StructType):
            value = [value]
        if not isinstance(value, list):
            raise UnfitError
        return [convert_item(item) for item in value] if is_scalar else [*_fit(value, convert_item)]

    return convert


def _tuple_converter(info: inspect.TupleType) -> Convert:
    converters = [_converter(one) for one in info.item_types]

    def convert(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) != len(converters):
            raise UnfitError
        return tuple(one(item) for one, item in zip(converters, value, strict=True))

    return convert


def _fit(values: Iterable[Any], convert: Convert) -> Iterable[Any]:
    for value in values:
        with suppress(UnfitError):
            yield convert(value)


def _dict_converter(info: inspect.DictType) -> Convert:
    convert_value = _converter(info.value_type)

    def convert(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnfitError
        found = {}
        for name, item in value.items():
            with suppress(UnfitError):
                found[name] = convert_value(item)
        return found

    return convert


def _union_converter(info: inspect.UnionType) -> Convert:
    """The member of the value's own JSON type first, then the others in their order."""
    members = [(one, _converter(one)) for one in info.types]

    def convert(value: Any) -> Any:
        own = OWN_TYPES.get(type(value), ())
        for _, convert_member in sorted(members, key=lambda one: not isinstance(one[0], own)):
            with suppress(UnfitError):
                return convert_member(value)
        raise UnfitError

    return convert


def _annotated_converter(info: inspect.Metadata) -> Convert:
    convert_any = _converter(info.type)
    extra = info.extra or {}

    def convert(value: Any) -> Any:
        if "words" in extra and not isinstance(value, str):
            raise UnfitError
        if "exact" in extra and isinstance(value, float) and not value.is_integer():
            raise UnfitError
        return convert_any(value)

    return convert


OBJECTS = (
    inspect.StructType, inspect.DictType, inspect.AnyType, inspect.RawType, inspect.UnionType
)  # fmt: skip
OWN_TYPES: dict[type, tuple[type, ...]] = {
    type(None): (inspect.NoneType,),
    bool: (inspect.BoolType,),
    int: (inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
    str: (inspect.StrType, inspect.LiteralType),
    list: (inspect.ListType, inspect.TupleType),
    dict: (inspect.StructType, inspect.DictType),
}
"""Of a value of parsed JSON: the types in a union that have that type in JSON."""
CONVERTERS: dict[type, Convert] = {
    inspect.AnyType: _same,
    inspect.BoolType: _to_bool,
    inspect.NoneType: _none,
    inspect.RawType: _raw,
    inspect.StrType: _to_text,
}
MAKERS: dict[type, Callable[[Any], Convert]] = {
    inspect.DictType: _dict_converter,
    inspect.FloatType: _number_converter,
    inspect.IntType: _number_converter,
    inspect.ListType: _list_converter,
    inspect.LiteralType: _literal_converter,
    inspect.Metadata: _annotated_converter,
    inspect.StructType: _struct_converter,
    inspect.TupleType: _tuple_converter,
    inspect.UnionType: _union_converter,
}


def _converter(info: inspect.Type) -> Convert:
    """Of any other type than these, no value is converted."""
    make = MAKERS.get(type(info))
    return CONVERTERS.get(type(info), _unfit) if make is None else make(info)


# --- Clean ----------------------------------------------------------------------------------------


def _clean(value: Any, info: inspect.Type) -> Any:
    if isinstance(info, inspect.UnionType) and isinstance(value, dict):
        info = next((one for one in info.types if isinstance(one, inspect.StructType)), info)
    if isinstance(info, inspect.StructType) and isinstance(value, dict):
        known = {field.encode_name: field.type for field in info.fields}
        return {
            name: _clean(item, known[name]) if name in known else item
            for name, item in value.items()
        }
    try:
        return _converter(info)(value)
    except UnfitError:
        return None
