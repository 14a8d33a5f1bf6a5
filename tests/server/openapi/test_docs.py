"""The API's document: shapes equal to what is sent, examples that fit them, reviewed files."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin

import msgspec
import pytest
from pydantic import BaseModel

from headway import errors, types
from headway.dialects import engine
from headway.metering import metrics
from headway.pipeline.native_call import ROUTE
from headway.server import routes
from headway.server.api import info_routes, ledger_routes, stored_replies, token_counts
from headway.server.asgi import COMPARE
from headway.server.openapi.docs import ASSETS, build
from headway.server.openapi.document import ROUTES_WITHOUT_CHAT, with_example_model
from headway.server.openapi.reference import markdown
from headway.server.openapi.schemas import (
    anthropic,
    base,
    catalog,
    chat,
    compare,
    completions,
    explain,
    gemini,
    ledger,
    models,
    ollama,
    openai,
    relayed,
    replay,
    responses,
    spend,
    tracker,
)
from headway.server.openapi.schemas import engine as engine_schemas
from headway.server.openapi.schemas import metrics as metrics_schemas
from support.lazy_import import lazy_import

openapi_models = lazy_import("fastapi.openapi.models")

VERSION = "1.2.3"
PAGE = Path(__file__).parents[3] / "docs" / "http-api.md"
CONTRACT_REPLY = """\
{"id": "72f34d3b-f254-4950-9d6f-9f66e082fd2f",
 "choices": [{"finish_reason": "stop", "index": 0, "logprobs": null,
   "message": {"content": "Hello! I am a virtual assistant here to help with any questions or tasks you may have. How can I assist you today?",
               "role": "assistant", "function_call": null, "tool_calls": null}}],
 "created": 1718622757, "model": "gpt-3.5-turbo", "object": "chat.completion",
 "system_fingerprint": null, "usage": null, "session_id": null,
 "chat_input": "Hello! Who are you?",
 "chat_output": "Hello! I am a virtual assistant here to help with any questions or tasks you may have. How can I assist you today?",
 "context": [{"role": "user", "content": "Hello! Who are you?"}],
 "provider": "openai", "timestamp": 1718622757.612226,
 "parameters": {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0},
 "metrics": {"input_tokens": 6, "output_tokens": 26, "total_tokens": 32, "cost_usd": 0.000061,
   "latency_s": 1.0556859970092773, "time_to_first_token_s": 0.8302950859069824,
   "inter_token_latency_s": 0.008317514702125831, "tokens_per_second": 26.523038175483098}}
"""  # noqa: E501


@cache
def app() -> Any:
    """Built at its first use: each process that collects tests would build it at import."""
    return build(VERSION)


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(app().openapi()))
    return found


class Served(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def get(path: str, method: str = "GET") -> Served:
    """One request to the application, without a server."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": None,
        "server": ("testserver", 80),
    }

    asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in asked:
            return message
        return await asyncio.get_running_loop().create_future()  # a client that waits

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app()(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Served(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


class Sample(NamedTuple):
    where: str
    models: tuple[type[BaseModel], ...]
    value: Any


def samples() -> Iterator[Sample]:
    """Every example of the document, with the models that its schema names."""
    for path, method, operation in operations():
        contents = {str(k): v.get("content", {}) for k, v in operation["responses"].items()}
        contents["request"] = operation.get("requestBody", {}).get("content", {})
        for part, content in contents.items():
            for kind, media in content.items():
                for name, example in media["examples"].items():
                    where = f"{method} {path} {part} {kind} {name}"
                    schema, value = media["schema"], example["value"]
                    is_list = schema.get("type") == "array"
                    for one in value if is_list else [value]:
                        yield Sample(where, models_of(schema["items"] if is_list else schema), one)


def models_of(schema: dict[str, Any]) -> tuple[type[BaseModel], ...]:
    names = [one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema])]
    schemas = (base, chat, metrics_schemas, models, engine_schemas, openai, responses, anthropic)
    schemas = (
        *schemas,
        gemini,
        ollama,
        completions,
        relayed,
        ledger,
        replay,
        spend,
        tracker,
        explain,
        catalog,
        compare,
    )
    found = (next(vars(file)[name] for file in schemas if name in vars(file)) for name in names)
    return tuple(found)


