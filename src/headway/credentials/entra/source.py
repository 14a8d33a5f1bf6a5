"""The credential source of Azure's providers: an access token of Microsoft Entra ID."""

from __future__ import annotations

import asyncio

from headway.credentials.base import TOKEN_TIMEOUTS, CloudCredentials, Credentials
from headway.credentials.entra.token_requests import SCOPE, ManagedIdentity, choose_identity
from headway.credentials.oauth import read_token
from headway.errors import UpstreamAuth, UpstreamError

ENTRA = "Entra ID"
REMEDY = (
    "set api_key, or tenant_id, client_id and client_secret in the provider's configuration"
    " (AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET), or run on Azure with a managed"
    " identity that may use the resource"
)


class EntraCredentials(CloudCredentials):
    """Gives ``access_token``. ``options`` are the provider's (tenant_id, client_id, client_secret,
    client_certificate, client_certificate_password, federated_token_file, authority_host,
    metadata_url, scope), ``environ`` the environment's variables as values.

    The first of these that is there: the application that the options describe; the managed
    identity, if ``metadata_url`` is given; the application that the environment describes; the
    managed identity. An application with several credentials uses its secret first, then its
    certificate, then its federated token."""

    async def fetch(self) -> Credentials:
        identity = choose_identity(self._options, self._environ)
        scope = self._options.get("scope") or SCOPE
        # In a thread: it reads files, signs, and imports a slow package for that.
        request = await asyncio.to_thread(identity.request, scope, self._unix_time())
        try:
            response = await self._send(request, TOKEN_TIMEOUTS)
        except UpstreamError as exc:
            if not isinstance(identity, ManagedIdentity):
                raise
            message = f"There are no credentials for Entra ID: {REMEDY}. ({exc.message})"
            raise UpstreamAuth(message) from exc
        token = read_token(response, ENTRA, REMEDY)
        expires_at = token.expires_at(self._unix_time())
        return Credentials.of(expires_at, access_token=token.access_token)
