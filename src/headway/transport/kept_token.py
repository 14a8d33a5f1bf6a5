"""An access token, fetched when it is needed and kept while it lasts, whoever gives it out.

One fetch at a time, however many wait for it; while the old token still serves, nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from headway.transport.fetch import Fetched
from headway.types import Clock

EARLY_S = 225.0
"""So long before its end a token is renewed. Google's metadata servers hand out the old one until
four minutes before it ends, so earlier would bring the same again."""
RETRY_S = 10.0
ENDING_S = 5.0
"""A token that ends within this would end under way."""


class Answer(Struct):
    """RFC 6749, sections 5.1 and 5.2; numbers may come as texts."""

    access_token: str | None = None
    expires_in: float | None = None
    expires_on: float | None = None
    """Unix seconds: what Azure's App Service says in place of ``expires_in``."""
    error: Any = None
    error_description: str | None = None

    def expires(self, now: float) -> float:
        if self.expires_in is not None:
            return now + self.expires_in
        return now + 3600.0 if self.expires_on is None else self.expires_on


class Token(Struct, frozen=True):
    """Credentials as ``Target.credentials`` holds them. Times are unix seconds."""

    shown: Mapping[str, str]
    due: float
    """When to fetch the next."""
    expires: float


_answer = msgspec.json.Decoder(Answer, strict=False).decode


def token(shown: Mapping[str, str], answer: Answer, now: float) -> Token:
    expires = answer.expires(now)
    return Token(shown, max(expires - EARLY_S, now + RETRY_S), expires)


def read_answer(found: Fetched, whose: str, remedy: str) -> Answer:
    """Raises UpstreamAuth where the credentials are refused, UpstreamError where the server
    failed, UpstreamGarbled for what is no answer."""
    try:
        answer = _answer(found.body)
    except msgspec.MsgspecError as exc:
        if found.status < 400:
            raise UpstreamGarbled(f"{whose}'s token server sent what is no token: {exc}.") from exc
        answer = Answer(error=f"status {found.status}")
    if answer.access_token is not None and found.status < 400:
        return answer
    said = answer.error_description or answer.error or f"status {found.status}"
    if found.status >= 500 or found.status == 429:
        raise UpstreamError(f"{whose}'s token server failed: {said}.")
    raise UpstreamAuth(f"{whose} refused the credentials ({said}): {remedy}.")


class KeptToken:
    """A ``ports.CredentialSource`` over ``find``, which fetches a token however it is done."""

    def __init__(self, find: Callable[[], Coroutine[Any, Any, Token]], wall: Clock) -> None:
        self._find = find
        self._wall = wall
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._not_before = 0.0

    async def credentials(self) -> Mapping[str, str]:
        """Raises what ``find`` raises."""
        now = self._wall()
        token = self._token
        if token is None or token.expires - ENDING_S <= now:
            return (await asyncio.shield(self._fetch())).shown
        if token.due <= now and self._not_before <= now:
            self._fetch()  # behind the back of this request, which the old one still serves
        return token.shown

    def _fetch(self) -> asyncio.Task[Token]:
        if self._fetching is None:
            self._fetching = asyncio.get_running_loop().create_task(self._find())
            self._fetching.add_done_callback(self._keep)
        return self._fetching

    def _keep(self, fetching: asyncio.Task[Token]) -> None:
        self._fetching = None
        if fetching.cancelled() or fetching.exception() is not None:
            self._not_before = self._wall() + RETRY_S
        else:
            self._token = fetching.result()