def fits(model: type[BaseModel], value: Any) -> bool:
    """Valid, and nothing in it that the model does not name."""
    try:
        read = model.model_validate_json(json.dumps(value), strict=True)
    except ValueError:
        return False
    return bool(json.loads(read.model_dump_json(exclude_unset=True)) == value)


def refs(node: Any) -> Iterator[str]:
    match node:
        case dict():
            for key, value in node.items():
                if key == "$ref":
                    yield value
                else:
                    yield from refs(value)
        case list():
            for value in node:
                yield from refs(value)


# --- The document ---------------------------------------------------------------------------------


ARGUMENTS = {"/api/routes/": "{name}/comparison", "/api/providers/": "{name}/check"}


def test_every_route_of_the_server_is_described_and_no_other() -> None:
    dialects = {("post", dialect.route) for _, dialect in routes.DIALECTS}
    below = (*routes.PREFIXES, "/anthropic/")  # the same routes again
    dialects = {(method, path) for method, path in dialects if not path.startswith(below)}
    counts = {("post", path) for path in token_counts.ROUTES}
    counts |= {
        ("post", "/v1beta/models/{model}:countTokens"),
        ("post", "/api/show"),
        ("post", COMPARE),
    }
    small = {("get", path) for path in info_routes.ROUTES if not path.startswith(below)}
    small |= {("get", f"{path}{{id}}") for path in info_routes.BY_ID if path.startswith("/v1")}
    native = {(method, ROUTE.route) for method in ("get", "post", "delete")}
    described = {(method, path) for path, method, _ in operations()}
    stored = {
        (method.lower(), path)
        for path, one in ledger_routes.ROUTES.items()
        for method in one.methods
        if not path.endswith("/generation") and method != "HEAD"
    }
    stored |= {
        (method.lower(), f"{path}{ARGUMENTS.get(path, '{id}')}")
        for path, one in ledger_routes.BY_ID.items()
        for method in one.methods
        if method != "HEAD"
    }
    stored |= {("get", "/api/v1/generation")}
    stored |= {
        (method.lower(), path)
        for path, (_, methods) in stored_replies.ROUTES.items()
        for method in methods
        if method != "HEAD" and not path.endswith("/cancel")  # which is refused
    }
    assert described == dialects | counts | small | native | stored


def test_the_document_is_openapi() -> None:
    openapi_models.OpenAPI.model_validate(document())
    assert document()["info"]["version"] == VERSION
    assert document()["openapi"].startswith("3.1")
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(ids)) == len(ids)


def test_every_reference_resolves_and_every_schema_is_referenced() -> None:
    wanted = {ref.removeprefix("#/components/schemas/") for ref in refs(document())}
    assert wanted == set(document()["components"]["schemas"])


def test_every_parameter_of_a_path_is_declared() -> None:
    for path, _, operation in operations():
        declared = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


def test_every_route_but_health_takes_a_key_in_either_header() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert (schemes["bearer"]["type"], schemes["bearer"]["scheme"]) == ("http", "bearer")
    assert (schemes["x-api-key"]["in"], schemes["x-api-key"]["name"]) == ("header", "x-api-key")
    for path, _, operation in operations():
        wanted = [] if path in info_routes.OPEN else [{"bearer": []}, {"x-api-key": []}, {}]
        assert operation["security"] == wanted


def test_the_contracts_fields_have_descriptions() -> None:
    for name in ("EngineRequest", "Metrics", "GenerationParameters", "ErrorDetail", "Parameter"):
        for field, schema in document()["components"]["schemas"][name]["properties"].items():
            assert schema.get("description") or field == "price", f"{name}.{field}"


def test_metrics_say_their_unit() -> None:
    for field, schema in document()["components"]["schemas"]["Metrics"]["properties"].items():
        text = schema.get("description", "")
        if field.endswith("_s"):
            assert text.startswith("Seconds"), field
        elif field.endswith("_tokens"):
            assert text.startswith("Tokens"), field
        elif field.endswith("_usd"):
            assert "dollars" in text


