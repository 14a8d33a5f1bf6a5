"""AWS credentials, found on this machine and kept until shortly before they end.

One look at a time, however many wait for it; while the old ones still serve, nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from headway.ports import Transport
from headway.transport.aws_search import Search
from headway.transport.aws_services import AwsServices, Endpoints, Temporary
from headway.types import Clock

EARLY_S = 300.0
"""So long before their end credentials are renewed, while the old ones still serve."""
REREAD_S = 300.0
"""Files are read again after this: other tools renew them."""
RETRY_S = 10.0


class Found(Struct, frozen=True):
    """Credentials as ``Target.credentials`` holds them. Times are unix seconds."""

    shown: Mapping[str, str]
    due: float
    """When to look again."""
    expires: float | None


class AwsCredentials:
    """A ``ports.CredentialSource``. ``options`` are the provider's (access_key, secret_key,
    session_token, profile, role_arn, role_session_name, external_id, web_identity_token_file,
    region), ``environ`` the environment's variables as values. It gives access_key, secret_key,
    session_token and region, as far as they are known."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        transport: Transport,
        wall: Clock,
        *,
        endpoints: Endpoints | None = None,
    ) -> None:
        self._options = options
        self._environ = environ
        self._wall = wall
        self._services = AwsServices(transport, wall, endpoints or endpoints_of(environ))
        self._found: Found | None = None
        self._looking: asyncio.Task[Found] | None = None
        self._not_before = 0.0

    async def credentials(self) -> Mapping[str, str]:
        """Raises UpstreamAuth with the remedy if there are none, or nobody gives them out."""
        now = self._wall()
        found = self._found
        if found is None or (found.expires is not None and found.expires <= now):
            return (await asyncio.shield(self._look())).shown
        if found.due <= now and self._not_before <= now:
            self._look()  # behind the back of this request, which the old ones still serve
        return found.shown

    def _look(self) -> asyncio.Task[Found]:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._find())
            self._looking.add_done_callback(self._keep)
        return self._looking

    def _keep(self, looking: asyncio.Task[Found]) -> None:
        self._looking = None
        if looking.cancelled() or looking.exception() is not None:
            self._not_before = self._wall() + RETRY_S
        else:
            self._found = looking.result()

    async def _find(self) -> Found:
        search = Search(self._options, self._environ, self._services)
        temporary = await search.run()
        return self._shown(temporary, await search.region())

    def _shown(self, found: Temporary, region: str | None) -> Found:
        key = found.key
        values = {
            "access_key": key.access_key,
            "secret_key": key.secret_key,
            "session_token": key.session_token,
            "region": region,
        }
        shown = {name: value for name, value in values.items() if value}
        now = self._wall()
        due = now + REREAD_S
        if found.expires is not None:
            due = max(found.expires - EARLY_S, now + RETRY_S)
        return Found(shown, due, found.expires)


def endpoints_of(environ: Mapping[str, str]) -> Endpoints:
    """AWS's places, or those that AWS's own variables name instead."""
    usual = Endpoints()
    return Endpoints(
        sts=environ.get("AWS_ENDPOINT_URL_STS") or environ.get("AWS_ENDPOINT_URL") or usual.sts,
        metadata=environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or usual.metadata,
    )
