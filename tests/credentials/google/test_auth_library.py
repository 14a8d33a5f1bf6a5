"""Tokens through google-auth for each kind of file, from a scripted token server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from headway.credentials.base import Credentials, Response
from headway.credentials.thread_fetch import ThreadFetch
from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled, UpstreamUnreachable
from headway.types import HttpRequest, Timeouts
from headway.wire.url import join
from support.credential_fakes import UNREACHABLE, TokenScene, play_scene, unpacked
from support.scripted_server import Reply, answer
from support.signing_keys import KEY, key_pem

ACCOUNT = {
    "type": "service_account",
    "project_id": "proj",
    "private_key_id": "kid-1",
    "private_key": key_pem().decode(),
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
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
Check = Callable[["Scene"], Coroutine[Any, Any, None]]


class Scene(TokenScene):
    async def fetched(self, info: Any, token_uri: str | None = None) -> Credentials:
        path = Path(self.file(info if isinstance(info, str) else json.dumps(info)))
        return await self.fetched_from(path, token_uri)

    async def fetched_from(self, path: Path, token_uri: str | None = None) -> Credentials:
        from headway.credentials.google.auth_library import fetch_with_file

        return await asyncio.to_thread(fetch_with_file, path, token_uri, ThreadFetch(self.fetch))

    def form(self, number: int = 0) -> dict[str, str]:
        asked = self.server.requests[number]
        assert asked.method == "POST"
        assert asked.header("content-type") == "application/x-www-form-urlencoded"
        return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def play(folder: Path, replies: list[Reply], check: Check) -> None:
    play_scene(Scene, folder, replies, check)


def token(name: str = "ya29.one", **fields: Any) -> bytes:
    sent = {"access_token": name, "expires_in": 3600, "token_type": "Bearer", **fields}
    return answer(json.dumps(sent).encode())


# --- Kinds of files -------------------------------------------------------------------------------


def test_a_service_account_signs_an_assertion(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        before = time.time()
        found = await scene.fetched(ACCOUNT, scene.server.url + "/token")
        assert found.values == {"access_token": "ya29.one", "project": "proj"}
        assert found.expires_at is not None
        assert 3590 < found.expires_at - before < 3610
        assert scene.server.requests[0].target == "/token"
        form = scene.form()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        header, claims, signature = form["assertion"].split(".")
        KEY.public_key().verify(
            unpacked(signature), f"{header}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )  # raises if another key signed
        assert json.loads(unpacked(header)) == {"alg": "RS256", "typ": "JWT", "kid": "kid-1"}
        claimed = json.loads(unpacked(claims))
        assert claimed["exp"] - claimed["iat"] == 3600
        assert abs(claimed["iat"] - before) < 30
        assert claimed["iss"] == "caller@proj.iam.gserviceaccount.com"
        assert claimed["scope"] == SCOPES[0]
        assert claimed["aud"] == "https://oauth2.googleapis.com/token"

    play(tmp_path, [token()], check)


def test_the_files_token_uri_is_asked_where_no_other_is_configured(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        await scene.fetched(ACCOUNT | {"token_uri": scene.server.url + "/own"})
        assert scene.server.requests[0].target == "/own"

    play(tmp_path, [token()], check)


def test_a_user_of_gcloud_has_a_refresh_token(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        found = await scene.fetched(USER, scene.server.url)
        assert found.values == {
            "access_token": "ya29.one",
            "project": "mine",
            "quota_project": "mine",
        }
        assert scene.form() == {
            "grant_type": "refresh_token",
            "client_id": "cid",
            "client_secret": "csecret",
            "refresh_token": "1//refresh",
        }

    play(tmp_path, [token()], check)


def federated(scene: Scene, **more: Any) -> dict[str, Any]:
    """As ``gcloud iam workload-identity-pools create-cred-config`` writes it."""
    return {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/"
        "providers/k",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": scene.server.url + "/sts",
        "credential_source": {"file": scene.file("subject.jwt", "subject")},
        **more,
    }


def test_workload_identity_federation_exchanges_a_token_from_a_file(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        found = await scene.fetched(federated(scene))
        assert found.values == {"access_token": "ya29.one"}
        assert scene.server.requests[0].target == "/sts"
        form = scene.form()
        assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
        assert form["subject_token"] == "subject.jwt"
        assert form["scope"] == SCOPES[0]

    play(tmp_path, [token(issued_token_type="x")], check)


def test_workload_identity_federation_exchanges_a_token_from_a_url(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = {"url": scene.server.url + "/subject", "headers": {"X-Proof": "sesame"}}
        await scene.fetched(federated(scene, credential_source=source))
        assert scene.server.requests[0].target == "/subject"
        assert scene.server.requests[0].header("x-proof") == "sesame"
        assert scene.form(1)["subject_token"] == "from.url"

    play(tmp_path, [answer(b"from.url", headers=()), token(issued_token_type="x")], check)


def test_a_workload_on_aws_signs_its_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCESS_KEY_ID", "AKID"), ("SECRET_ACCESS_KEY", "s"), ("REGION", "r-1")):
        monkeypatch.setenv(f"AWS_{name}", value)

    async def check(scene: Scene) -> None:
        info = federated(
            scene,
            subject_token_type="urn:ietf:params:aws:token-type:aws4_request",
            credential_source={
                "environment_id": "aws1",
                "regional_cred_verification_url": "https://sts.{region}.amazonaws.com"
                "?Action=GetCallerIdentity&Version=2011-06-15",
            },
        )
        await scene.fetched(info)
        signed = json.loads(unquote(scene.form()["subject_token"]))
        assert signed["url"].startswith("https://sts.r-1.amazonaws.com")
        assert "Credential=AKID/" in json.dumps(signed["headers"])

    play(tmp_path, [token(issued_token_type="x")], check)


def test_a_client_certificate_for_token_requests_is_refused() -> None:
    from google.auth.exceptions import TransportError

    from headway.credentials.google.auth_library import TransportRequest

    async def check() -> None:
        request = TransportRequest(ThreadFetch(no_fetch))
        with pytest.raises(TransportError, match="client certificate"):
            request("https://sts.example.com", cert=("a.pem", "b.pem"))

    async def no_fetch(*_: Any) -> Any:
        raise AssertionError

    asyncio.run(check())


def test_an_executable_gives_the_subject_token_where_that_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
    said = {
        "version": 1,
        "success": True,
        "token_type": "urn:ietf:params:oauth:token-type:jwt",
        "id_token": "from.executable",
        "expiration_time": int(time.time()) + 600,
    }

    async def check(scene: Scene) -> None:
        script = Path(scene.file(f"#!/bin/sh\necho '{json.dumps(said)}'\n", "script"))
        script.chmod(0o700)
        source = {"executable": {"command": str(script)}}
        await scene.fetched(federated(scene, credential_source=source))
        assert scene.form()["subject_token"] == "from.executable"

    play(tmp_path, [token(issued_token_type="x")], check)


def test_a_federated_workload_may_become_a_service_account(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        url = scene.server.url + "/v1/projects/-/serviceAccounts/a@b.example:generateAccessToken"
        found = await scene.fetched(federated(scene, service_account_impersonation_url=url))
        assert found.values == {"access_token": "ya29.become"}
        asked = scene.server.requests[1]
        assert asked.header("authorization") == "Bearer ya29.one"
        assert json.loads(asked.body)["scope"] == SCOPES

    play(tmp_path, [token(issued_token_type="x"), impersonated()], check)


def impersonated() -> bytes:
    expires = datetime.fromtimestamp(time.time() + 1800, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return answer(json.dumps({"accessToken": "ya29.become", "expireTime": expires}).encode())


def test_a_user_may_impersonate_a_service_account(tmp_path: Path) -> None:
    """Two of google-auth's addresses are constants: the scene's way to send goes to its server."""

    async def check(scene: Scene) -> None:
        send, hosts = scene.fetch, []

        async def redirected(request: HttpRequest, timeouts: Timeouts) -> Response:
            hosts.append(request.url.host)
            url = join(scene.server.url, request.url.path)
            moved = HttpRequest(url, request.headers, request.body, request.method)
            return await send(moved, timeouts)

        scene.fetch = redirected
        found = await scene.fetched(
            {
                "type": "impersonated_service_account",
                "source_credentials": USER,
                "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/"
                "projects/-/serviceAccounts/a@b.example:generateAccessToken",
                "delegates": [],
            }
        )
        assert hosts == ["oauth2.googleapis.com", "iamcredentials.googleapis.com"]
        assert found.values == {"access_token": "ya29.become"}
        assert found.expires_at is not None
        assert abs(found.expires_at - time.time() - 1800) < 30
        asked = scene.server.requests[1]
        assert asked.target.endswith("/serviceAccounts/a@b.example:generateAccessToken")
        assert asked.header("authorization") == "Bearer ya29.one"

    play(tmp_path, [token(), impersonated()], check)


# --- Files that cannot be used --------------------------------------------------------------------

UNUSABLE: list[tuple[str, Any, str]] = [
    ("no JSON", "{", "it is not JSON"),
    ("no object", "[]", "it is not a JSON object"),
    ("no type", {}, "its type is None; known are service_account, authorized_user"),
    ("no text", {"type": ["user"]}, "its type is"),
    ("another type", {"type": "gdch_service_account"}, "'gdch_service_account'; known are"),
    ("a field is missing", {"type": "authorized_user", "client_id": "x"}, "client_secret"),
    ("no key", {"type": "service_account", "client_email": "a@b", "token_uri": "x"}, "private_key"),
    ("no PEM", ACCOUNT | {"private_key": "secret-text"}, "PEM"),
    ("a quoted key", ACCOUNT | {"private_key": 987654321}, "fields are of the wrong type"),
    ("no source", {"type": "impersonated_service_account"}, "fields are missing or of the wrong"),
    ("no token source", {"type": "external_account"}, "credential source"),
]


@pytest.mark.parametrize(("name", "info", "reason"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_the_error_says_what_is_wrong_with_a_file_without_its_secrets(
    tmp_path: Path, name: str, info: Any, reason: str
) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match=reason) as caught:
            await scene.fetched(info)
        assert f"{tmp_path}/file holds no usable Google credentials" in caught.value.message
        for secret in ("secret-text", "987654321", "BEGIN"):
            assert secret not in caught.value.message
        assert scene.server.requests == []

    play(tmp_path, [token()], check)


def test_the_error_names_a_missing_file(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match=r"gone\.json cannot be read: No such file"):
            await scene.fetched_from(tmp_path / "gone.json")

    play(tmp_path, [], check)


# --- Refusals -------------------------------------------------------------------------------------

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
    ("no token in it", answer(b"{}"), UpstreamAuth, "No access token in response"),
    ("no JSON", answer(b"hello"), UpstreamGarbled, "holds no token"),
]


@pytest.mark.parametrize(
    ("name", "reply", "error", "reason"), REFUSALS, ids=[case[0] for case in REFUSALS]
)
@pytest.mark.parametrize("info", [USER, ACCOUNT], ids=["user", "account"])
def test_a_refusal_of_the_token_server_is_an_error_of_its_kind(
    tmp_path: Path,
    name: str,
    reply: bytes,
    error: type[UpstreamError],
    reason: str,
    info: dict[str, str],
) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(error, match=reason) as caught:
            await scene.fetched(info, scene.server.url)
        assert type(caught.value) is error
        assert len(scene.server.requests) == 1  # google-auth itself would try some of them again
        for secret in ("csecret", "1//refresh", "BEGIN"):
            assert secret not in caught.value.message

    play(tmp_path, [reply], check)


@pytest.mark.parametrize(
    ("reply", "error", "reason"),
    [
        (answer(b'{"error":"invalid_target"}', status=400), UpstreamAuth, "invalid_target"),
        (answer(b"{}"), UpstreamGarbled, "holds no token"),
        (answer(b"hello"), UpstreamGarbled, "holds no token"),
        (answer(b'{"expires_in": 60}'), UpstreamAuth, "no access token"),
    ],
    ids=["refused", "empty", "not JSON", "no token"],
)
def test_a_refusal_of_the_token_exchange_is_an_error_of_its_kind(
    tmp_path: Path, reply: bytes, error: type[UpstreamError], reason: str
) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(error, match=reason) as caught:
            await scene.fetched(federated(scene))
        assert type(caught.value) is error
        assert "subject.jwt" not in caught.value.message

    play(tmp_path, [reply], check)


def test_a_missing_subject_token_is_named(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match="/not/there"):
            await scene.fetched(federated(scene, credential_source={"file": "/not/there"}))

    play(tmp_path, [], check)


def test_an_unreachable_token_server_is_a_retryable_error(tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamUnreachable) as caught:
            await scene.fetched(USER, UNREACHABLE)
        assert caught.value.retryable

    play(tmp_path, [], check)
