"""The OpenAPI document: the table of ``operations`` over the models of ``schemas``, together with
FastAPI's document of its own routes."""

from __future__ import annotations

import copy
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

from headway.errors import UpstreamError
from headway.server.openapi import relayed_operations
from headway.server.openapi.error_examples import ErrorExample, ErrorFormat
from headway.server.openapi.examples.base import Example
from headway.server.openapi.operation import Body, Operation, Parameter
from headway.server.openapi.operations import OPERATIONS, SECURITY_SCHEMES, TAGS
from headway.server.openapi.response_headers import ATTEMPT_HEADERS, REQUEST_ID, RETRY_AFTER
from headway.server.openapi.schemas.base import ErrorReply

_KEY: list[dict[str, list[str]]] = [{"bearer": []}, {"x-api-key": []}]
_NO_KEY: dict[str, list[str]] = {}
"""The third alternative, because a server without keys requires none. OpenAPI 3.1, Security
Requirement Object: an empty object makes security optional."""


SERVER = "."
"""The directory of the document (OpenAPI 3.1, Server Object: a URL may be relative to the
document's location), so that it also holds behind a proxy that adds a path prefix."""
ENGINE_CHAT = "/api/engine/chat/{provider}"
ROUTES_WITHOUT_CHAT = frozenset(
    {
        "/v1/chat/completions/{id}",
        "/v1/embeddings",
        "/api/embed",
        "/api/embeddings",
        "/api/compare",
        "/api/explain",
        "/api/feedback",
        "/api/providers/{name}/check",
        "/global/spend/end_users",
        "/api/export",
        "/api/replay/{id}",
        "/api/tracking/logs",
        "/api/tracking/session",
        "/v1beta/models/{model}:embedContent",
        "/v1beta/models/{model}:batchEmbedContents",
        *relayed_operations.PATHS,
    }
)
UNREGISTERED = {529: "Overloaded"}
"""Statuses that APIs use and that are none of HTTP's."""
_SCALARS = ("string", "integer", "number", "boolean")


class _PlainJsonSchema(GenerateJsonSchema):
    """No titles made of names, and null as one more type, not as an alternative schema."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        if inner.get("type") in _SCALARS and not {"enum", "const"} & inner.keys():
            return {**inner, "type": [inner["type"], "null"]}
        return super().nullable_schema(schema)


def document(served: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document: the table's operations, then ``served``, FastAPI's document of its own
    routes."""
    components = dict(served.get("components", {}))
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _describe(operation)
    return {
        **served,
        "servers": [{"url": SERVER, "description": "This server."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": {**paths, **served.get("paths", {})},
        "components": {
            **components,
            "schemas": {**_definitions(), **components.get("schemas", {})},
            "securitySchemes": {**SECURITY_SCHEMES, **components.get("securitySchemes", {})},
        },
    }


def with_example_model(described: Mapping[str, Any], provider: str, model: str) -> dict[str, Any]:
    """A copy of the document in which the first example of each chat route calls this model, so
    that the first form that a reader sends works on this server."""
    changed = copy.deepcopy(dict(described))
    for path, operations in changed["paths"].items():
        if "post" in operations and path not in ROUTES_WITHOUT_CHAT:
            called = model if path == ENGINE_CHAT else f"{provider}/{model}"
            _name_model(operations["post"], {"provider": provider, "model": called})
    return changed


def _name_model(operation: dict[str, Any], values: Mapping[str, str]) -> None:
    """Let the first example of the operation's body, and its parameters, have ``values``."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in values:
            parameter["example"] = values[parameter["name"]]
    body = operation["requestBody"]["content"]["application/json"]
    first = next(iter(body["examples"].values()))["value"]
    if "model" in first:
        called = Example(f"A call to {values['model']}", {**first, "model": values["model"]})
        body["examples"] = {**_examples((called,)), **body["examples"]}


def _definitions() -> dict[str, Any]:
    used: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for operation in OPERATIONS:
        for request in _requests(operation):
            used += [(model, "validation") for model in request.models]
        used += [(model, "serialization") for body in operation.responses for model in body.models]
        used.append((operation.error_format.model, "serialization"))
    used.append((ErrorReply, "serialization"))
    _, schema = models_json_schema(
        list(dict.fromkeys(used)),
        ref_template="#/components/schemas/{model}",
        schema_generator=_PlainJsonSchema,
    )
    return cast("dict[str, Any]", schema["$defs"])


def _describe(operation: Operation) -> dict[str, Any]:
    """The operation as an OpenAPI operation object."""
    described: dict[str, Any] = {
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "operationId": operation.id,
        "security": [] if operation.is_open else [*_KEY, _NO_KEY],
    }
    if operation.parameters:
        described["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if requests := _requests(operation):
        described["requestBody"] = {"required": True, "content": _content(requests)}
    response: dict[str, Any] = {
        "description": operation.response,
        "content": _content(operation.responses),
    }
    if operation.headers:
        response["headers"] = dict(operation.headers)
    errors = _errors(operation.errors, operation.error_format)
    described["responses"] = {"200": response, **errors}
    return described


def _requests(operation: Operation) -> tuple[Body, ...]:
    return tuple(body for body in (operation.request, operation.form) if body is not None)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.location,
        "description": parameter.description,
        "required": parameter.required,
        "schema": {"type": "string"},
        "example": parameter.example,
    }


def _content(bodies: Iterable[Body]) -> dict[str, Any]:
    return {
        body.media_type: {"schema": _schema(body), "examples": _examples(body.examples)}
        for body in bodies
    }


def _schema(body: Body) -> dict[str, Any]:
    schema = _either(body.models)
    return {"type": "array", "items": schema} if body.is_list else schema


def _either(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    references = [{"$ref": f"#/components/schemas/{model.__name__}"} for model in models]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _examples(rows: Iterable[Example]) -> dict[str, Any]:
    return {_slug(row.title): {"summary": row.title, "value": row.value} for row in rows}


def _slug(title: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split())


def _errors(rows: Iterable[ErrorExample], error_format: ErrorFormat) -> dict[str, Any]:
    def status(row: ErrorExample) -> int:
        return error_format.encoder.status_of(row.error)

    return {
        str(code): _error_response(code, tuple(group), error_format)
        for code, group in groupby(sorted(rows, key=status), key=status)
    }


def _error_response(
    code: int, rows: tuple[ErrorExample, ...], error_format: ErrorFormat
) -> dict[str, Any]:
    body = Body((error_format.model,), tuple(row.example(error_format) for row in rows))
    phrase = UNREGISTERED.get(code) or HTTPStatus(code).phrase
    return {
        "description": f"{phrase}: " + "; ".join(row.when for row in rows) + ".",
        "headers": _error_headers(rows),
        "content": _content((body,)),
    }


def _error_headers(rows: tuple[ErrorExample, ...]) -> dict[str, Any]:
    was_tried = any(isinstance(row.error, UpstreamError) for row in rows)
    waits = any(row.error.retry_after_s for row in rows)
    return {
        **REQUEST_ID,
        **(ATTEMPT_HEADERS if was_tried else {}),
        **(RETRY_AFTER if waits else {}),
    }