# --- Shapes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        (engine_schemas.EngineReply, engine.EngineReply),
        (engine_schemas.EngineChunk, engine.EngineChunk),
        (metrics_schemas.Metrics, metrics.Metrics),
        (metrics_schemas.Price, metrics.PriceOrigin),
        (engine_schemas.Transformation, types.Transformation),
        (engine_schemas.Parameter, types.Parameter),
    ],
)
def test_a_model_has_the_fields_that_are_sent_in_their_order(
    model: type[BaseModel], sent: type[msgspec.Struct]
) -> None:
    assert list(model.model_fields) == list(sent.__struct_fields__)


def test_the_request_has_every_field_that_the_route_knows() -> None:
    assert set(engine_schemas.EngineRequest.model_fields) == {
        *engine.ROUTE_FIELDS,
        *engine.FORWARDED,
    }


def test_the_defaults_are_those_in_effect() -> None:
    shown = document()["components"]["schemas"]["GenerationParameters"]["properties"]
    defaults = {k: v["default"] for k, v in shown.items() if v.get("default") is not None}
    assert defaults == {k: msgspec.json.decode(v) for k, v in engine.DEFAULTS.items()}


def test_the_streamed_routes_have_all_their_media_types() -> None:
    answers = {
        path: op["responses"]["200"]["content"]
        for path, method, op in operations()
        if method == "post"
    }
    assert list(answers["/api/engine/chat/{provider}"]) == [
        "application/json",
        "application/x-ndjson",
        "text/event-stream",
    ]
    assert list(answers["/v1/chat/completions"]) == ["application/json", "text/event-stream"]


# --- Examples -------------------------------------------------------------------------------------


def test_every_example_fits_its_schema() -> None:
    found = list(samples())
    assert found
    wrong = [
        sample.where
        for sample in found
        if not any(fits(model, sample.value) for model in sample.models)
    ]
    assert wrong == []


def test_an_example_that_does_not_fit_is_noticed() -> None:
    reply = json.loads(CONTRACT_REPLY)
    assert fits(engine_schemas.EngineReply, reply)
    assert not fits(engine_schemas.EngineReply, {**reply, "timestamp": "now"})
    assert not fits(engine_schemas.EngineReply, {**reply, "surplus": 1})
    assert not fits(engine_schemas.EngineReply, {k: v for k, v in reply.items() if k != "usage"})


def test_the_contracts_sample_is_verbatim_and_in_order() -> None:
    content = document()["paths"]["/api/engine/chat/{provider}"]["post"]["responses"]["200"]
    first, *_ = content["content"]["application/json"]["examples"].values()
    assert json.dumps(first["value"]) == json.dumps(json.loads(CONTRACT_REPLY))


def test_every_status_in_the_contracts_table_of_errors_is_shown() -> None:
    for path in ("/api/engine/chat/{provider}", "/v1/chat/completions"):
        shown = set(document()["paths"][path]["post"]["responses"])
        assert shown >= {"400", "401", "404", "413", "422", "429", "502", "503", "504"}


