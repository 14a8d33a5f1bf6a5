"""The token of the service account of this machine, container or function, from its metadata server
(cloud.google.com/compute/docs/metadata).

Not through google-auth: that reads GCE_METADATA_HOST when it is imported, so a provider's
``metadata_url`` could not name another server, and it imports requests for these two GETs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.credentials.base import TOKEN_TIMEOUTS, Credentials, Fetch, Response
from headway.credentials.google.remedy import REMEDY
from headway.credentials.oauth import read_token
from headway.errors import UpstreamAuth, UpstreamError
from headway.types import Clock, HttpRequest
from headway.wire.url import join

METADATA_URL = "http://metadata.google.internal"
HEADERS = (("metadata-flavor", "Google"),)
TOKEN = "instance/service-accounts/default/token"  # noqa: S105 - a path
PROJECT = "project/project-id"


async def fetch_from_metadata_server(
    options: Mapping[str, Any], environ: Mapping[str, str], fetch: Fetch, unix_time: Clock
) -> Credentials:
    """Raises UpstreamAuth where there is no such server, or the machine has no service account."""
    host = environ.get("GCE_METADATA_HOST")
    base_url = options.get("metadata_url") or (f"http://{host}" if host else METADATA_URL)

    async def get(path: str) -> Response:
        url = join(base_url, f"/computeMetadata/v1/{path}")
        return await fetch(HttpRequest(url, HEADERS, b"", "GET"), TOKEN_TIMEOUTS)

    try:
        token = read_token(await get(TOKEN), "Google", REMEDY)
    except UpstreamAuth:
        raise
    except UpstreamError as exc:
        message = f"There are no Google credentials: {REMEDY}. ({exc.message})"
        raise UpstreamAuth(message) from exc
    expires_at = token.expires_at(unix_time())
    project = options.get("project")
    if not project:
        found = await get(PROJECT)
        project = found.body.decode().strip() if found.status == 200 else None
    return Credentials.of(expires_at, access_token=token.access_token, project=project)
