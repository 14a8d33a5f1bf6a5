"""Where Google Cloud credentials are looked for, and in which order."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from headway.credentials.google.source import GoogleCredentials
from headway.errors import UpstreamAuth
from support.credential_fakes import UNREACHABLE, TokenScene, play_scene
from support.scripted_server import Reply, answer

USER = json.dumps(
    {
        "type": "authorized_user",
        "client_id": "cid",
        "client_secret": "csecret",
        "refresh_token": "1//refresh",
        "quota_project_id": "mine",
    }
)
TOKEN = answer(json.dumps({"access_token": "ya29.one", "expires_in": 3600}).encode())
Check = Callable[["Scene"], Coroutine[Any, Any, None]]


class Scene(TokenScene):
    def source(self, *, environ: dict[str, str] | None = None, **options: Any) -> GoogleCredentials:
        return GoogleCredentials(options, environ or {}, self.fetch, self.clock)


def play(folder: Path, replies: list[Reply], check: Check) -> None:
    play_scene(Scene, folder, replies, check)


GCLOUD = "application_default_credentials.json"
PLACES: list[tuple[str, dict[str, str]]] = [
    ("named.json", {"GOOGLE_APPLICATION_CREDENTIALS": "{folder}/named.json"}),
    (GCLOUD, {"CLOUDSDK_CONFIG": "{folder}"}),
    (f"gcloud/{GCLOUD}", {"APPDATA": "{folder}"}),
    (f".config/gcloud/{GCLOUD}", {"HOME": "{folder}"}),
]


@pytest.mark.parametrize(("name", "environ"), PLACES, ids=[str(place[1]) for place in PLACES])
def test_credentials_are_found_where_googles_tools_keep_them(
    tmp_path: Path, name: str, environ: dict[str, str]
) -> None:
    async def check(scene: Scene) -> None:
        scene.file(USER, name)
        places = {key: value.format(folder=tmp_path) for key, value in environ.items()}
        source = scene.source(environ=places, token_uri=scene.server.url)
        assert (await source.credentials())["quota_project"] == "mine"

    play(tmp_path, [TOKEN], check)


def test_the_configured_file_comes_before_the_environments(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": scene.file("no json", "other.json")}
        place = scene.file(USER)
        source = scene.source(environ=environ, credentials_file=place, token_uri=scene.server.url)
        assert "access_token" in await source.credentials()

    play(tmp_path, [TOKEN], check)


def test_a_configured_metadata_server_comes_before_the_environments_file(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": scene.file("no json", "other.json")}
        source = scene.source(environ=environ, metadata_url=scene.server.url, project="p")
        assert await source.credentials() == {"access_token": "ya29.one", "project": "p"}

    play(tmp_path, [TOKEN], check)


@pytest.mark.parametrize("environ", [{}, {"HOME": "/nowhere"}])
def test_without_a_file_the_metadata_server_is_asked(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    async def check(scene: Scene) -> None:
        host = UNREACHABLE.removeprefix("http://")
        source = scene.source(environ={**environ, "GCE_METADATA_HOST": host})
        with pytest.raises(UpstreamAuth, match="gcloud auth application-default login"):
            await source.credentials()

    play(tmp_path, [], check)


def test_a_token_is_kept(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.source(credentials_file=scene.file(USER), token_uri=scene.server.url)
        assert await source.credentials() is await source.credentials()
        assert len(scene.server.requests) == 1

    play(tmp_path, [TOKEN], check)


def test_the_error_names_the_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.auth", None)

    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match="pip install google-auth"):
            await scene.source(credentials_file=scene.file(USER)).credentials()

    play(tmp_path, [], check)
