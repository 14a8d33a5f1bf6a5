"""``python -m headway.server.openapi.reference``: the HTTP API as Markdown, for docs/http-api.md.

It is made from the document that ``/openapi.json`` serves, so the two cannot disagree.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headway import __version__
from headway.server.openapi.docs import build

Object = Mapping[str, Any]

INTRODUCTION = """\
# The HTTP API

A running server shows this page with a form for each route at `/docs`, and the same for tools at
`/openapi.json`. Both work without the internet.

```console
$ curl -s localhost:8000/api/engine/chat/local -H 'content-type: application/json' \\
    -d '{"model": "smollm2-135m-instruct", "chat_input": "Hello! Who are you?"}'
```

If the server has keys of its own, every route but `/` with its page, `/health` and the
documentation requires one, as `Authorization: Bearer KEY` or as `x-api-key: KEY`. `/` says
where to go.

An error has one [shape](#errorreply) on every route. In the tables of fields, `*` marks fields that
are always there; numbers have their unit.
"""


def markdown(document: Object) -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parts.append("".join(_operation(method.upper(), path, operation)))
    parts.append("## Shapes\n")
    for name, schema in document["components"]["schemas"].items():
        parts.append("".join(_shape(name, schema)))
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Object) -> Iterator[str]:
    yield f"## {method} {path}\n\n{operation['summary']}. {_reflow(operation['description'])}\n"
    if "parameters" in operation:
        rows = (_parameter(parameter) for parameter in operation["parameters"])
        yield from _table(("parameter", "in", "meaning"), rows)
    if "requestBody" in operation:
        yield from _bodies("Request", operation["requestBody"]["content"])
    good, *bad = operation["responses"].items()
    yield from _bodies("Reply", good[1]["content"])
    if "headers" in good[1]:
        headers = good[1]["headers"].items()
        meanings = ((f"`{name}`", header["description"]) for name, header in headers)
        yield from _table(("header of the reply", "meaning"), meanings)
    if bad:
        yield from _table(("status", "`type`", "when"), _errors(bad))


def _parameter(parameter: Object) -> tuple[str, str, str]:
    star = " *" if parameter["required"] else ""
    return f"`{parameter['name']}`{star}", parameter["in"], parameter["description"]


def _bodies(title: str, content: Object) -> Iterator[str]:
    for kind, body in content.items():
        yield f"\n{title}, `{kind}`: {_type(body['schema'])}.\n"
        if kind == "application/json":
            for example in body["examples"].values():
                yield f"\n{example['summary']}:\n\n```json\n{_pretty(example['value'])}\n```\n"


def _kind(error: Any) -> str:
    """What a client tells an error's kind by; empty where it is a text."""
    kind = error.get("type") or error["status"] if isinstance(error, dict) else ""
    return f"`{kind}`" if kind else ""


def _errors(responses: Iterable[tuple[str, Object]]) -> Iterator[tuple[str, str, str]]:
    for status, response in responses:
        for example in response["content"]["application/json"]["examples"].values():
            yield status, _kind(example["value"]["error"]), example["summary"]


def _shape(name: str, schema: Object) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield f"\n{_reflow(schema['description'])}\n"
    if "properties" not in schema:
        yield f"\nA {_type(schema)}.\n"
        return
    required = schema.get("required", ())
    rows = (
        (
            f"`{field}`{' *' if field in required else ''}",
            _type(inner),
            _default(inner),
            _reflow(inner.get("description", "")),
        )
        for field, inner in schema["properties"].items()
    )
    yield from _table(("field", "type", "default", "meaning"), rows)


def _type(schema: Object) -> str:
    """A schema in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(one) for one in schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    match schema.get("type"):
        case list() as several:
            return " or ".join(several) + _range(schema)
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            return f"object of {_type(schema['additionalProperties'])}"
        case None:
            return "any"
        case one:
            return f"{one}{_range(schema)}"


def _range(schema: Object) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        return ""
    return f", at least {low:g}" if high is None else f", {low:g} to {high:g}"


def _default(schema: Object) -> str:
    default = schema.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"\n| {' | '.join(names)} |\n|{'---|' * len(names)}\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def _reflow(text: str) -> str:
    """Each paragraph on one line, as a table cell requires."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(markdown(build(__version__).openapi()))
