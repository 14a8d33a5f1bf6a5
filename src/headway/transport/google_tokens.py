"""Access tokens for Google Cloud, fetched when they are needed and kept while they last.

One fetch at a time, however many wait for it; while the old token still serves, nobody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from headway.ports import Transport
from headway.transport.fetch import Fetched, fetch
from headway.transport.google_grants import METADATA_URL, Grant, Machine, read_grant
from headway.types import Clock, Timeouts

EARLY_S = 225.0
"""So long before its end a token is renewed. Metadata servers hand out the old one until four
minutes before it ends, so earlier would bring the same again."""
RETRY_S = 10.0
ENDING_S = 5.0
"""A token that ends within this would end under way."""
TIMEOUTS = Timeouts(connect=5.0, first_byte=10.0, idle=10.0, total=20.0)
WELL_KNOWN = "application_default_credentials.json"
REMEDY = (
    "set credentials_file in the provider's configuration or GOOGLE_APPLICATION_CREDENTIALS, run"
    " `gcloud auth application-default login`, or run on Google Cloud with a service account"
)


class Answer(Struct):
    """RFC 6749, sections 5.1 and 5.2."""

    access_token: str | None = None
    expires_in: float = 3600.0
    error: Any = None
    error_description: str | None = None


class Token(Struct, frozen=True):
    """Credentials as ``Target.credentials`` holds them. Times are unix seconds."""

    shown: Mapping[str, str]
    due: float
    """When to fetch the next."""
    expires: float


_answer = msgspec.json.Decoder(Answer).decode


class GoogleTokens:
    """A ``ports.CredentialSource``. ``options`` are the provider's (credentials_file, token_uri,
    metadata_url, project), ``environ`` the environment's variables as values. It gives
    access_token, and project and quota_project as far as they are known.

    Looked for in this order: ``credentials_file``; the machine, if ``metadata_url`` is given;
    GOOGLE_APPLICATION_CREDENTIALS; the file that gcloud writes; the machine."""

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
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._not_before = 0.0

    async def credentials(self) -> Mapping[str, str]:
        """Raises UpstreamAuth with the remedy if there are none or they are refused, and what the
        transport raises if nobody answers."""
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

    async def _find(self) -> Token:
        place = self._file()
        if place is None:
            return await self._of_machine()
        return await self._of_grant(read_grant(place))

    def _file(self) -> Path | None:
        chosen = self._options.get("credentials_file")
        if not chosen and not self._options.get("metadata_url"):
            chosen = self._environ.get("GOOGLE_APPLICATION_CREDENTIALS")
            if not chosen:
                usual = _gcloud(self._environ)
                return usual if usual is not None and usual.is_file() else None
        return Path(chosen) if chosen else None

    async def _of_grant(self, grant: Grant) -> Token:
        request = grant.request(self._wall(), self._options.get("token_uri"))
        answer = read_answer(await self._ask(request))
        return self._kept(answer, grant.project, grant.quota_project)

    async def _of_machine(self) -> Token:
        host = self._environ.get("GCE_METADATA_HOST")
        usual = f"http://{host}" if host else METADATA_URL
        machine = Machine(metadata_url=self._options.get("metadata_url") or usual)
        try:
            answer = read_answer(await self._ask(machine.token_request()))
        except UpstreamAuth:
            raise
        except UpstreamError as exc:
            message = f"There are no Google credentials: {REMEDY}. ({exc.message})"
            raise UpstreamAuth(message) from exc
        project = self._options.get("project") or await self._project(machine)
        return self._kept(answer, project, None)

    async def _project(self, machine: Machine) -> str | None:
        found = await self._ask(machine.project_request())
        return found.body.decode().strip() if found.status == 200 else None

    async def _ask(self, request: Any) -> Fetched:
        return await fetch(self._transport, request, TIMEOUTS)

    def _kept(self, answer: Answer, project: str | None, quota_project: str | None) -> Token:
        values = {
            "access_token": answer.access_token,
            "project": project,
            "quota_project": quota_project,
        }
        now = self._wall()
        expires = now + answer.expires_in
        shown = {name: value for name, value in values.items() if value}
        return Token(shown, max(expires - EARLY_S, now + RETRY_S), expires)


def read_answer(found: Fetched) -> Answer:
    """Raises UpstreamAuth where the credentials are refused, UpstreamError where the server
    failed, UpstreamGarbled for what is no answer."""
    try:
        answer = _answer(found.body)
    except msgspec.MsgspecError as exc:
        if found.status < 400:
            raise UpstreamGarbled(f"Google's token server sent what is no token: {exc}.") from exc
        answer = Answer(error=f"status {found.status}")
    if answer.access_token is not None and found.status < 400:
        return answer
    said = answer.error_description or answer.error or f"status {found.status}"
    if found.status >= 500 or found.status == 429:
        raise UpstreamError(f"Google's token server failed: {said}.")
    raise UpstreamAuth(f"Google refused the credentials ({said}): {REMEDY}.")


def _gcloud(environ: Mapping[str, str]) -> Path | None:
    """Where gcloud leaves a user's credentials."""
    if folder := environ.get("CLOUDSDK_CONFIG"):
        return Path(folder) / WELL_KNOWN
    if folder := environ.get("APPDATA"):
        return Path(folder) / "gcloud" / WELL_KNOWN
    if home := environ.get("HOME"):
        return Path(home) / ".config" / "gcloud" / WELL_KNOWN
    return None
