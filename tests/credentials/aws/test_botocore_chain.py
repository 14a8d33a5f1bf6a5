"""Each place of botocore's chain, as a file, a process or a scripted server on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from headway.credentials.aws.source import AwsCredentials
from headway.errors import UpstreamAuth, UpstreamUnreachable
from support.credential_fakes import UNREACHABLE, SetClock, TokenScene, play_scene
from support.receiver import until
from support.scripted_server import Received, Reply, answer

ROLE = "arn:aws:iam::123456789012:role/caller"
XML = (("content-type", "text/xml"),)
KEYS = {"AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "envsecret"}
ROLE_FOUND = {"access_key": "ASIAROLE", "secret_key": "s/e+c", "session_token": "t&k"}
Check = Callable[["Scene"], Coroutine[Any, Any, None]]


class Scene(TokenScene):
    """The environment is set through ``set_environment``, as botocore reads it."""

    monkeypatch: pytest.MonkeyPatch

    def set_environment(self, environ: Mapping[str, str]) -> None:
        for name, value in environ.items():
            self.monkeypatch.setenv(name, value.format(url=self.server.url, folder=self.folder))

    def config(self, text: str, name: str = "config") -> None:
        path = self.file(text.format(url=self.server.url, folder=self.folder), name)
        self.monkeypatch.setenv("AWS_CONFIG_FILE", path)

    def source(self, **options: Any) -> AwsCredentials:
        return AwsCredentials(options, dict(os.environ), self.fetch, self.clock)

    async def found(self, **options: Any) -> Mapping[str, str]:
        return await self.source(**options).credentials()

    async def refused(self, **options: Any) -> UpstreamAuth:
        with pytest.raises(UpstreamAuth) as caught:
            await self.found(**options)
        assert "hush" not in caught.value.message
        return caught.value


Play = Callable[[list[Reply], Check], None]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    def scene(replies: list[Reply], check: Check) -> None:
        async def prepared(scene: Scene) -> None:
            scene.monkeypatch = monkeypatch
            scene.clock = SetClock(time.time())
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", scene.server.url)
            await check(scene)

        play_scene(Scene, tmp_path, replies, prepared)

    return scene


def at(seconds: float) -> str:
    """That long from now, as AWS writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def sts(action: str = "AssumeRole", key: str = "ASIAROLE", lasts: float = 3600) -> bytes:
    """docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    body = (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        "<AssumedRoleUser><AssumedRoleId>x</AssumedRoleId><Arn>arn</Arn></AssumedRoleUser>"
        f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s/e+c</SecretAccessKey>"
        f"<SessionToken>t&amp;k</SessionToken><Expiration>{at(lasts)}</Expiration>"
        f"</Credentials></{action}Result></{action}Response>"
    )
    return answer(body.encode(), headers=XML)


def document(key: str = "ASIAHERE", lasts: float = 3600) -> bytes:
    """What the endpoints of containers and instances answer."""
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": at(0),
            "AccessKeyId": key,
            "SecretAccessKey": "s",
            "Token": "t",
            "Expiration": at(lasts),
        }
    ).encode()


def local(body: bytes, status: int = 200) -> Reply:
    """botocore asks these endpoints itself, over a connection that it would keep."""
    headers = (("content-type", "application/json"), ("connection", "close"))
    return [answer(body, status, headers), "close"]


HERE_FOUND = {"access_key": "ASIAHERE", "secret_key": "s", "session_token": "t"}


def fields(request: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def signed_with(request: Received) -> str:
    """Access key and region of a request's signature (AWS Signature Version 4)."""
    scope = (request.header("authorization") or "").partition("Credential=")[2]
    key, _, region = scope.split("/")[:3]
    return f"{key} {region}"


# --- Shared files ---------------------------------------------------------------------------------

FILES = """\
[default]
aws_access_key_id = DEFKEY
aws_secret_access_key = defsecret
region = ap-south-1
[profile work]
aws_access_key_id = WORKKEY
aws_secret_access_key = worksecret
region = ca-central-1
"""
ENVIRON = {**KEYS, "AWS_REGION": "eu-west-1"}


