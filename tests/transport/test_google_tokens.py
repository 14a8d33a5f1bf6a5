"""Tokens for Google Cloud, from every kind of credentials, against a scripted server."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from headway.transport import google_tokens
from headway.transport.google_grants import SCOPE, ServiceAccount
from headway.transport.google_tokens import GoogleTokens
from headway.transport.kept_token import EARLY_S, RETRY_S
from headway.types import Timeouts
from scripted import Reply, answer
from taker import Run, until
from token_scenes import NOW, TokenScene, play_scene, unpacked

PEM = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ACCOUNT = {
    "type": "service_account",
    "project_id": "proj",
    "private_key_id": "kid-1",
    "private_key": KEY.private_bytes(*PEM).decode(),
    "client_email": "caller@proj.iam.gserviceaccount.com",
    "client_id": "1",
    "token_uri": "https://oauth2.googleapis.com/token",
}
USER = {
    "type": "authorized_user",
    "client_id": "cid",
    "client_secret": "csecret",
    "refresh_token": "1//refresh",
    "quota_project_id": "mine",
}
Check = Callable[["Scene"], Coroutine[Any, Any, None]]


class Scene(TokenScene):
    """A source and the server that it asks."""

    def source(self, *, environ: dict[str, str] | None = None, **options: Any) -> GoogleTokens:
        return GoogleTokens(options, environ or {}, self.transport, self.wall)

    def file(self, content: Any, name: str = "key.json") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def user_source(self) -> GoogleTokens:
        return self.source(credentials_file=self.file(USER), token_uri=self.server.url + "/token")


def play(run: Run, folder: Path, replies: list[Reply], check: Check) -> None:
    play_scene(run, Scene, folder, replies, check)


def token(name: str = "ya29.one", seconds: float = 3600) -> bytes:
    said = {"access_token": name, "expires_in": seconds, "token_type": "Bearer"}
    return answer(json.dumps(said).encode())


@pytest.mark.parametrize("key_id", ["kid-1", None])
def test_a_service_account_signs_a_claim_for_a_token(
    run: Run, tmp_path: Path, key_id: str | None
) -> None:
    async def check(scene: Scene) -> None:
        account = {name: value for name, value in ACCOUNT.items() if name != "private_key_id"}
        place = scene.file(account | ({"private_key_id": key_id} if key_id else {}))
        source = scene.source(credentials_file=place, token_uri=scene.server.url + "/token")
        shown = await source.credentials()
        assert shown == {"access_token": "ya29.one", "project": "proj"}
        asked = scene.server.requests[0]
        assert (asked.method, asked.target) == ("POST", "/token")
        assert asked.header("content-type") == "application/x-www-form-urlencoded"
        form = parse_qs(asked.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        head, claims, signature = form["assertion"][0].split(".")
        signed = f"{head}.{claims}".encode()
        KEY.public_key().verify(
            unpacked(signature), signed, padding.PKCS1v15(), hashes.SHA256()
        )  # raises if it is not ours
        kid = {"kid": key_id} if key_id else {}
        assert json.loads(unpacked(head)) == {"alg": "RS256", "typ": "JWT", **kid}
        assert json.loads(unpacked(claims)) == {
            "iss": "caller@proj.iam.gserviceaccount.com",
            "scope": SCOPE,
            "aud": "https://oauth2.googleapis.com/token",
            "iat": int(NOW),
            "exp": int(NOW) + 3600,
        }

    play(run, tmp_path, [token()], check)


def test_the_files_own_token_uri_is_asked_where_no_other_is_given(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        account = ACCOUNT | {"token_uri": scene.server.url + "/own"}
        await scene.source(credentials_file=scene.file(account)).credentials()
        assert scene.server.requests[0].target == "/own"

    play(run, tmp_path, [token()], check)


def test_a_user_of_gcloud_has_a_refresh_token(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        shown = await scene.user_source().credentials()
        assert shown == {
            "access_token": "ya29.one",
            "project": "mine",
            "quota_project": "mine",
        }
        assert parse_qs(scene.server.requests[0].body.decode()) == {
            "grant_type": ["refresh_token"],
            "client_id": ["cid"],
            "client_secret": ["csecret"],
            "refresh_token": ["1//refresh"],
        }

    play(run, tmp_path, [token()], check)


def test_a_machine_asks_its_metadata_server_for_token_and_project(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        shown = await scene.source(metadata_url=scene.server.url).credentials()
        assert shown == {"access_token": "ya29.one", "project": "proj-7"}
        first, second = scene.server.requests
        assert first.target == "/computeMetadata/v1/instance/service-accounts/default/token"
        assert second.target == "/computeMetadata/v1/project/project-id"
        assert [r.header("metadata-flavor") for r in (first, second)] == ["Google", "Google"]

    play(run, tmp_path, [token(), answer(b"proj-7\n", headers=())], check)


@pytest.mark.parametrize(
    ("options", "project"), [({"project": "given"}, "given"), ({}, None)], ids=["given", "unknown"]
)
def test_a_machines_project_may_be_given_or_unknown(
    run: Run, tmp_path: Path, options: dict[str, str], project: str | None
) -> None:
    async def check(scene: Scene) -> None:
        host = scene.server.url.removeprefix("http://")
        environ = {"GCE_METADATA_HOST": host, "HOME": str(tmp_path)}
        shown = await scene.source(environ=environ, **options).credentials()
        assert shown.get("project") == project

    play(run, tmp_path, [token(), answer(b"no", status=404)], check)


GCLOUD = "application_default_credentials.json"
PLACES: list[tuple[str, dict[str, str]]] = [
    ("named.json", {"GOOGLE_APPLICATION_CREDENTIALS": "{folder}/named.json"}),
    (GCLOUD, {"CLOUDSDK_CONFIG": "{folder}"}),
    (f"gcloud/{GCLOUD}", {"APPDATA": "{folder}"}),
    (f".config/gcloud/{GCLOUD}", {"HOME": "{folder}"}),
]


@pytest.mark.parametrize(("name", "environ"), PLACES, ids=[str(place[1]) for place in PLACES])
def test_credentials_are_found_where_googles_own_tools_find_them(
    run: Run, tmp_path: Path, name: str, environ: dict[str, str]
) -> None:
    async def check(scene: Scene) -> None:
        scene.file(USER, name)
        places = {key: value.format(folder=tmp_path) for key, value in environ.items()}
        source = scene.source(environ=places, token_uri=scene.server.url)
        assert (await source.credentials())["quota_project"] == "mine"

    play(run, tmp_path, [token()], check)


def test_the_configured_file_comes_before_the_environments(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": scene.file("no json", "other.json")}
        place = scene.file(USER)
        source = scene.source(environ=environ, credentials_file=place, token_uri=scene.server.url)
        assert "access_token" in await source.credentials()

    play(run, tmp_path, [token()], check)


def test_without_file_home_or_machine_the_remedy_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google_tokens, "TIMEOUTS", Timeouts(connect=0.3, total=0.5))

    async def check(scene: Scene) -> None:
        source = scene.source(environ={"GCE_METADATA_HOST": "127.0.0.1:9"})
        with pytest.raises(UpstreamAuth, match="gcloud auth application-default login") as caught:
            await source.credentials()
        assert caught.value.retryable is False

    play(run, tmp_path, [token()], check)


BROKEN: list[tuple[str, Any, str]] = [
    ("no JSON", "{", "holds no Google credentials"),
    ("a kind that is not taken", {"type": "external_account"}, "external_account"),
    ("a field is missing", {"type": "authorized_user", "client_id": "x"}, "client_secret"),
    ("no PEM", ACCOUNT | {"private_key": "secret-text"}, "is not a PEM key"),
    (
        "not RSA",
        ACCOUNT
        | {"private_key": ec.generate_private_key(ec.SECP256R1()).private_bytes(*PEM).decode()},
        "not an RSA key",
    ),
]


@pytest.mark.parametrize(("name", "content", "said"), BROKEN, ids=[case[0] for case in BROKEN])
def test_credentials_that_cannot_be_used_are_told_without_the_secret(
    run: Run, tmp_path: Path, name: str, content: Any, said: str
) -> None:
    async def check(scene: Scene) -> None:
        source = scene.source(credentials_file=scene.file(content))
        with pytest.raises(UpstreamAuth, match=said) as caught:
            await source.credentials()
        assert "secret-text" not in caught.value.message
        assert "BEGIN" not in caught.value.message
        assert scene.server.requests == []

    play(run, tmp_path, [token()], check)


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match=r"gone\.json cannot be read: No such file"):
            await scene.source(credentials_file=str(tmp_path / "gone.json")).credentials()

    play(run, tmp_path, [token()], check)


def test_a_missing_package_to_sign_with_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    account = ServiceAccount(client_email="a@b", private_key=ACCOUNT["private_key"])
    with pytest.raises(UpstreamAuth, match=r"pip install 'headway\[google\]'"):
        account.request(NOW, None)


REFUSALS: list[tuple[str, bytes, type[UpstreamError], str]] = [
    (
        "a revoked token",
        answer(b'{"error":"invalid_grant","error_description":"Token revoked."}', status=400),
        UpstreamAuth,
        r"Token revoked\.\).*credentials_file",
    ),
    ("no words", answer(b'{"error":"invalid_client"}', status=401), UpstreamAuth, "invalid_client"),
    ("a failure", answer(b'{"error":"internal_failure"}', status=500), UpstreamError, "internal"),
    ("a page", answer(b"<html>", status=503), UpstreamError, "status 503"),
    ("too often", answer(b"{}", status=429), UpstreamError, "status 429"),
    ("a refused page", answer(b"<html>", status=403), UpstreamAuth, "status 403"),
    ("no token in it", answer(b"{}"), UpstreamAuth, "status 200"),
    ("no JSON", answer(b"hello"), UpstreamGarbled, "what is no token"),
]


@pytest.mark.parametrize(
    ("name", "reply", "error", "said"), REFUSALS, ids=[case[0] for case in REFUSALS]
)
def test_what_the_token_server_refuses_is_an_error_of_its_kind(
    run: Run, tmp_path: Path, name: str, reply: bytes, error: type[UpstreamError], said: str
) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(error, match=said) as caught:
            await scene.user_source().credentials()
        assert type(caught.value) is error

    play(run, tmp_path, [reply], check)


def test_a_machine_without_a_service_account_says_so(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match="status 404"):
            await scene.source(metadata_url=scene.server.url).credentials()

    play(run, tmp_path, [answer(b"not found", status=404)], check)


# --- Keeping --------------------------------------------------------------------------------------


def test_many_who_wait_share_one_fetch(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        shown = await asyncio.gather(*(source.credentials() for _ in range(20)))
        assert {one["access_token"] for one in shown} == {"ya29.one"}
        assert await source.credentials() is shown[0]
        assert len(scene.server.requests) == 1

    play(run, tmp_path, [[0.02, token()]], check)


def test_one_who_leaves_does_not_end_the_fetch_for_the_others(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        first = asyncio.ensure_future(source.credentials())
        second = asyncio.ensure_future(source.credentials())
        await until(lambda: bool(scene.server.requests))
        first.cancel()
        assert (await second)["access_token"] == "ya29.one"

    play(run, tmp_path, [[0.05, token()]], check)


def test_shortly_before_its_end_a_token_is_renewed_while_nobody_waits(
    run: Run, tmp_path: Path
) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        await source.credentials()
        scene.wall.now = NOW + 3600 - EARLY_S - 1
        await source.credentials()
        assert len(scene.server.requests) == 1
        scene.wall.now += 2
        assert (await source.credentials())["access_token"] == "ya29.one"
        await until(lambda: len(scene.server.requests) == 2)
        kept = source._kept
        await until(lambda: kept._token is not None and kept._token.expires > NOW + 3600)
        assert (await source.credentials())["access_token"] == "ya29.two"

    play(run, tmp_path, [token(), token("ya29.two")], check)


def test_a_token_that_has_ended_is_waited_for(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        await source.credentials()
        scene.wall.now = NOW + 3600
        assert (await source.credentials())["access_token"] == "ya29.two"

    play(run, tmp_path, [token(), [0.02, token("ya29.two")]], check)


def test_a_renewal_that_fails_is_tried_again_later_while_the_old_token_serves(
    run: Run, tmp_path: Path
) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        await source.credentials()
        scene.wall.now = NOW + 3600 - EARLY_S
        await source.credentials()
        await until(lambda: source._kept._not_before > 0)
        assert (await source.credentials())["access_token"] == "ya29.one"
        assert len(scene.server.requests) == 2
        scene.wall.now += RETRY_S
        assert (await source.credentials())["access_token"] == "ya29.one"
        await until(lambda: len(scene.server.requests) == 3)
        await until(lambda: source._kept._fetching is None)
        assert (await source.credentials())["access_token"] == "ya29.two"

    play(run, tmp_path, [token(), answer(b"{}", status=500), token("ya29.two")], check)


def test_a_failure_is_not_kept(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.user_source()
        with pytest.raises(UpstreamError):
            await source.credentials()
        assert (await source.credentials())["access_token"] == "ya29.one"

    play(run, tmp_path, [answer(b"{}", status=500), token()], check)
