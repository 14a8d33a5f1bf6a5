"""Access tokens for Google Cloud, fetched when they are needed and kept while they last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.errors import UpstreamAuth, UpstreamError
from headway.ports import Transport
from headway.transport.fetch import Fetched, fetch
from headway.transport.google_grants import METADATA_URL, Grant, Machine, read_grant
from headway.transport.kept_token import Answer, KeptToken, Token, read_answer, token
from headway.types import Clock, Timeouts

TIMEOUTS = Timeouts(connect=5.0, first_byte=10.0, idle=10.0, total=20.0)
GOOGLE = "Google"
WELL_KNOWN = "application_default_credentials.json"
REMEDY = (
    "set credentials_file in the provider's configuration or GOOGLE_APPLICATION_CREDENTIALS, run"
    " `gcloud auth application-default login`, or run on Google Cloud with a service account"
)


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
        self._kept = KeptToken(self._find, wall)

    async def credentials(self) -> Mapping[str, str]:
        """Raises UpstreamAuth with the remedy if there are none or they are refused, and what the
        transport raises if nobody answers."""
        return await self._kept.credentials()

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
        answer = read_answer(await self._ask(request), GOOGLE, REMEDY)
        return self._token(answer, grant.project, grant.quota_project)

    async def _of_machine(self) -> Token:
        host = self._environ.get("GCE_METADATA_HOST")
        usual = f"http://{host}" if host else METADATA_URL
        machine = Machine(metadata_url=self._options.get("metadata_url") or usual)
        try:
            answer = read_answer(await self._ask(machine.token_request()), GOOGLE, REMEDY)
        except UpstreamAuth:
            raise
        except UpstreamError as exc:
            message = f"There are no Google credentials: {REMEDY}. ({exc.message})"
            raise UpstreamAuth(message) from exc
        project = self._options.get("project") or await self._project(machine)
        return self._token(answer, project, None)

    async def _project(self, machine: Machine) -> str | None:
        found = await self._ask(machine.project_request())
        return found.body.decode().strip() if found.status == 200 else None

    async def _ask(self, request: Any) -> Fetched:
        return await fetch(self._transport, request, TIMEOUTS)

    def _token(self, answer: Answer, project: str | None, quota_project: str | None) -> Token:
        values = {
            "access_token": answer.access_token,
            "project": project,
            "quota_project": quota_project,
        }
        shown = {name: value for name, value in values.items() if value}
        return token(shown, answer, self._wall())


def _gcloud(environ: Mapping[str, str]) -> Path | None:
    """Where gcloud leaves a user's credentials."""
    if folder := environ.get("CLOUDSDK_CONFIG"):
        return Path(folder) / WELL_KNOWN
    if folder := environ.get("APPDATA"):
        return Path(folder) / "gcloud" / WELL_KNOWN
    if home := environ.get("HOME"):
        return Path(home) / ".config" / "gcloud" / WELL_KNOWN
    return None