@pytest.mark.parametrize(
    ("options", "environ", "key", "region"),
    [
        ({}, {}, "DEFKEY", "ap-south-1"),
        ({}, {"AWS_PROFILE": "work"}, "WORKKEY", "ca-central-1"),
        ({"profile": "work"}, {}, "WORKKEY", "ca-central-1"),
        ({"profile": "work"}, ENVIRON, "WORKKEY", "eu-west-1"),
        ({"profile": "work", "region": "us-east-2"}, {}, "WORKKEY", "us-east-2"),
        ({}, {**ENVIRON, "AWS_PROFILE": "work"}, "ENVKEY", "eu-west-1"),
        ({}, KEYS, "ENVKEY", "ap-south-1"),
    ],
)
def test_a_profile_gives_keys_and_region(
    play: Play, options: dict[str, str], environ: dict[str, str], key: str, region: str
) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(environ)
        scene.config(FILES)
        found = await scene.found(**options)
        assert (found["access_key"], found["region"]) == (key, region)

    play([], check)


def test_keys_in_a_file_are_read_again_after_a_while(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.config(FILES)
        source = scene.source()
        assert (await source.credentials())["access_key"] == "DEFKEY"
        scene.config(FILES.replace("DEFKEY", "NEWKEY"))
        scene.clock.now += 300
        assert (await source.credentials())["access_key"] == "DEFKEY"
        await until(lambda: source._fetching is None)
        assert (await source.credentials())["access_key"] == "NEWKEY"

    play([], check)


def test_the_error_names_an_unreadable_file_without_quoting_it(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.config("aws_secret_access_key = hush\n", "bad")
        error = await scene.refused()
        assert str(scene.folder / "bad") in error.message
        assert error.code == "aws_file_unreadable"

    play([], check)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[profile other]\nregion = x\n", r"profile \(p\) could not be found"),
        ("[profile p]\naws_access_key_id = a\n", "Partial credentials found"),
        ("[profile p]\nrole_arn = r\nsource_profile = q\n", '"q" referenced in the profile "p"'),
        ("[profile p]\nrole_arn = r\ncredential_source = Moon\n", "Moon"),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n"
            "[profile q]\nrole_arn = s\nsource_profile = p\n",
            "Infinite loop",
        ),
        (
            "[profile p]\nrole_arn = r\nmfa_serial = m\nsource_profile = q\n",
            "'p' asks for an MFA code",
        ),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n"
            "[profile q]\nrole_arn = s\nmfa_serial = m\nsource_profile = z\n",
            "'q' asks for an MFA code",
        ),
    ],
)
def test_the_error_says_why_a_profile_gives_no_credentials(
    play: Play, text: str, reason: str
) -> None:
    async def check(scene: Scene) -> None:
        scene.config(text)
        with pytest.raises(UpstreamAuth, match=reason) as caught:
            await scene.found(profile="p")
        assert caught.value.code == "aws_profile"
        assert scene.server.requests == []

    play([answer(b"")], check)


# --- A process ------------------------------------------------------------------------------------


def test_a_credential_process_prints_credentials(play: Play) -> None:
    async def check(scene: Scene) -> None:
        printed = {
            "Version": 1,
            "AccessKeyId": "ASIAPROC",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": at(3600),
        }
        scene.file(json.dumps(printed), "printed.json")
        scene.config("[profile p]\ncredential_process = cat {folder}/printed.json\nregion = r-1\n")
        source = scene.source(profile="p")
        assert await source.credentials() == {
            "access_key": "ASIAPROC",
            "secret_key": "s",
            "session_token": "t",
            "region": "r-1",
        }
        assert source._current is not None
        assert source._current.expires_at is not None
        assert abs(source._current.expires_at - time.time() - 3600) < 10

    play([], check)


