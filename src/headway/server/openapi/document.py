"""The OpenAPI document: the rows of ``openapi`` over the models of ``schemas``, beside what FastAPI
says of its own routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import groupby
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)

from headway.server.openapi.error_examples import Failure
from headway.server.openapi.examples import Example
from headway.server.openapi.operations import (
    REQUEST_ID,
    ROUTES,
    SECURITY_SCHEMES,
    TAGS,
    Body,
    Parameter,
    Route,
)
from headway.server.openapi.schemas import engine

RETRY_AFTER = {
    "retry-after": {
        "description": "Seconds to wait before another attempt, where the provider said so.",
        "schema": {"type": "integer", "minimum": 1},
    }
}
_KEY: list[dict[str, list[str]]] = [{"bearer": []}, {"x-api-key": []}]
_NO_KEY: dict[str, list[str]] = {}
"""A server that has no keys asks for none, hence this third way. OpenAPI 3.1, Security
Requirement Object: an empty object makes security optional."""


_SCALARS = ("string", "integer", "number", "boolean")


class _Plain(GenerateJsonSchema):
    """Says things once: no titles made of names, and null as one more type, not as a branch."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if inner.get("type") in _SCALARS and not {"enum", "const"} & inner.keys():
            return {**inner, "type": [inner["type"], "null"]}
        return super().nullable_schema(schema)


def document(served: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document: ``served``, which is FastAPI's of its own routes, with the hot routes
    first."""
    components = dict(served.get("components", {}))
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        **served,
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": {**paths, **served.get("paths", {})},
        "components": {
            **components,
            "schemas": {**_definitions(), **components.get("schemas", {})},
            "securitySchemes": {**SECURITY_SCHEMES, **components.get("securitySchemes", {})},
        },
    }


def _definitions() -> dict[str, Any]:
    used: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for route in ROUTES:
        if route.request:
            used += [(model, "validation") for model in route.request.models]
        used += [(model, "serialization") for body in route.answers for model in body.models]
    used.append((engine.ErrorReply, "serialization"))
    _, schema = models_json_schema(
        list(dict.fromkeys(used)),
        ref_template="#/components/schemas/{model}",
        schema_generator=_Plain,
    )
    return cast("dict[str, Any]", schema["$defs"])


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "operationId": route.id,
        "security": [] if route.open else [*_KEY, _NO_KEY],
    }
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.request:
        operation["requestBody"] = {"required": True, "content": _content((route.request,))}
    answer: dict[str, Any] = {"description": route.answer, "content": _content(route.answers)}
    if route.headers:
        answer["headers"] = dict(route.headers)
    operation["responses"] = {"200": answer, **_failures(route.failures)}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": {"type": "string"},
        "example": parameter.example,
    }


def _content(bodies: Iterable[Body]) -> dict[str, Any]:
    return {
        body.media_type: {"schema": _either(body.models), "examples": _examples(body.examples)}
        for body in bodies
    }


def _either(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _examples(rows: Iterable[Example]) -> dict[str, Any]:
    return {_slug(row.title): {"summary": row.title, "value": row.value} for row in rows}


def _slug(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def _failures(rows: Iterable[Failure]) -> dict[str, Any]:
    def status(row: Failure) -> int:
        return row.error.status

    return {
        str(code): _failure(code, tuple(group))
        for code, group in groupby(sorted(rows, key=status), key=status)
    }


def _failure(code: int, rows: tuple[Failure, ...]) -> dict[str, Any]:
    body = Body((engine.ErrorReply,), tuple(row.example for row in rows))
    answer: dict[str, Any] = {
        "description": f"{HTTPStatus(code).phrase}: " + "; ".join(row.when for row in rows) + ".",
        "headers": REQUEST_ID,
        "content": _content((body,)),
    }
    if any(row.error.retry_after_s for row in rows):
        answer["headers"] = {**REQUEST_ID, **RETRY_AFTER}
    return answer
