"""Access tokens of Microsoft Entra ID, fetched when they are needed and kept while they last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.errors import UpstreamAuth, UpstreamError
from headway.ports import Transport
from headway.transport.entra_grants import SCOPE, Machine, find_grant
from headway.transport.fetch import fetch
from headway.transport.kept_token import KeptToken, Token, read_answer, token
from headway.types import Clock, Timeouts

TIMEOUTS = Timeouts(connect=5.0, first_byte=10.0, idle=10.0, total=20.0)
ENTRA = "Entra ID"
REMEDY = (
    "set api_key, or tenant_id, client_id and client_secret in the provider's configuration"
    " (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), or run on Azure with a managed"
    " identity that may use the resource"
)


class EntraTokens:
    """A ``ports.CredentialSource``. ``options`` are the provider's (tenant_id, client_id,
    client_secret, client_certificate, client_certificate_password, federated_token_file,
    authority_host, metadata_url, scope), ``environ`` the environment's variables as values. It
    gives access_token.

    Looked for in this order: what the options hold; the machine, if ``metadata_url`` is given; what
    the environment holds; the machine. Of these a secret comes before a certificate, and that
    before another issuer's token."""

    def __init__(
        self,
        options: Mapping[str, Any],
        environ: Mapping[str, str],
        transport: Transport,
        wall: Clock,
    ) -> None:
        self._options = options
        self._environ = environ
        self._transport = transport
        self._wall = wall
        self._kept = KeptToken(self._find, wall)

    async def credentials(self) -> Mapping[str, str]:
        """Raises UpstreamAuth with the remedy if there are none or they are refused, and what the
        transport raises if nobody answers."""
        return await self._kept.credentials()

    async def _find(self) -> Token:
        grant = find_grant(self._options, self._environ)
        scope = self._options.get("scope") or SCOPE
        request = grant.request(scope, self._wall())
        try:
            found = await fetch(self._transport, request, TIMEOUTS)
        except UpstreamError as exc:
            if not isinstance(grant, Machine):
                raise
            message = f"There are no credentials for Entra ID: {REMEDY}. ({exc.message})"
            raise UpstreamAuth(message) from exc
        answer = read_answer(found, ENTRA, REMEDY)
        shown = {"access_token": answer.access_token or ""}
        return token(shown, answer, self._wall())
