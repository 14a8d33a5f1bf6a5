"""Tokens of Entra ID, from every kind of proof and of machine, against a scripted server."""

from __future__ import annotations

import asyncio
import datetime
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from headway.errors import UpstreamAuth, UpstreamError, UpstreamGarbled
from headway.transport import entra_tokens
from headway.transport.entra_grants import AUTHORITY, SCOPE, Application, find_grant
from headway.transport.entra_tokens import EntraTokens
from headway.transport.kept_token import EARLY_S
from headway.types import Timeouts
from scripted import Reply, answer
from taker import Run, until
from token_scenes import NOW, TokenScene, play_scene, unpacked

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

    def source(self, *, environ: dict[str, str] | None = None, **options: Any) -> EntraTokens:
        return EntraTokens(options, environ or {}, self.transport, self.wall)

    def application(self, **options: Any) -> EntraTokens:
        return self.source(**{"authority_host": self.server.url, **SECRET, **options})

    def file(self, content: bytes, name: str = "file") -> str:
        place = self.folder / name
        place.write_bytes(content)
        return str(place)

    def form(self, number: int = 0) -> dict[str, str]:
        asked = self.server.requests[number]
        assert asked.method == "POST"
        assert asked.header("content-type") == "application/x-www-form-urlencoded"
        return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}

    def query(self, number: int = 0) -> dict[str, str]:
        asked = self.server.requests[number]
        assert asked.method == "GET"
        return {k: v[0] for k, v in parse_qs(urlsplit(asked.target).query).items()}


def play(run: Run, folder: Path, replies: list[Reply], check: Check) -> None:
    play_scene(run, Scene, folder, replies, check)


def token(name: str = "one", **fields: Any) -> bytes:
    said = {"token_type": "Bearer", "expires_in": 3599, "access_token": name, **fields}
    return answer(json.dumps(said).encode())


# --- An application -------------------------------------------------------------------------------


def test_a_secret_is_shown_for_a_token(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        assert await scene.application().credentials() == {"access_token": "one"}
        assert scene.server.requests[0].target == "/tenant/oauth2/v2.0/token"
        assert scene.form() == {
            "grant_type": "client_credentials",
            "client_id": "cid",
            "scope": SCOPE,
            "client_secret": "planted-secret",
        }

    play(run, tmp_path, [token()], check)


def test_another_scope_can_be_asked_for(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        await scene.application(scope="https://ai.azure.com/.default").credentials()
        assert scene.form()["scope"] == "https://ai.azure.com/.default"

    play(run, tmp_path, [token()], check)


def test_another_issuers_token_is_shown_as_it_is_now(run: Run, tmp_path: Path) -> None:
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
        scene.wall.now += 3600
        await source.credentials()
        assert scene.form(1)["client_assertion"] == "federated.two"

    play(run, tmp_path, [token()], check)


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "headway")])
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(NAME)
    .issuer_name(NAME)
    .public_key(KEY.public_key())
    .serial_number(1)
    .not_valid_before(datetime.datetime(2020, 1, 1))
    .not_valid_after(datetime.datetime(2040, 1, 1))
    .sign(KEY, hashes.SHA256())
)
CERTIFICATE_PEM = CERTIFICATE.public_bytes(serialization.Encoding.PEM)


def key_pem(key: Any = KEY, password: bytes | None = None) -> bytes:
    encryption: Any = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    return pem


