"""The routes of the ledger, and who may read what on them.

Without keys of its own a server shows everything to everyone. With keys, each key sees its own
records alone, and those in ``server.admin_keys`` see all.
"""

from __future__ import annotations

from typing import NamedTuple

from headway.catalog.catalog_cache import CatalogCache
from headway.pipeline.gateway import Gateway
from headway.policy.keys import KeyId, authorize
from headway.server.api import (
    comparison_route,
    explain_route,
    export_route,
    feedback_route,
    generation_route,
    log_routes,
    model_list_route,
    provider_routes,
    replay_route,
    routes_route,
    spend_routes,
    stored_replies,
    tracker_routes,
    usage_routes,
)
from headway.server.api.ledger_requests import (
    Answer,
    Handler,
    Ledger,
    LedgerRequest,
    split_query,
)
from headway.server.asgi_types import Scope
from headway.server.ledger_reader import LedgerReader

READ, WRITE = ("GET", "HEAD"), ("POST",)
WITH_BODY = frozenset(("POST", "PATCH"))


class Route(NamedTuple):
    handler: Handler
    methods: tuple[str, ...] = READ
    ends_with_client: bool = False
    """Cancelled when the client disconnects: it costs money."""


ROUTES: dict[str, Route] = {
    "/api/logs": Route(log_routes.logs),
    "/api/logs/facets": Route(log_routes.facets),
    "/api/sessions": Route(log_routes.sessions),
    "/api/usage": Route(usage_routes.usage),
    "/api/costs/reconcile": Route(usage_routes.reconcile),
    "/api/export": Route(export_route.export_or_convert, (*READ, *WRITE)),
    "/api/providers": Route(provider_routes.providers),
    "/api/models": Route(model_list_route.models),
    "/api/routes": Route(routes_route.routes),
    "/api/explain": Route(explain_route.explain_request, WRITE),
    "/api/feedback": Route(feedback_route.feedback, (*READ, *WRITE)),
    "/api/tracking/logs": Route(tracker_routes.logs, (*READ, *WRITE)),
    "/api/tracking/session": Route(tracker_routes.sessions, WRITE),
    "/spend/logs": Route(spend_routes.logs),
    "/spend/tags": Route(spend_routes.all_tags),
    "/global/spend": Route(spend_routes.total),
    "/global/spend/logs": Route(spend_routes.by_day),
    "/global/spend/keys": Route(spend_routes.keys),
    "/global/spend/models": Route(spend_routes.models),
    "/global/spend/provider": Route(spend_routes.providers),
    "/global/spend/tags": Route(spend_routes.tags),
    "/global/spend/all_tag_names": Route(spend_routes.tag_names),
    "/global/spend/end_users": Route(spend_routes.end_users, WRITE),
    **{
        f"{base}/generation": Route(generation_route.generation)
        for base in ("", "/v1", "/api/v1", "/openai", "/openai/v1", "/api")
    },
}
BY_ID: dict[str, Route] = {
    "/api/logs/": Route(log_routes.call),
    comparison_route.PATH: Route(comparison_route.compare),
    provider_routes.PATH: Route(provider_routes.check, WRITE),
    "/api/sessions/": Route(log_routes.session),
    "/api/replay/": Route(replay_route.replay_call, WRITE, ends_with_client=True),
    "/api/tracking/logs/": Route(tracker_routes.session_logs),
    "/api/tracking/session/": Route(tracker_routes.session, (*READ, "PATCH")),
}
"""Routes with an argument at the end of their path, which may have slashes."""


def find(path: str) -> tuple[Route, str] | None:
    """The route of a path and the argument in it; None for a path that is none of these."""
    route = ROUTES.get(path)
    if route is not None:
        return route, ""
    for start, by_id in BY_ID.items():
        if path.startswith(start) and path != start:
            return by_id, path.removeprefix(start)
    stored = stored_replies.find(path)
    return None if stored is None else (Route(stored[0], stored[1]), stored[2])


class LedgerRoutes:
    """The routes of one gateway."""

    find = staticmethod(find)

    def __init__(self, gateway: Gateway, reader: LedgerReader, catalog: CatalogCache) -> None:
        self._ledger = Ledger(gateway, reader, catalog)

    def reads_body(self, method: str) -> bool:
        return method in WITH_BODY

    def identify(self, scope: Scope) -> tuple[KeyId, str | None]:
        """The id of the client's key, and the owner whose records alone it may read. Raises
        Unauthorized."""
        snapshot = self._ledger.gateway.snapshot
        key_id = authorize(scope["headers"], snapshot.keys, scope["query_string"].decode("latin-1"))
        sees_all = not snapshot.keys.digests or key_id in snapshot.admins
        return key_id, None if sees_all else key_id

    async def respond(self, route: Route, argument: str, scope: Scope, body: bytes) -> Answer:
        """Raises HeadwayError."""
        gateway = self._ledger.gateway
        key_id, owner = self.identify(scope)
        pairs = split_query(scope["query_string"], gateway.snapshot)
        request = LedgerRequest(
            pairs,
            argument,
            scope["headers"],
            body,
            key_id,
            owner,
            gateway.unix_time(),
            scope["method"],
            scope["query_string"].decode("latin-1"),
        )
        return await route.handler(self._ledger, request)
