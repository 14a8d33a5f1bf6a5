"""Access tokens of Entra ID, for applications and managed identities, from a scripted server."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headway.credentials.base import REFRESH_AHEAD_S
from headway.credentials.entra.source import EntraCredentials
from headway.credentials.entra.token_requests import SCOPE
from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from support.credential_fakes import NOW, UNREACHABLE, TokenScene, play_scene, unpacked
from support.scripted_server import Reply, answer
from support.signing_keys import CERTIFICATE_PEM, key_pem

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET = {"tenant_id": "tenant", "client_id": "cid", "client_secret": "planted-secret"}
VARIABLES = {
    "AZURE_TENANT_ID": "env-tenant",
    "AZURE_CLIENT_ID": "env-cid",
    "AZURE_CLIENT_SECRET": "env-secret",
}
Check = Callable[["Scene"], Coroutine[Any, Any, None]]


class Scene(TokenScene):
    """A source and the server that it asks."""

    def source(self, *, environ: dict[str, str] | None = None, **options: Any) -> EntraCredentials:
        return EntraCredentials(options, environ or {}, self.fetch, self.clock)

    def application(self, **options: Any) -> EntraCredentials:
        return self.source(**{"authority_host": self.server.url, **SECRET, **options})

    def form(self, number: int = 0) -> dict[str, str]:
        asked = self.server.requests[number]
        assert asked.method == "POST"
        assert asked.header("content-type") == "application/x-www-form-urlencoded"
        return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}

    def query(self, number: int = 0) -> dict[str, str]:
        asked = self.server.requests[number]
        assert asked.method == "GET"
        return {k: v[0] for k, v in parse_qs(urlsplit(asked.target).query).items()}


def play(folder: Path, replies: list[Reply], check: Check) -> None:
    play_scene(Scene, folder, replies, check)


def token(name: str = "one", **fields: Any) -> bytes:
    sent = {"token_type": "Bearer", "expires_in": 3599, "access_token": name, **fields}
    return answer(json.dumps(sent).encode())


# --- An application -------------------------------------------------------------------------------


def test_an_application_sends_its_secret(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        assert await scene.application().credentials() == {"access_token": "one"}
        assert scene.server.requests[0].target == "/tenant/oauth2/v2.0/token"
        assert scene.form() == {
            "grant_type": "client_credentials",
            "client_id": "cid",
            "scope": SCOPE,
            "client_secret": "planted-secret",
        }

    play(tmp_path, [token()], check)


def test_the_scope_can_be_configured(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        await scene.application(scope="https://ai.azure.com/.default").credentials()
        assert scene.form()["scope"] == "https://ai.azure.com/.default"

    play(tmp_path, [token()], check)


def test_each_request_reads_the_federated_token_again(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        place = scene.file(b"federated.one\n")
        environ = {**VARIABLES, "AZURE_FEDERATED_TOKEN_FILE": place}
        del environ["AZURE_CLIENT_SECRET"]
        environ["AZURE_AUTHORITY_HOST"] = scene.server.url + "/"
        source = scene.source(environ=environ)
        await source.credentials()
        assert scene.server.requests[0].target == "/env-tenant/oauth2/v2.0/token"
        assert scene.form() == {
            "grant_type": "client_credentials",
            "client_id": "env-cid",
            "scope": SCOPE,
            "client_assertion_type": ASSERTION,
            "client_assertion": "federated.one",
        }
        scene.file(b"federated.two")
        scene.clock.now += 3600
        await source.credentials()
        assert scene.form(1)["client_assertion"] == "federated.two"

    play(tmp_path, [token()], check)


def test_a_client_certificate_signs_an_assertion(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        place = scene.file(CERTIFICATE_PEM + key_pem())
        source = scene.application(client_secret=None, client_certificate=place)
        await source.credentials()
        form = scene.form()
        assert form["client_assertion_type"] == ASSERTION
        assert "client_secret" not in form
        claims = json.loads(unpacked(form["client_assertion"].split(".")[1]))
        assert claims["aud"] == scene.server.url + "/tenant/oauth2/v2.0/token"

    play(tmp_path, [token()], check)


def test_the_error_names_a_missing_file(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        place = str(tmp_path / "gone")
        with pytest.raises(UpstreamAuth, match="gone cannot be read: No such file"):
            await scene.application(client_secret=None, federated_token_file=place).credentials()

    play(tmp_path, [token()], check)


def test_a_managed_identity_asks_the_metadata_server(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        assert (await scene.source(metadata_url=scene.server.url).credentials()) == {
            "access_token": "one"
        }
        asked = scene.server.requests[0]
        assert asked.target.startswith("/metadata/identity/oauth2/token?")
        assert asked.header("metadata") == "true"
        assert scene.query() == {
            "api-version": "2018-02-01",
            "resource": "https://cognitiveservices.azure.com",
        }

    play(tmp_path, [token(expires_in="86399", expires_on="1700086399")], check)


def test_the_client_id_selects_a_user_assigned_identity(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": scene.server.url,
            "AZURE_CLIENT_ID": "mine",
            "IDENTITY_ENDPOINT": UNREACHABLE + "/never",
            "IDENTITY_HEADER": "x",
        }
        await scene.source(environ=environ).credentials()
        assert scene.query()["client_id"] == "mine"

    play(tmp_path, [token()], check)


def test_an_app_service_asks_the_address_in_its_environment(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {
            "IDENTITY_ENDPOINT": scene.server.url + "/msi/token",
            "IDENTITY_HEADER": "sesame",
        }
        source = scene.source(environ=environ)
        await source.credentials()
        asked = scene.server.requests[0]
        assert asked.target.startswith("/msi/token?")
        assert asked.header("x-identity-header") == "sesame"
        assert scene.query()["api-version"] == "2019-08-01"
        scene.clock.now = NOW + 500 - REFRESH_AHEAD_S - 1
        await source.credentials()
        assert len(scene.server.requests) == 1
        scene.clock.now = NOW + 500
        assert (await source.credentials())["access_token"] == "two"

    sent = {"access_token": "one", "expires_on": str(int(NOW) + 500)}
    play(tmp_path, [answer(json.dumps(sent).encode()), token("two")], check)


def test_the_error_names_the_remedy_without_application_or_identity(
    tmp_path: Path,
) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match="AZURE_CLIENT_SECRET") as caught:
            await scene.source(metadata_url=UNREACHABLE).credentials()
        assert caught.value.retryable is False

    play(tmp_path, [token()], check)


# --- Refusals ------------------------------------------------------------------------------------

REFUSALS: list[tuple[bytes, int, type[UpstreamError], str]] = [
    (
        b'{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret."}',
        401,
        UpstreamAuth,
        "AADSTS7000215",
    ),
    (b'{"error": "invalid_request"}', 400, UpstreamAuth, "invalid_request"),
    (b"<html>", 403, UpstreamAuth, "status 403"),
    (b"<html>", 503, UpstreamError, "status 503"),
    (b'{"error": "slow"}', 429, UpstreamError, "slow"),
    (b"<html>", 200, UpstreamGarbled, "no token"),
]


@pytest.mark.parametrize(("body", "status", "cls", "reason"), REFUSALS)
@pytest.mark.parametrize("is_managed", [True, False])
def test_a_refusal_quotes_the_token_server(
    tmp_path: Path,
    body: bytes,
    status: int,
    cls: type[UpstreamError],
    reason: str,
    is_managed: bool,
) -> None:
    async def check(scene: Scene) -> None:
        options = {"metadata_url": scene.server.url}
        source = scene.source(**options) if is_managed else scene.application()
        with pytest.raises(UpstreamError, match=reason) as caught:
            await source.credentials()
        assert type(caught.value) is cls
        assert "planted" not in caught.value.message

    play(tmp_path, [answer(body, status=status)], check)


def test_an_unreachable_authority_is_a_retryable_error(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application(authority_host=UNREACHABLE)
        with pytest.raises(UpstreamError) as caught:
            await source.credentials()
        assert caught.value.retryable

    play(tmp_path, [token()], check)


def test_a_token_without_an_expiry_lasts_an_hour(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application()
        await source.credentials()
        scene.clock.now = NOW + 3600 - REFRESH_AHEAD_S - 1
        await source.credentials()
        assert len(scene.server.requests) == 1

    play(tmp_path, [answer(b'{"access_token": "one"}')], check)
