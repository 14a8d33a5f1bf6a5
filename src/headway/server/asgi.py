"""Headway as an ASGI application: under any ASGI server, and in tests.

Requests on the pipeline routes go straight to the pipeline, those on the read-only routes to
``api/info_routes.py``, those about records to ``api/ledger_routes.py``, and all others to the
documentation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from http import HTTPStatus
from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl

from headway import __version__
from headway.catalog.catalog_cache import CatalogCache
from headway.dialects.base import JSON, ClientRequest, Dialect, OpenAIFormat
from headway.errors import BodyTooLarge, HeadwayError, NotAllowed, NotFound
from headway.pipeline.call import GatewayCall
from headway.pipeline.failure_log import log_failure
from headway.pipeline.gateway import Gateway
from headway.pipeline.native_call import ErrorFormat, NativeCall
from headway.policy.gateway_loop import find_earlier_gateways
from headway.policy.keys import authorize
from headway.policy.request_headers import find_request_id
from headway.server import routes
from headway.server.api import (
    info_routes,
    native_routes,
    refused_responses,
    token_counts,
)
from headway.server.api.native_routes import NativeAddress, error_format, new_request
from headway.server.api.refused_responses import is_websocket, no_websocket
from headway.server.asgi_sink import AsgiSink
from headway.server.asgi_stream import stream
from headway.server.asgi_types import BREAK_OFF, AsgiApplication, Message, Receive, Scope, Send
from headway.server.ledger_reader import LedgerReader
from headway.types import Headers

if TYPE_CHECKING:
    from headway.server import page
    from headway.server.api import ledger_routes

T = TypeVar("T")
PLAIN = OpenAIFormat()
"""The format of errors on paths without a dialect."""
TEXT = b"text/plain; charset=utf-8"
INDEX = f"""\
This is Headway {__version__}, an LLM gateway that measures every token.

/docs                            the API, with a form for each route
/openapi.json                    the same for tools
/health                          whether it runs
/v1                              the base URL for OpenAI's clients
/api/engine/models               what can be called here
/api/logs                        the calls, with cost and times; /api/usage has their sums
POST /api/engine/chat/PROVIDER   a chat call with its cost, latency and tokens
""".encode()


BASES = frozenset(
    {f"{prefix}{base}" for prefix in ("", *routes.PREFIXES) for base in ("", "/v1", "/v1beta")}
)
"""The base URLs of clients: some ask for them first, to see whether there is a server."""
PROBES = BASES | {"/api/hello", "/anthropic/api/hello"}
"""Claude Code asks below its base URL."""
COMPARE = "/api/compare"
REQUEST_ID = "headway.request_id"
"""The key of a request's id in its scope, where the documentation finds it."""


HTTP_ONLY = (b"upgrade", b"HTTP/1.1")
"""The protocol to use instead, which a 426 has to name (RFC 9110, section 15.5.22)."""


class ClientDisconnected(Exception):  # noqa: N818 - an event, not an error
    """The client disconnected while its request was being read."""