@pytest.mark.parametrize("password", [None, "open"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_certificate_signs_a_claim_for_a_token(
    run: Run, tmp_path: Path, password: str | None, is_first: bool
) -> None:
    async def check(scene: Scene) -> None:
        key = key_pem(password=None if password is None else password.encode())
        pem = key + CERTIFICATE_PEM if is_first else CERTIFICATE_PEM + key
        options = {"client_certificate": scene.file(pem), "client_certificate_password": password}
        await scene.application(client_secret=None, **options).credentials()
        form = scene.form()
        assert form["client_assertion_type"] == ASSERTION
        assert "client_secret" not in form
        head, claims, signature = form["client_assertion"].split(".")
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
        KEY.public_key().verify(
            unpacked(signature), f"{head}.{claims}".encode(), pss, hashes.SHA256()
        )  # raises if it is not ours
        shown = json.loads(unpacked(head))
        assert (shown["alg"], shown["typ"]) == ("PS256", "JWT")
        assert unpacked(shown["x5t#S256"]) == CERTIFICATE.fingerprint(hashes.SHA256())
        claimed = json.loads(unpacked(claims))
        assert len(claimed.pop("jti")) == 36
        assert claimed == {
            "aud": scene.server.url + "/tenant/oauth2/v2.0/token",
            "iss": "cid",
            "sub": "cid",
            "nbf": int(NOW),
            "exp": int(NOW) + 600,
        }

    play(run, tmp_path, [token()], check)


UNUSABLE: list[tuple[bytes, str | None, str]] = [
    (b"no PEM", None, "not a PEM file with a certificate"),
    (CERTIFICATE_PEM, None, "not a PEM file with a certificate"),
    (key_pem(), None, "not a PEM file with a certificate"),
    (CERTIFICATE_PEM + key_pem(password=b"open"), "wrong", "not a PEM file with a certificate"),
    (CERTIFICATE_PEM + key_pem(ec.generate_private_key(ec.SECP256R1())), None, "not an RSA key"),
]


@pytest.mark.parametrize(("pem", "password", "said"), UNUSABLE)
def test_a_certificate_that_cannot_be_used_is_told_without_its_key(
    run: Run, tmp_path: Path, pem: bytes, password: str | None, said: str
) -> None:
    async def check(scene: Scene) -> None:
        options = {"client_certificate": scene.file(pem), "client_certificate_password": password}
        with pytest.raises(UpstreamAuth, match=said) as caught:
            await scene.application(client_secret=None, **options).credentials()
        assert "BEGIN" not in caught.value.message
        assert scene.server.requests == []

    play(run, tmp_path, [token()], check)


def test_a_missing_package_to_sign_with_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    place = tmp_path / "both.pem"
    place.write_bytes(CERTIFICATE_PEM + key_pem())
    application = Application(tenant_id="t", client_id="c", certificate=place)
    with pytest.raises(UpstreamAuth, match=r"pip install 'headway\[azure\]'"):
        application.request(SCOPE, NOW)


def test_a_file_that_is_not_there_is_named(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        place = str(tmp_path / "gone")
        with pytest.raises(UpstreamAuth, match="gone cannot be read: No such file"):
            await scene.application(client_secret=None, federated_token_file=place).credentials()

    play(run, tmp_path, [token()], check)


@pytest.mark.parametrize("missing", ["tenant_id", "client_id"])
def test_what_an_application_lacks_is_named(missing: str) -> None:
    options = {name: value for name, value in SECRET.items() if name != missing}
    with pytest.raises(UpstreamAuth, match=f"{missing} .or AZURE_{missing.upper()}.") as caught:
        find_grant(options, {})
    assert "planted" not in caught.value.message


def test_the_authority_is_the_public_clouds_or_another() -> None:
    for host, address in (
        (None, AUTHORITY),
        ("login.microsoftonline.us", "https://login.microsoftonline.us"),
        ("https://login.chinacloudapi.cn/", "https://login.chinacloudapi.cn"),
    ):
        grant = find_grant({**SECRET, "authority_host": host}, {})
        assert isinstance(grant, Application)
        assert grant.address == f"{address}/tenant/oauth2/v2.0/token"


# --- The machine ----------------------------------------------------------------------------------


def test_a_machine_asks_its_metadata_server(run: Run, tmp_path: Path) -> None:
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

    play(run, tmp_path, [token(expires_in="86399", expires_on="1700086399")], check)


def test_a_user_assigned_identity_is_named(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        environ = {
            "AZURE_POD_IDENTITY_AUTHORITY_HOST": scene.server.url,
            "AZURE_CLIENT_ID": "mine",
            "IDENTITY_ENDPOINT": "http://127.0.0.1:9/never",
            "IDENTITY_HEADER": "x",
        }
        await scene.source(environ=environ).credentials()
        assert scene.query()["client_id"] == "mine"

    play(run, tmp_path, [token()], check)


def test_an_app_asks_the_address_in_its_environment(run: Run, tmp_path: Path) -> None:
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
        scene.wall.now = NOW + 500 - EARLY_S - 1  # the answer says when it ends, and no more
        await source.credentials()
        assert len(scene.server.requests) == 1
        scene.wall.now = NOW + 500
        assert (await source.credentials())["access_token"] == "two"

    said = {"access_token": "one", "expires_on": str(int(NOW) + 500)}
    play(run, tmp_path, [answer(json.dumps(said).encode()), token("two")], check)


def test_the_configuration_comes_before_the_environment() -> None:
    secret = find_grant(SECRET, VARIABLES)
    assert isinstance(secret, Application)
    assert (secret.tenant_id, secret.client_id, secret.secret) == (
        "tenant",
        "cid",
        "planted-secret",
    )
    of_environ = find_grant({}, VARIABLES)
    assert isinstance(of_environ, Application)
    assert of_environ.secret == "env-secret"
    machine = find_grant({"metadata_url": "http://127.0.0.1:1"}, VARIABLES)
    assert not isinstance(machine, Application)
    assert machine.metadata_url == "http://127.0.0.1:1"
    file = find_grant({"federated_token_file": "~/token"}, VARIABLES)
    assert isinstance(file, Application)
    assert file.token_file == Path.home() / "token"


def test_without_application_or_machine_the_remedy_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entra_tokens, "TIMEOUTS", Timeouts(connect=0.3, total=0.5))

    async def check(scene: Scene) -> None:
        with pytest.raises(UpstreamAuth, match="AZURE_CLIENT_SECRET") as caught:
            await scene.source(metadata_url="http://127.0.0.1:9").credentials()
        assert caught.value.retryable is False

    play(run, tmp_path, [token()], check)


# --- Refusals, and what is kept -------------------------------------------------------------------

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


@pytest.mark.parametrize(("body", "status", "cls", "said"), REFUSALS)
@pytest.mark.parametrize("is_machine", [True, False])
def test_a_refusal_is_told_in_the_servers_words(
    run: Run,
    tmp_path: Path,
    body: bytes,
    status: int,
    cls: type[UpstreamError],
    said: str,
    is_machine: bool,
) -> None:
    async def check(scene: Scene) -> None:
        options = {"metadata_url": scene.server.url}
        source = scene.source(**options) if is_machine else scene.application()
        with pytest.raises(UpstreamError, match=said) as caught:
            await source.credentials()
        assert type(caught.value) is cls
        assert "planted" not in caught.value.message

    play(run, tmp_path, [answer(body, status=status)], check)


def test_an_authority_that_nobody_answers_for_can_be_tried_again(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application(authority_host="http://127.0.0.1:9")
        with pytest.raises(UpstreamError) as caught:
            await source.credentials()
        assert caught.value.retryable

    play(run, tmp_path, [token()], check)


def test_many_who_wait_make_one_request_and_the_token_is_kept(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application()
        found = await asyncio.gather(*(source.credentials() for _ in range(20)))
        assert {one["access_token"] for one in found} == {"one"}
        await source.credentials()
        assert len(scene.server.requests) == 1

    play(run, tmp_path, [[0.05, token()]], check)


def test_shortly_before_its_end_a_token_is_renewed_while_nobody_waits(
    run: Run, tmp_path: Path
) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application()
        await source.credentials()
        scene.wall.now = NOW + 3599 - EARLY_S
        assert (await source.credentials())["access_token"] == "one"
        await until(lambda: len(scene.server.requests) == 2)
        kept = source._kept
        await until(lambda: kept._fetching is None)
        assert (await source.credentials())["access_token"] == "two"

    play(run, tmp_path, [token(), token("two")], check)


def test_a_token_that_does_not_say_when_it_ends_lasts_an_hour(run: Run, tmp_path: Path) -> None:
    async def check(scene: Scene) -> None:
        source = scene.application()
        await source.credentials()
        scene.wall.now = NOW + 3600 - EARLY_S - 1
        await source.credentials()
        assert len(scene.server.requests) == 1

    play(run, tmp_path, [answer(b'{"access_token": "one"}')], check)
