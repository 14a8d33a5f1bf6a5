"""Responses of OAuth token endpoints (RFC 6749, sections 5.1 and 5.2) and of metadata servers,
whose responses have the same shape."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from headway.credentials.base import Response
from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled

LIFETIME_S = 3600.0
"""Assumed for a token whose response has no expiry."""


class TokenResponse(Struct):
    """Numbers may be strings: Azure's metadata server sends them so."""

    access_token: str | None = None
    expires_in: float | None = None
    expires_on: float | None = None
    """Unix seconds: Azure's App Service sends this in place of ``expires_in``."""
    error: Any = None
    error_description: str | None = None

    def expires_at(self, now: float) -> float:
        """Unix seconds."""
        if self.expires_in is not None:
            return now + self.expires_in
        return now + LIFETIME_S if self.expires_on is None else self.expires_on


_decode = msgspec.json.Decoder(TokenResponse, strict=False).decode


def read_token(response: Response, issuer: str, remedy: str) -> TokenResponse:
    """A response that holds a token. Raises UpstreamAuth with the remedy where the issuer refuses
    the credentials, UpstreamError where its server failed, UpstreamGarbled where the body is no
    token response."""
    try:
        token = _decode(response.body)
    except msgspec.MsgspecError as exc:
        if response.status < 400:
            raise UpstreamGarbled(
                f"{issuer}'s token server sent a body that holds no token: {exc}."
            ) from exc
        token = TokenResponse(error=f"status {response.status}")
    if token.access_token is not None and response.status < 400:
        return token
    reason = token.error_description or token.error or f"status {response.status}"
    if is_server_failure(response.status):
        raise UpstreamError(f"{issuer}'s token server failed: {reason}.")
    raise UpstreamAuth(f"{issuer} refused the credentials ({reason}): {remedy}.")


def is_server_failure(status: int) -> bool:
    """Whether the same request could succeed later."""
    return status >= 500 or status == 429