def test_the_error_does_not_quote_a_failed_credential_process(play: Play) -> None:
    async def check(scene: Scene) -> None:
        Path(scene.file("#!/bin/sh\necho hush >&2\nexit 1\n", "script")).chmod(0o700)
        scene.config("[profile p]\ncredential_process = {folder}/script\n")
        error = await scene.refused(profile="p")
        assert "credential_process failed" in error.message

    play([], check)


# --- STS ------------------------------------------------------------------------------------------


def test_a_configured_role_is_assumed_with_the_keys_that_were_found(play: Play) -> None:
    options = {
        "role_arn": ROLE,
        "role_session_name": "me",
        "external_id": "x y",
        "duration_seconds": 900,
    }

    async def check(scene: Scene) -> None:
        scene.set_environment(ENVIRON)
        assert await scene.found(**options) == {**ROLE_FOUND, "region": "eu-west-1"}
        (asked,) = scene.server.requests
        assert signed_with(asked) == "ENVKEY eu-west-1"
        assert (asked.method, asked.target) == ("POST", "/")
        assert fields(asked) == {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "me",
            "ExternalId": "x y",
            "DurationSeconds": "900",
        }

    play([sts()], check)


def test_a_configured_role_is_assumed_with_configured_keys(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(ENVIRON)
        await scene.found(role_arn=ROLE, access_key="A", secret_key="S", session_token="T")
        (asked,) = scene.server.requests
        assert signed_with(asked) == "A eu-west-1"
        assert asked.header("x-amz-security-token") == "T"
        assert fields(asked)["RoleSessionName"] == "headway"

    play([sts()], check)


@pytest.mark.parametrize("is_configured", [True, False])
def test_a_web_identity_needs_no_keys(play: Play, is_configured: bool) -> None:
    async def check(scene: Scene) -> None:
        token_file = scene.file("a.jwt", "token")
        if is_configured:
            found = await scene.found(web_identity_token_file=token_file, role_arn=ROLE)
        else:
            scene.set_environment(
                {
                    "AWS_WEB_IDENTITY_TOKEN_FILE": token_file,
                    "AWS_ROLE_ARN": ROLE,
                    "AWS_ROLE_SESSION_NAME": "headway",
                }
            )
            found = await scene.found()
        assert found == ROLE_FOUND
        (asked,) = scene.server.requests
        assert asked.header("authorization") is None
        assert fields(asked) == {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "headway",
            "WebIdentityToken": "a.jwt",
        }

    play([sts("AssumeRoleWithWebIdentity")], check)


def test_each_request_reads_the_web_identity_again(play: Play) -> None:
    async def check(scene: Scene) -> None:
        source = scene.source(web_identity_token_file=scene.file("jwt-1\n", "token"), role_arn=ROLE)
        await source.credentials()
        scene.file("jwt-2\n", "token")
        scene.clock.now += 3600
        await source.credentials()
        assert [fields(r)["WebIdentityToken"] for r in scene.server.requests] == ["jwt-1", "jwt-2"]

    play([sts("AssumeRoleWithWebIdentity")], check)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "/token cannot be read: No such file"), (b"\xff\xfe", "it is not UTF-8 text")],
)
def test_the_error_names_an_unreadable_token_file(
    play: Play, content: bytes | None, reason: str
) -> None:
    async def check(scene: Scene) -> None:
        if content is not None:
            scene.file(content, "token")
        token_file = f"{scene.folder}/token"
        error = await scene.refused(role_arn=ROLE, web_identity_token_file=token_file)
        assert reason in error.message

    play([], check)


CHAINED = f"""\
[profile a]
role_arn = {ROLE}
source_profile = b
region = eu-north-1
[profile b]
role_arn = arn:aws:iam::1:role/b
source_profile = c
external_id = ext
[profile c]
aws_access_key_id = CKEY
aws_secret_access_key = csecret
"""


