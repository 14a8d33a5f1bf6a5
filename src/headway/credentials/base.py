"""The cache for credentials that expire, of any cloud.

A fetch starts when a request needs credentials, and all requests that wait share it. Shortly before
the credentials expire the next request starts a fetch in the background and uses the old ones. A
failure is kept for a second, so that a burst of requests causes one request to a failing token
server.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

from msgspec import Struct

from headway.types import Clock, Headers, HttpRequest, Timeouts

REFRESH_AHEAD_S = 225.0
"""Google's metadata servers return the old token until four minutes before it expires
(google-auth's REFRESH_THRESHOLD is this too), and EC2's new credentials are there five minutes
before: an earlier fetch would return the same credentials again."""
REREAD_S = 300.0
"""Credentials without an expiry (keys in a file) are read again after this: tools replace them."""
RETRY_S = 10.0
"""Time between two background fetches, if the first one failed."""
KEEP_FAILURE_S = 1.0
EXPIRY_MARGIN_S = 5.0
"""Credentials that expire within this could expire before the provider has read them."""
TOKEN_TIMEOUTS = Timeouts(connect=5.0, first_byte=10.0, idle=10.0, total=20.0)
"""Timeouts of a request to a token server."""


class Response(Protocol):
    """A whole HTTP response; header names are lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def body(self) -> bytes: ...


Fetch = Callable[[HttpRequest, Timeouts], Coroutine[Any, Any, Response]]
"""Sends one request through the provider's transport (its proxy, its certificates). Raises
UpstreamError where there is no response."""


class Credentials(Struct, frozen=True):
    values: Mapping[str, str]
    """As ``Target.credentials`` holds them."""
    expires_at: float | None = None
    """Unix seconds; None where the credentials name no end."""

    @classmethod
    def of(cls, expires_at: float | None, **values: str | None) -> Credentials:
        """The values that are known."""
        return cls({name: value for name, value in values.items() if value}, expires_at)


class CredentialCache(ABC):
    """A ``ports.CredentialSource``. Each cloud's class implements ``fetch``."""

    def __init__(self, unix_time: Clock) -> None:
        self._unix_time = unix_time
        self._current: Credentials | None = None
        self._refresh_at = 0.0
        self._fetching: asyncio.Task[Credentials] | None = None
        self._failure: BaseException | None = None
        self._failed_at = 0.0

    @abstractmethod
    async def fetch(self) -> Credentials:
        """New credentials. Raises UpstreamAuth, which names what was tried and the remedy, and
        UpstreamError where a server did not answer."""

    def cached(self) -> Mapping[str, str] | None:
        """The current credentials, unless they are expired. Starts a fetch shortly before."""
        now = self._unix_time()
        current = self._current
        if current is None or _is_expired(current, now):
            return None
        if self._refresh_at <= now and not self._has_failed_within(RETRY_S, now):
            self._start()
        return current.values

    async def credentials(self) -> Mapping[str, str]:
        """Raises what ``fetch`` raises. A caller that is cancelled does not cancel the fetch, which
        other callers may wait for."""
        cached = self.cached()
        if cached is not None:
            return cached
        if self._failure is not None and self._has_failed_within(KEEP_FAILURE_S, self._unix_time()):
            raise self._failure.with_traceback(None)  # each raise would lengthen it
        return (await asyncio.shield(self._start())).values

    def _has_failed_within(self, seconds: float, now: float) -> bool:
        """Turning the clock back must not keep a failure for longer."""
        return self._failure is not None and 0 <= now - self._failed_at < seconds

    def _start(self) -> asyncio.Task[Credentials]:
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self.fetch())
            self._fetching.add_done_callback(self._keep)
        return self._fetching

    def _keep(self, fetching: asyncio.Task[Credentials]) -> None:
        self._fetching = None
        if fetching.cancelled():
            return
        now = self._unix_time()
        self._failure, self._failed_at = fetching.exception(), now
        if self._failure is None:
            self._current = fetching.result()
            self._refresh_at = _refresh_at(self._current, now)


def _is_expired(credentials: Credentials, now: float) -> bool:
    expires_at = credentials.expires_at
    return expires_at is not None and expires_at - EXPIRY_MARGIN_S <= now


def _refresh_at(credentials: Credentials, now: float) -> float:
    if credentials.expires_at is None:
        return now + REREAD_S
    return max(credentials.expires_at - REFRESH_AHEAD_S, now + RETRY_S)


class CloudCredentials(CredentialCache):
    """The credentials that a provider's ``options`` and the environment describe. ``fetch`` sends
    the requests for them."""

    def __init__(
        self, options: Mapping[str, Any], environ: Mapping[str, str], fetch: Fetch, unix_time: Clock
    ) -> None:
        super().__init__(unix_time)
        self._options = options
        self._environ = environ
        self._send = fetch