class AsgiRoutes:
    """The HTTP routes of one gateway. ``documentation`` serves every path that is not known here;
    it may raise HeadwayError."""

    def __init__(
        self,
        gateway: Gateway,
        documentation: AsgiApplication,
        reader: LedgerReader,
        *,
        has_page: bool = True,
    ) -> None:
        self._gateway = gateway
        self._reader = reader
        self._ledger: ledger_routes.LedgerRoutes | None = None
        self._catalog = CatalogCache(gateway)
        self._info_routes = info_routes.InfoRoutes(self._catalog)
        self._documentation = documentation
        self._page: page.Page | None = None
        self.has_page = has_page
        self._posted: dict[str, AsgiApplication] = {
            COMPARE: self._compare,
            **dict.fromkeys(info_routes.SHOW, self._respond_with_model),
        }

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        try:
            find_earlier_gateways(scope["headers"], self._gateway.gateway_id)
            path = scope["path"]
            _check_websocket(scope)
            if (address := native_routes.find_in_scope(scope)) is not None:
                await self._pass_through(address, scope, receive, send)
                return
            found = routes.find(scope["path"], scope["query_string"].decode("latin-1"))
            if found is not None and (scope["method"] == "POST" or not self._reads_ledger(scope)):
                await self._respond_from_pipeline(found, scope, receive, send)
            elif (route := token_counts.find(path)) is not None:
                await self._respond_with_count(route, scope, receive, send)
            elif (respond := self._posted.get(path)) is not None:
                _check_method(scope, "POST")
                await respond(scope, receive, send)
            elif info_routes.find(path) is not None:
                await self._respond_with_info(scope, self._with_request_id(scope, send))
            elif (ledger := self._ledger_routes().find(path)) is not None:
                send = self._with_request_id(scope, send)
                await self._respond_from_ledger(ledger, scope, receive, send)
            elif self.has_page and (path == "/" or path.startswith(routes.PAGE_FILES)):
                await self._respond_with_page(scope, self._with_request_id(scope, send))
            elif path.rstrip("/") in PROBES:
                _check_method(scope, "GET", "HEAD")
                send = self._with_request_id(scope, send)
                await _send_response(send, 200, [(b"content-type", TEXT)], INDEX)
            else:
                await self._respond_to_rest(scope, receive, self._with_request_id(scope, send))
        except ClientDisconnected:
            return
        except HeadwayError as error:
            await _refuse(error, self._request_id(scope), scope, send, self._native_format(scope))

    async def _respond_to_rest(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The documentation, and paths without a route."""
        path, headers = scope["path"], scope["headers"]
        if not routes.is_documentation(path):
            authorize(headers, self._gateway.snapshot.keys)
        if (refusal := refused_responses.find_refused(path)) is not None:
            limit = self._gateway.snapshot.body_limit
            await _read_body(receive, limit, headers)  # so that the connection goes on
            raise refusal
        await self._documentation(scope, receive, send)

    def _ledger_routes(self) -> ledger_routes.LedgerRoutes:
        """They are imported when somebody asks for one: calls do not need them."""
        if self._ledger is None:
            from headway.server.api.ledger_routes import LedgerRoutes

            self._ledger = LedgerRoutes(self._gateway, self._reader, self._catalog)
        return self._ledger

    def _reads_ledger(self, scope: Scope) -> bool:
        """Whether a request on the path of a call reads what the ledger has of earlier ones."""
        ledger = self._ledger_routes().find(scope["path"])
        return ledger is not None and scope["method"] in ledger[0].methods

    def _native_format(self, scope: Scope) -> ErrorFormat | None:
        """The format of errors for a request that would be passed through."""
        address = native_routes.find_in_scope(scope)
        if address is None:
            return None
        upstream = self._gateway.snapshot.upstreams.get(address.provider)
        return error_format(None if upstream is None else upstream.provider.wire)

    def _request_id(self, scope: Scope) -> str:
        """The client's id of the request, or a new one, which stays the same."""
        if REQUEST_ID not in scope:
            found = find_request_id(scope["headers"])
            scope[REQUEST_ID] = self._gateway.new_id() if found is None else found
        request_id: str = scope[REQUEST_ID]
        return request_id

    def _with_request_id(self, scope: Scope, send: Send) -> Send:
        return with_request_id(send, self._request_id(scope))

    async def _respond_from_pipeline(
        self, found: tuple[Dialect, str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        gateway = self._gateway
        _check_method(scope, "POST")
        dialect, argument, query = found
        authorize(scope["headers"], gateway.snapshot.keys, query)  # before the body is read
        body = await _read_body(receive, gateway.snapshot.body_limit, scope["headers"])
        sink = AsgiSink(can_break_off=BREAK_OFF in scope.get("extensions", ()))
        request = ClientRequest(argument, scope["headers"], body, query)
        GatewayCall(gateway, dialect, request, sink, gateway.clock()).begin()
        await _drain(sink, receive, send)

    async def _compare(self, scope: Scope, receive: Receive, send: Send) -> None:
        from headway.server.compare.comparison import Comparison  # calls do not need it

        gateway, headers = self._gateway, scope["headers"]
        query = scope["query_string"].decode("latin-1")
        authorize(headers, gateway.snapshot.keys, query)  # before the body is read
        body = await _read_body(receive, gateway.snapshot.body_limit, headers)
        sink = AsgiSink(can_break_off=BREAK_OFF in scope.get("extensions", ()))
        Comparison(gateway, ClientRequest("", headers, body, query), sink).begin()
        await _drain(sink, receive, send)

    async def _pass_through(
        self, address: NativeAddress, scope: Scope, receive: Receive, send: Send
    ) -> None:
        gateway, headers = self._gateway, scope["headers"]
        authorize(headers, gateway.snapshot.keys, address.query)  # before the body is read
        body = await _read_body(receive, gateway.snapshot.body_limit, headers)
        request = new_request(address, scope["method"], headers, body, scope["scheme"])
        sink = AsgiSink(can_break_off=BREAK_OFF in scope.get("extensions", ()))
        NativeCall(gateway, request, sink, gateway.clock(), error_format).begin()
        await _drain(sink, receive, send)

    async def _respond_from_ledger(
        self, found: tuple[ledger_routes.Route, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        (route, argument), ledger = found, self._ledger_routes()
        _check_method(scope, *route.methods)
        ledger.identify(scope)  # before the body is read
        limit, headers = self._gateway.snapshot.body_limit, scope["headers"]
        reads_body = ledger.reads_body(scope["method"])
        body = await _read_body(receive, limit, headers) if reads_body else b""
        work = ledger.respond(route, argument, scope, body)
        answer = await (while_connected(work, receive) if route.ends_with_client else work)
        content_type = (b"content-type", answer.content_type)
        if isinstance(answer.body, bytes):
            headers = [content_type, *answer.headers]
            await _send_response(send, answer.status, headers, answer.body)
        else:
            await stream(answer, scope, receive, send)

    async def _respond_with_count(
        self, route: token_counts.CountRoute, scope: Scope, receive: Receive, send: Send
    ) -> None:
        _check_method(scope, "POST")
        gateway, query = self._gateway, scope["query_string"].decode("latin-1")
        key_id = authorize(scope["headers"], gateway.snapshot.keys, query)
        body = await _read_body(receive, gateway.snapshot.body_limit, scope["headers"])
        request = ClientRequest(route.argument, scope["headers"], body, query)
        more, answer = await token_counts.respond(gateway, route, request, key_id)
        ids = _id_headers(route.dialect, self._request_id(scope))
        await _send_response(send, 200, [(b"content-type", JSON), *ids, *more], answer)

    async def _respond_with_model(self, scope: Scope, receive: Receive, send: Send) -> None:
        snapshot, query = self._gateway.snapshot, scope["query_string"].decode("latin-1")
        authorize(scope["headers"], snapshot.keys, query)
        body = await _read_body(receive, snapshot.body_limit, scope["headers"])
        details = await self._info_routes.show(body)
        await _send_response(send, 200, [(b"content-type", JSON)], details)

    async def _respond_with_page(self, scope: Scope, send: Send) -> None:
        """Imported when somebody asks for it, like the ledger's routes."""
        from headway.server import page

        _check_method(scope, "GET", "HEAD")
        headers = scope["headers"]
        if self._page is None:
            self._page = page.Page()
        if scope["path"] != "/":
            answer = await self._page.file(scope["path"], headers)
        elif page.wants_page(headers):
            answer = await self._page.index(headers)
        else:
            answer = 200, [(b"content-type", TEXT), (b"vary", b"accept")], INDEX
        await _send_response(send, *answer)

    async def _respond_with_info(self, scope: Scope, send: Send) -> None:
        _check_method(scope, "GET", "HEAD")
        path = scope["path"]
        if path not in info_routes.OPEN:
            query_string = scope["query_string"].decode("latin-1")
            authorize(scope["headers"], self._gateway.snapshot.keys, query_string)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        body = await self._info_routes.respond(path, query, scope["headers"])
        status = 503 if path == info_routes.HEALTH and self._gateway.is_refusing else 200
        await _send_response(send, status, [(b"content-type", JSON)], body)


async def _refuse(
    error: HeadwayError,
    request_id: str,
    scope: Scope,
    send: Send,
    native_format: ErrorFormat | None = None,
) -> None:
    """In ``native_format``, or in the format of the path's dialect."""
    method, path = scope["method"], scope["path"]
    log_failure("request failed", error, request_id=request_id, method=method, path=path)
    found, count_route = routes.find(path), token_counts.find(path)
    dialect = native_format or routes.error_format(path) or PLAIN
    if found is not None:
        dialect = found[0]
    elif count_route is not None:
        dialect = count_route.dialect
    headers = [(b"content-type", JSON), *_id_headers(dialect, request_id)]
    if isinstance(error, NotAllowed):
        headers.append((b"allow", ", ".join(error.methods).encode()))
    if error.status == refused_responses.NO_WEBSOCKET_STATUS:
        headers.append(HTTP_ONLY)
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % ceil(error.retry_after_s)))
    body = dialect.encode_error(error, None, request_id)
    await _send_response(send, dialect.status_of(error), headers, body)


async def refuse_websocket(request_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a WebSocket's handshake with 426 or 501, where the server can (ASGI, WebSocket Denial
    Response); otherwise it answers with 403."""
    await receive()
    if "websocket.http.response" not in scope.get("extensions", ()):
        await send({"type": "websocket.close", "code": 1008})
        return
    is_native = native_routes.takes_websocket(scope["path"])
    error = refused_responses.no_native_websocket() if is_native else no_websocket()
    headers = [(b"content-type", JSON), *(() if is_native else (HTTP_ONLY,))]
    start = {"type": "websocket.http.response.start", "status": error.status, "headers": headers}
    await send(start)
    body = PLAIN.encode_error(error, None, request_id)
    await send({"type": "websocket.http.response.body", "body": body})


def _id_headers(dialect: ErrorFormat, request_id: str) -> list[tuple[bytes, bytes]]:
    names = (b"x-request-id", dialect.id_header)
    return [(name, request_id.encode()) for name in names if name]


async def _drain(sink: AsgiSink, receive: Receive, send: Send) -> None:
    """Send the response, and notice when the client disconnects."""
    watcher = asyncio.ensure_future(_watch_for_disconnect(receive, sink))
    try:
        await sink.drain(send)
    except OSError:  # since ASGI 2.4 how servers say that the client left ("Disconnected")
        sink.disconnect()
    except BaseException:
        sink.disconnect()
        raise
    finally:
        watcher.cancel()


async def _watch_for_disconnect(receive: Receive, sink: AsgiSink) -> None:
    """Before ASGI 2.4 ``send`` does not raise when a client has disconnected; ``receive`` reports
    it."""
    await _until_disconnected(receive)
    sink.disconnect()


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def while_connected(work: Coroutine[Any, Any, T], receive: Receive) -> T:
    """The result of ``work``, which is cancelled when the client disconnects. Raises
    ClientDisconnected, and what ``work`` raises."""
    task = asyncio.ensure_future(work)
    watcher = asyncio.ensure_future(_until_disconnected(receive))
    try:
        await asyncio.wait((task, watcher), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnected
        return task.result()
    finally:
        task.cancel()
        watcher.cancel()
        await asyncio.wait((task, watcher))


async def _read_body(receive: Receive, limit: int, headers: Headers) -> bytes:
    if any(n == b"content-length" and v.isdigit() and int(v) > limit for n, v in headers):
        raise too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_websocket(scope: Scope) -> None:
    """Raises the refusal of a WebSocket that comes as a request."""
    path, headers = scope["path"], scope["headers"]
    refusal = refused_responses.find_websocket(scope["method"], path, headers)
    if refusal is None and is_websocket(headers) and native_routes.takes_websocket(path):
        refusal = refused_responses.no_native_websocket()
    if refusal is not None:
        raise refusal


def _check_method(scope: Scope, *methods: str) -> None:
    if scope["method"] not in methods:
        error = NotAllowed(f"This route takes {' or '.join(methods)}, not {scope['method']}.")
        error.methods = methods
        raise error


async def _send_response(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = [(b"content-length", b"%d" % len(body))]
    if status == HTTPStatus.NOT_MODIFIED:  # it would be that of the body that is not sent
        length = []  # (RFC 9110, section 8.6)
    start = {"type": "http.response.start", "status": status, "headers": [*headers, *length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit} bytes; server.body_limit sets how much is taken."
    )


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    raise NotFound(f"There is no route {scope['path']}; GET /docs lists them all.")


def with_headers(send: Send, more: Headers) -> Send:
    """``send`` that adds headers to the response."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *more]
        await send(message)

    return send_with_headers


def with_request_id(send: Send, request_id: str) -> Send:
    """``send`` that adds the header to a response that has none."""
    header = (b"x-request-id", request_id.encode())

    async def send_with_request_id(message: Message) -> None:
        if message["type"] == "http.response.start" and header not in message["headers"]:
            message["headers"] = [*message["headers"], header]
        await send(message)

    return send_with_request_id