def test_a_profile_assumes_its_role_with_the_role_of_its_source_profile(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.config(CHAINED)
        assert await scene.found(profile="a") == {**ROLE_FOUND, "region": "eu-north-1"}
        first, second = scene.server.requests
        assert [signed_with(r) for r in (first, second)] == ["CKEY eu-north-1", "ASIAB eu-north-1"]
        assert second.header("x-amz-security-token") == "t&k"
        assert fields(first)["RoleArn"] == "arn:aws:iam::1:role/b"
        assert fields(first)["ExternalId"] == "ext"
        assert fields(second)["RoleArn"] == ROLE

    play([sts(key="ASIAB"), sts()], check)


def test_a_profile_may_hold_a_web_identity(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.file("a.jwt", "token")
        scene.config(
            f"[profile w]\nrole_arn = {ROLE}\nweb_identity_token_file = {{folder}}/token\n"
        )
        assert await scene.found(profile="w") == ROLE_FOUND

    play([sts("AssumeRoleWithWebIdentity")], check)


def test_a_profile_may_assume_its_role_with_the_environments_keys(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(KEYS)
        scene.config(f"[default]\nrole_arn = {ROLE}\ncredential_source = Environment\nregion = r-1")
        await scene.found(profile="default")
        assert signed_with(scene.server.requests[0]) == "ENVKEY r-1"

    play([sts()], check)


DENIED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    b"<Message>User: arn:aws:iam::1:user/x is not authorized &lt;here&gt;</Message></Error>"
    b"</ErrorResponse>"
)


@pytest.mark.parametrize(
    ("reply", "reason", "code"),
    [
        (answer(DENIED, 403, XML), "not authorized <here>", "AccessDenied"),
        (answer(b"hush", 500), "not one of AWS", None),
        (answer(b"<AssumeRoleResponse/>", headers=XML), "lacks 'AssumeRoleResult'", None),
    ],
    ids=["denied", "not XML", "incomplete"],
)
def test_the_error_says_why_a_role_was_refused(
    play: Play, reply: bytes, reason: str, code: str | None
) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(ENVIRON)
        error = await scene.refused(role_arn=ROLE)
        assert reason in error.message
        assert ROLE in error.message
        assert error.code == code
        assert len(scene.server.requests) == 1  # botocore itself would try a 500 again

    play([reply], check)


def test_an_unreachable_sts_is_a_retryable_error(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment({**ENVIRON, "AWS_ENDPOINT_URL_STS": UNREACHABLE})
        with pytest.raises(UpstreamUnreachable) as caught:
            await scene.found(role_arn=ROLE)
        assert caught.value.retryable

    play([], check)


def test_the_address_of_sts_depends_on_the_region(play: Play) -> None:
    hosts: list[str] = []

    async def check(scene: Scene) -> None:
        scene.set_environment(KEYS)
        scene.monkeypatch.delenv("AWS_ENDPOINT_URL_STS")

        async def refuse(request: Any, timeouts: Any) -> Any:
            hosts.append(request.url.host)
            raise UpstreamUnreachable("no")

        scene.fetch = refuse
        for region in ("eu-west-1", None):
            with pytest.raises(UpstreamUnreachable):
                await scene.found(role_arn=ROLE, region=region)
        assert hosts == ["sts.eu-west-1.amazonaws.com", "sts.us-east-1.amazonaws.com"]

    play([], check)


# --- IAM Identity Center (SSO) --------------------------------------------------------------------

SSO = """\
[profile p]
sso_session = mine
sso_account_id = 123456789012
sso_role_name = Caller
region = eu-west-1
[sso-session mine]
sso_region = eu-central-1
sso_start_url = https://example.awsapps.com/start
"""


def log_in(scene: Scene, lasts: float, **more: str) -> None:
    """Write what ``aws sso login`` leaves (in a directory that botocore fixes at its import)."""
    for cls in ("credentials.SSOProvider", "tokens.SSOTokenProvider"):
        scene.monkeypatch.setattr(f"botocore.{cls}._SSO_TOKEN_CACHE_DIR", str(scene.folder / "sso"))
    cached = {
        "startUrl": "https://example.awsapps.com/start",
        "region": "eu-central-1",
        "accessToken": "hush-sso",
        "expiresAt": at(lasts),
        **more,
    }
    scene.file(json.dumps(cached), f"sso/{hashlib.sha1(b'mine').hexdigest()}.json")
    scene.set_environment(
        {"AWS_ENDPOINT_URL_SSO": "{url}/portal", "AWS_ENDPOINT_URL_SSO_OIDC": "{url}/oidc"}
    )
    scene.config(SSO)


def sso_role() -> bytes:
    """docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html"""
    expires_ms = int((time.time() + 3600) * 1000)
    found = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t"}
    return answer(json.dumps({"roleCredentials": {**found, "expiration": expires_ms}}).encode())


def test_an_sso_profile_uses_the_token_of_the_last_login(play: Play) -> None:
    async def check(scene: Scene) -> None:
        log_in(scene, 3600)
        assert await scene.found(profile="p") == {
            "access_key": "ASIASSO",
            "secret_key": "s",
            "session_token": "t",
            "region": "eu-west-1",
        }
        (asked,) = scene.server.requests
        assert asked.target.startswith("/portal/federation/credentials?")
        query = parse_qs(urlsplit(asked.target).query)
        assert query == {"role_name": ["Caller"], "account_id": ["123456789012"]}
        assert asked.header("x-amz-sso_bearer_token") == "hush-sso"
        assert asked.header("authorization") is None

    play([sso_role()], check)


def test_an_sso_token_is_renewed_with_its_refresh_token(play: Play) -> None:
    async def check(scene: Scene) -> None:
        log_in(
            scene,
            60,
            refreshToken="refresh",
            clientId="cid",
            clientSecret="hush",
            registrationExpiresAt=at(86400),
        )
        assert (await scene.found(profile="p"))["access_key"] == "ASIASSO"
        renewed, asked = scene.server.requests
        assert renewed.target == "/oidc/token"
        assert json.loads(renewed.body)["refreshToken"] == "refresh"
        assert asked.header("x-amz-sso_bearer_token") == "second"

    token = {"accessToken": "second", "expiresIn": 28800, "tokenType": "Bearer"}
    play([answer(json.dumps(token).encode()), sso_role()], check)


@pytest.mark.parametrize("is_expired", [True, False])
def test_the_error_names_the_remedy_where_an_sso_login_has_ended(
    play: Play, is_expired: bool
) -> None:
    async def check(scene: Scene) -> None:
        log_in(scene, -60 if is_expired else 3600)
        error = await scene.refused(profile="p")
        assert "`aws sso login`" in error.message

    refusal = b'{"message":"Session token not found or invalid","__type":"UnauthorizedException"}'
    headers = (("x-amzn-errortype", "UnauthorizedException"), ("content-type", "application/json"))
    play([answer(refusal, 401, headers)], check)


# --- Containers -----------------------------------------------------------------------------------

CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/v1/credentials"}


@pytest.mark.parametrize("token", [None, "file", "variable"])
def test_a_container_asks_the_endpoint_in_its_environment(play: Play, token: str | None) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(CONTAINER)
        if token == "file":
            path = scene.file("from the file", "token")
            scene.set_environment({"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path})
        elif token == "variable":
            scene.set_environment({"AWS_CONTAINER_AUTHORIZATION_TOKEN": "from the variable"})
        assert await scene.found() == HERE_FOUND
        (asked,) = scene.server.requests
        assert (asked.method, asked.target) == ("GET", "/v1/credentials")
        assert asked.header("authorization") == (token and f"from the {token}")

    play([local(document())], check)


def test_a_container_does_not_send_its_token_to_another_machine_without_tls(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://198.51.100.1/credentials"}
        )
        error = await scene.refused()
        assert "Unsupported host '198.51.100.1'" in error.message

    play([], check)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (local(b'{"message":"no role"}', 404), "no role"),
        (local(b"<html>"), "Unable to parse JSON"),
        (local(b"{}"), "lacks 'AccessKeyId'"),
    ],
    ids=["denied", "not JSON", "incomplete"],
)
def test_the_error_says_why_a_container_gets_no_credentials(
    play: Play, reply: bytes, reason: str
) -> None:
    async def check(scene: Scene) -> None:
        scene.monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)
        scene.set_environment(CONTAINER)
        error = await scene.refused()
        assert reason in error.message

    play([reply], check)


def test_a_missing_token_file_of_a_container_is_named(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment({**CONTAINER, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/not/there"})
        error = await scene.refused()
        assert "/not/there" in error.message

    play([local(document())], check)


# --- Instances ------------------------------------------------------------------------------------

INSTANCE = {
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{url}/",
    "AWS_EC2_METADATA_DISABLED": "false",
}


def test_an_instance_asks_its_metadata_service_with_a_session_token(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(INSTANCE)
        assert await scene.found() == HERE_FOUND
        put, listed, read = scene.server.requests
        assert (put.method, put.target) == ("PUT", "/latest/api/token")
        assert put.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
        assert listed.target == "/latest/meta-data/iam/security-credentials/"
        assert read.target == "/latest/meta-data/iam/security-credentials/my-role"
        assert listed.header("x-aws-ec2-metadata-token") == "TOKEN=="
        assert read.header("x-aws-ec2-metadata-token") == "TOKEN=="

    play([local(b"TOKEN=="), local(b"my-role"), local(document())], check)


@pytest.mark.parametrize(
    "replies", [[local(b"TOKEN"), local(b"", 404)], ["reset"]], ids=["no role", "no service"]
)
def test_the_error_names_the_remedy_where_nothing_was_found(
    play: Play, replies: list[Reply]
) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(INSTANCE)
        error = await scene.refused()
        assert error.code == "no_aws_credentials"
        for word in ("api_key", "access_key", "secret_key", "profile", "role_arn"):
            assert word in error.message

    play(replies, check)


def test_the_metadata_service_is_not_asked_where_that_is_disabled(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment({**INSTANCE, "AWS_EC2_METADATA_DISABLED": "true"})
        scene.config("[default]\nregion = eu-west-1\n")
        error = await scene.refused()
        assert "No AWS credentials" in error.message
        assert scene.server.requests == []

    play([local(b"")], check)


# --- Keeping --------------------------------------------------------------------------------------


def test_temporary_credentials_are_renewed_ahead_of_their_end(play: Play) -> None:
    """botocore reads the time itself, and renews what ends within 15 minutes at each look."""

    async def check(scene: Scene) -> None:
        scene.set_environment(CONTAINER)
        source = scene.source()
        assert (await source.credentials())["access_key"] == "FIRST"
        scene.clock.now += 840 - 230
        assert (await source.credentials())["access_key"] == "FIRST"
        assert len(scene.server.requests) == 2
        scene.clock.now += 10
        assert (await source.credentials())["access_key"] == "FIRST"
        await until(lambda: source._fetching is None)
        assert (await source.credentials())["access_key"] == "SECOND"
        assert len(scene.server.requests) == 3

    play(
        [local(document("ZERO", 840)), local(document("FIRST", 840)), local(document("SECOND"))],
        check,
    )


def test_after_a_failed_renewal_the_files_are_read_again(play: Play) -> None:
    async def check(scene: Scene) -> None:
        scene.set_environment(CONTAINER)
        source = scene.source()
        assert (await source.credentials())["access_key"] == "FIRST"
        scene.clock.now += 60
        with pytest.raises(UpstreamAuth, match="still expired"):
            await source.credentials()
        scene.clock.now += 2
        assert (await source.credentials())["access_key"] == "THIRD"

    replies = [document("ZERO", 60), document("FIRST", 60), document("X", -1), document("THIRD")]
    play([local(reply) for reply in replies], check)
