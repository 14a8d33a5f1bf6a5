"""Shapes made from the structs that are sent, with their docstrings, so that the two cannot
disagree."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Raw, Struct
from pydantic import BaseModel, Field, create_model

from headway.server.openapi.schemas.base import MadeShape


@cache
def shape_of(struct: type[Struct]) -> type[BaseModel]:
    """A model of what ``struct`` is as JSON, under its name. All fields are always there."""
    hints, texts = get_type_hints(struct), _docstrings(struct)
    fields: dict[str, Any] = {
        name: (_json_type(hints[name]), Field(description=texts.get(name)))
        for name in struct.__struct_fields__
    }
    text = inspect.cleandoc(vars(struct).get("__doc__") or "") or None
    model: type[BaseModel] = create_model(
        struct.__name__, __base__=MadeShape, __doc__=text, **fields
    )
    return model


def _json_type(hint: Any) -> Any:
    if hint is Raw:
        return Any
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return hint
    if origin in (Union, types.UnionType):
        return Union[tuple(_json_type(each) for each in arguments)]  # noqa: UP007 - from values
    if origin is tuple:
        return list[_json_type(arguments[0])]  # type: ignore[misc]
    if origin is not None and issubclass(origin, Mapping):
        return dict[str, _json_type(arguments[1])]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, Struct):
        return list[Any] if hint.__struct_config__.array_like else shape_of(hint)
    return hint


def _docstrings(struct: type[Struct]) -> dict[str, str]:
    """The text below each field, also of inherited ones."""
    found: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if issubclass(cls, Struct) and cls is not Struct:
            found |= _own_docstrings(cls)
    return found


def _own_docstrings(cls: type) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(cls))
    body = getattr(tree.body[0], "body", [])
    found = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and is_text:
            found[node.target.id] = inspect.cleandoc(str(following.value.value))
    return found
