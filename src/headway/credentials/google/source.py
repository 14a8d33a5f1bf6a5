"""The credential source of Google Cloud's providers: an access token, from a file's credentials
through google-auth, or from the machine's metadata server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from headway.credentials.base import CloudCredentials, Credentials
from headway.credentials.discovery import gcloud_file
from headway.credentials.google.metadata_server import fetch_from_metadata_server
from headway.credentials.google.remedy import REMEDY
from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamAuth

INSTALL = "pip install google-auth"


class GoogleCredentials(CloudCredentials):
    """Gives ``access_token``, and ``project`` and ``quota_project`` where they are known.
    ``options`` are the provider's (credentials_file, token_uri, metadata_url, project), ``environ``
    the environment's variables as values.

    The first of these that is there: ``credentials_file``; the metadata server, if ``metadata_url``
    is given; the file that GOOGLE_APPLICATION_CREDENTIALS names; the file that gcloud writes; the
    metadata server (cloud.google.com/docs/authentication/application-default-credentials)."""

    async def fetch(self) -> Credentials:
        path = self._file()
        if path is None:
            return await fetch_from_metadata_server(
                self._options, self._environ, self._send, self._unix_time
            )
        token_uri = self._options.get("token_uri")
        return await asyncio.to_thread(_fetch_with_file, path, token_uri, ThreadFetch(self._send))

    def _file(self) -> Path | None:
        named = self._options.get("credentials_file")
        if not named and not self._options.get("metadata_url"):
            named = self._environ.get("GOOGLE_APPLICATION_CREDENTIALS")
            if not named:
                written = gcloud_file(self._environ)
                return written if written is not None and written.is_file() else None
        return Path(named).expanduser() if named else None


def _fetch_with_file(path: Path, token_uri: str | None, fetch: ThreadFetch) -> Credentials:
    """Runs in a thread: google-auth blocks, and its first import takes 0.3 s."""
    try:
        import google.auth  # noqa: F401
    except ImportError:
        raise UpstreamAuth(
            f"Google credentials in a file need the package google-auth: {INSTALL}. Or {REMEDY}."
        ) from None
    from headway.credentials.google.auth_library import fetch_with_file

    return fetch_with_file(path, token_uri, fetch)
