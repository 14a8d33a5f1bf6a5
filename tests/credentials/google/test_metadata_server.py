"""The token of a machine's service account, from a scripted metadata server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headway.credentials.base import Credentials
from headway.credentials.google.metadata_server import fetch_from_metadata_server
from headway.errors import UpstreamAuth, UpstreamError
from support.credential_fakes import NOW, UNREACHABLE, TokenScene, play_scene
from support.scripted_server import Reply, answer

TOKEN = answer(json.dumps({"access_token": "ya29.one", "expires_in": 3600}).encode())


def play(folder: Path, replies: list[Reply], check: Any) -> None:
    play_scene(TokenScene, folder, replies, check)


async def fetched(
    scene: TokenScene, options: dict[str, str], environ: dict[str, str] | None = None
) -> Credentials:
    return await fetch_from_metadata_server(options, environ or {}, scene.fetch, scene.clock)


def test_the_server_gives_token_and_project(tmp_path: Path) -> None:
    async def check(scene: TokenScene) -> None:
        found = await fetched(scene, {"metadata_url": scene.server.url})
        assert found.values == {"access_token": "ya29.one", "project": "proj-7"}
        assert found.expires_at == NOW + 3600
        first, second = scene.server.requests
        assert first.target == "/computeMetadata/v1/instance/service-accounts/default/token"
        assert second.target == "/computeMetadata/v1/project/project-id"
        assert [r.header("metadata-flavor") for r in (first, second)] == ["Google", "Google"]

    play(tmp_path, [TOKEN, answer(b"proj-7\n", headers=())], check)


@pytest.mark.parametrize(
    ("options", "project"), [({"project": "given"}, "given"), ({}, None)], ids=["given", "unknown"]
)
def test_the_project_may_be_configured_or_unknown(
    tmp_path: Path, options: dict[str, str], project: str | None
) -> None:
    async def check(scene: TokenScene) -> None:
        environ = {"GCE_METADATA_HOST": scene.server.url.removeprefix("http://")}
        found = await fetched(scene, options, environ)
        assert found.values.get("project") == project

    play(tmp_path, [TOKEN, answer(b"no", status=404)], check)


def test_a_machine_without_a_service_account_is_an_authentication_error(tmp_path: Path) -> None:
    async def check(scene: TokenScene) -> None:
        with pytest.raises(UpstreamAuth, match="status 404"):
            await fetched(scene, {"metadata_url": scene.server.url})

    play(tmp_path, [answer(b"not found", status=404)], check)


@pytest.mark.parametrize("reply", [answer(b"{}", status=503), "reset"], ids=["failure", "reset"])
def test_the_error_names_the_remedy_where_no_server_gives_a_token(
    tmp_path: Path, reply: Reply
) -> None:
    async def check(scene: TokenScene) -> None:
        with pytest.raises(UpstreamAuth, match="gcloud auth application-default login") as caught:
            await fetched(scene, {"metadata_url": scene.server.url})
        assert caught.value.retryable is False
        assert isinstance(caught.value.__cause__, UpstreamError)

    play(tmp_path, [reply], check)


def test_the_error_names_the_remedy_where_there_is_no_server(tmp_path: Path) -> None:
    async def check(scene: TokenScene) -> None:
        environ = {"GCE_METADATA_HOST": UNREACHABLE.removeprefix("http://")}
        with pytest.raises(UpstreamAuth, match="GOOGLE_APPLICATION_CREDENTIALS"):
            await fetched(scene, {}, environ)

    play(tmp_path, [], check)
