"""The documentation routes: ``/docs``, ``/openapi.json`` and ``/docs/assets/*``.

Everything that the page loads is in the package, and its content security policy allows requests
to this server only. FastAPI's own pages, which load files from a CDN, are off.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

from headway.dialects.base import encode_error
from headway.errors import HeadwayError, NotAllowed, NotFound
from headway.server.asgi import REQUEST_ID, with_headers
from headway.server.asgi_types import AsgiApplication, Receive, Scope, Send
from headway.server.openapi.document import document, with_example_model

METHODS = ["GET", "HEAD"]
ASSETS = Path(__file__).with_name("assets")
DESCRIPTION = """\
An LLM gateway that measures every token: cost, latency and time to first token in every answer.

If the server has keys of its own, every route but `/` with its page, `/health` and the \
documentation requires one, as `Authorization: Bearer KEY` or as `x-api-key: KEY`. Errors have one \
shape on all routes. This page is made from [openapi.json](openapi.json)."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the page's components add style elements
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


class SecurityHeaders:
    """Middleware that adds ``HEADERS`` to every response."""

    def __init__(self, app: AsgiApplication) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, with_headers(send, HEADERS))


class DocumentationApp(FastAPI):
    """FastAPI, whose document also has the routes that it does not serve."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = document(super().openapi())
        return self.openapi_schema


def _no_example_model() -> None:
    """For the page in the repository, which has the published sample first."""


def build(
    version: str, example_model: Callable[[], tuple[str, str] | None] = _no_example_model
) -> FastAPI:
    """The application for these routes. ``version`` is Headway's, for the document;
    ``example_model`` returns the provider and model that the first examples call."""
    app = DocumentationApp(
        title="Headway",
        version=version,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # they have absolute addresses, which lack a proxy's prefix
    )

    async def describe() -> dict[str, Any]:
        model = example_model()  # in the event loop, to which upstreams belong
        described = await run_in_threadpool(app.openapi)
        return described if model is None else with_example_model(described, *model)

    app.add_api_route("/docs", _page, methods=METHODS, include_in_schema=False)
    app.add_api_route("/docs/", _redirect_to_page, methods=METHODS, include_in_schema=False)
    app.add_api_route("/openapi.json", describe, methods=METHODS, include_in_schema=False)
    app.mount("/docs/assets", StaticFiles(directory=ASSETS))
    app.add_exception_handler(NotFound.status, _not_found)
    app.add_exception_handler(NotAllowed.status, _not_allowed)
    app.add_middleware(SecurityHeaders)
    return app


def _page() -> FileResponse:
    return FileResponse(ASSETS / "page.html")


def _redirect_to_page() -> Response:
    return Response(None, 307, {"location": "../docs"})


def _not_found(request: Request, error: Exception) -> Response:
    return _refuse(
        request, NotFound(f"There is no route {request.url.path}; GET /docs lists them all.")
    )


def _not_allowed(request: Request, error: Exception) -> Response:
    refusal = _refuse(request, NotAllowed(f"{request.url.path} takes GET, not {request.method}."))
    refusal.headers["allow"] = ", ".join(METHODS)
    return refusal


def _refuse(request: Request, error: HeadwayError) -> Response:
    """The response in the shape of all errors."""
    request_id = request.scope.get(REQUEST_ID) or str(uuid4())
    body = encode_error(error, None, request_id)
    headers = {"x-request-id": request_id}
    return Response(body, error.status, headers, media_type="application/json")