def test_every_type_of_error_is_shown() -> None:
    def family(kind: type[errors.HeadwayError]) -> Iterator[type[errors.HeadwayError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from family(child)

    plain = [s for s in samples() if "error" in s.value and base.ErrorReply in s.models]
    shown = {s.value["error"]["type"] for s in plain}
    recorded_only = {errors.ClientGone.type, errors.HedgeLost.type}
    assert shown == {kind.type for kind in family(errors.HeadwayError)} - recorded_only


def test_a_rate_limit_shows_retry_after() -> None:
    answer = document()["paths"]["/v1/chat/completions"]["post"]["responses"]["429"]
    assert "retry-after" in answer["headers"]


# --- What is served -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/docs", "text/html; charset=utf-8"),
        ("/openapi.json", "application/json"),
        ("/docs/assets/rapidoc-min.js", "text/javascript; charset=utf-8"),
        ("/docs/assets/page.css", "text/css; charset=utf-8"),
        ("/docs/assets/mark.svg", "image/svg+xml"),
    ],
)
def test_every_response_has_its_media_type_and_the_security_headers(path: str, kind: str) -> None:
    reply = get(path)
    assert (reply.status, reply.headers["content-type"]) == (200, kind)
    assert reply.headers["x-content-type-options"] == "nosniff"
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_the_document_is_served_as_it_is() -> None:
    assert json.loads(get("/openapi.json").body) == document()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/redoc", 404),
        ("GET", "/docs/oauth2-redirect", 404),
        ("GET", "/docs/assets/nothing.js", 404),
        ("GET", "/docs/assets/../docs.py", 404),
        ("POST", "/docs", 405),
    ],
)
def test_an_unknown_path_or_method_gets_an_error_in_the_usual_shape(
    method: str, path: str, status: int
) -> None:
    reply = get(path, method)
    assert reply.status == status
    assert fits(base.ErrorReply, json.loads(reply.body))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_page_with_a_slash_is_redirected_also_behind_a_path_prefix(method: str) -> None:
    reply = get("/docs/", method)
    assert reply.status == 307
    assert urljoin("https://example.org/prefix/docs/", reply.headers["location"]) == (
        "https://example.org/prefix/docs"
    )


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/assets/page.css"])
def test_a_wrong_method_gets_the_allowed_ones(path: str) -> None:
    reply = get(path, "POST")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/docs/assets/page.css"])
def test_head_has_the_headers_of_get(path: str) -> None:
    reply = get(path, "HEAD")
    assert (reply.status, reply.headers) == (200, get(path).headers)


def test_the_first_examples_call_a_model_that_works_on_this_server() -> None:
    paths = with_example_model(document(), "own", "m/1")["paths"]
    engine = paths["/api/engine/chat/{provider}"]["post"]
    first, *rest = engine["requestBody"]["content"]["application/json"]["examples"].values()
    assert first["value"] == {"model": "m/1", "chat_input": "Hello! Who are you?"}
    assert engine["parameters"][0]["example"] == "own"
    published = document()["paths"]["/api/engine/chat/{provider}"]["post"]
    examples = published["requestBody"]["content"]["application/json"]["examples"]
    assert rest == list(examples.values())


def test_every_chat_route_has_a_first_example_that_works_on_this_server() -> None:
    paths = with_example_model(document(), "own", "m/1")["paths"]
    for path, operations in paths.items():
        if "post" not in operations or path in {*ROUTES_WITHOUT_CHAT, ROUTE.route}:
            continue
        post = operations["post"]
        body = post["requestBody"]["content"]["application/json"]
        named = {one["name"]: one["example"] for one in post.get("parameters", ())}
        first = next(iter(body["examples"].values()))["value"]
        called = first.get("model", named.get("model"))
        assert called == ("m/1" if "provider" in named else "own/m/1"), path
        assert named.get("provider", "own") == "own"


def test_an_example_of_another_route_stays_as_it_is() -> None:
    changed = with_example_model(document(), "own", "m/1")["paths"]
    for path in ROUTES_WITHOUT_CHAT:
        assert changed[path] == document()["paths"][path]


def test_the_vendored_files_have_the_reviewed_checksums() -> None:
    rows = re.findall(r"\| `(\S+)` \| `([0-9a-f]{64})` \|", (ASSETS / "README.md").read_text())
    ours = {"README.md", "page.html", "page.css", "page.js", "mark.svg"}
    assert {name for name, _ in rows} == {path.name for path in ASSETS.iterdir()} - ours
    for name, digest in rows:
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest, name


# --- The page in the repository -------------------------------------------------------------------


def test_the_page_is_generated_from_the_document() -> None:
    told = "python -m headway.server.openapi.reference > docs/http-api.md"
    changed = {**document(), "info": {}}
    assert PAGE.read_text() == markdown(changed), told


def test_the_page_links_only_to_its_own_headings() -> None:
    text = PAGE.read_text()
    chapters = {title.lower() for title in re.findall(r"(?m)^### (\w+)$", text)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= chapters
