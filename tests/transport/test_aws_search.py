"""Credentials for AWS are looked for in every place where they may be, all of them scripted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from aws_answers import (
    ENVIRON,
    NOW,
    NOWHERE,
    ROLE,
    ROLE_FOUND,
    XML,
    Wall,
    endpoints,
    sts,
)
from headway.errors import UpstreamAuth
from headway.transport.aws_credentials import AwsCredentials
from headway.types import HttpRequest
from headway.wire.sigv4 import Key, Scope, sign
from headway.wire.url import join
from scripted import Received, ScriptedServer, answer
from taker import Run, checked_transport


async def found(
    options: Mapping[str, Any], environ: Mapping[str, str], url: str = NOWHERE
) -> Mapping[str, str]:
    async with checked_transport() as transport:
        source = AwsCredentials(options, environ, transport, Wall(), endpoints=endpoints(url))
        return await source.credentials()


def profiles(folder: Path, text: str) -> dict[str, str]:
    (folder / "config").write_text(text)
    return {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_EC2_METADATA_DISABLED": "true"}


def fields(request: Received) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def check_signature(request: Received, url: str, key: Key, region: str) -> None:
    """The signature is that of the same request, signed here."""
    kept = ("content-type", "accept")
    headers = tuple(pair for pair in request.headers if pair[0] in kept)
    same = HttpRequest(join(url, request.target), headers, request.body, request.method)
    signed = dict(sign(same, key, Scope(region, "sts"), NOW).headers)
    assert request.header("authorization") == signed["authorization"]
    assert request.header("x-amz-security-token") == key.session_token


# --- What needs nobody ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        (
            {"access_key": "A", "secret_key": "S", "region": "us-west-2"},
            ENVIRON,
            {"access_key": "A", "secret_key": "S", "region": "us-west-2"},
        ),
        (
            {},
            ENVIRON,
            {
                "access_key": "ENVKEY",
                "secret_key": "envsecret",
                "session_token": "envtoken",
                "region": "eu-west-1",
            },
        ),
        (
            {},
            {
                "AWS_ACCESS_KEY_ID": "A",
                "AWS_SECRET_ACCESS_KEY": "S",
                "AWS_SESSION_TOKEN": "",
                "AWS_DEFAULT_REGION": "r",
            },
            {"access_key": "A", "secret_key": "S", "region": "r"},
        ),
        (
            {},
            {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"},
            {"access_key": "A", "secret_key": "S"},
        ),
    ],
)
def test_configured_keys_come_before_those_of_the_environment(
    run: Run, options: dict[str, str], environ: dict[str, str], expected: dict[str, str]
) -> None:
    async def scenario() -> None:
        assert await found(options, environ) == expected

    run(scenario())


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


@pytest.mark.parametrize(
    ("options", "more", "key", "region"),
    [
        ({}, {}, "DEFKEY", "ap-south-1"),
        ({}, {"AWS_PROFILE": "work"}, "WORKKEY", "ca-central-1"),
        ({"profile": "work"}, {}, "WORKKEY", "ca-central-1"),
        ({"profile": "work"}, ENVIRON, "WORKKEY", "eu-west-1"),
        ({"profile": "work", "region": "us-east-2"}, {}, "WORKKEY", "us-east-2"),
        ({}, {**ENVIRON, "AWS_PROFILE": "work"}, "ENVKEY", "eu-west-1"),
    ],
)
def test_a_profile_of_the_shared_files_gives_keys_and_region(
    run: Run, tmp_path: Path, options: dict[str, str], more: dict[str, str], key: str, region: str
) -> None:
    async def scenario() -> None:
        shown = await found(options, {**profiles(tmp_path, FILES), **more})
        assert (shown["access_key"], shown["region"]) == (key, region)

    run(scenario())


# --- STS ------------------------------------------------------------------------------------------


def test_a_configured_role_is_taken_with_the_keys_that_are_there(run: Run) -> None:
    options = {
        "role_arn": ROLE,
        "role_session_name": "me",
        "external_id": "x y",
        "duration_seconds": 900,
    }

    async def scenario() -> None:
        async with ScriptedServer([answer(sts("AssumeRole"), headers=XML)]) as server:
            shown = await found(options, ENVIRON, server.url)
            (asked,) = server.requests
            check_signature(asked, server.url, Key("ENVKEY", "envsecret", "envtoken"), "eu-west-1")
        assert shown == {**ROLE_FOUND, "region": "eu-west-1"}
        assert (asked.method, asked.target) == ("POST", "/")
        assert fields(asked) == {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "me",
            "ExternalId": "x y",
            "DurationSeconds": "900",
        }

    run(scenario())


@pytest.mark.parametrize("configured", [True, False])
def test_a_web_identity_needs_no_keys(run: Run, tmp_path: Path, configured: bool) -> None:
    token = tmp_path / "token"
    token.write_text("jwt\n")
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token), "AWS_ROLE_ARN": ROLE}
    settings = {"web_identity_token_file": str(token), "role_arn": ROLE}

    async def scenario() -> None:
        reply = answer(sts("AssumeRoleWithWebIdentity"), headers=XML)
        async with ScriptedServer([reply]) as server:
            if configured:
                shown = await found(settings, {}, server.url)
            else:
                shown = await found({}, variables, server.url)
            (asked,) = server.requests
        assert shown == ROLE_FOUND
        assert asked.header("authorization") is None
        assert fields(asked) == {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": ROLE,
            "RoleSessionName": "headway",
            "WebIdentityToken": "jwt",
        }

    run(scenario())


CHAINED = f"""\
[profile a]
role_arn = {ROLE}
source_profile = b
region = eu-north-1
[profile b]
role_arn = arn:aws:iam::1:role/b
source_profile = b
external_id = ext
aws_access_key_id = BKEY
aws_secret_access_key = bsecret
"""


def test_a_profile_takes_its_role_from_its_source_and_that_from_its_own_keys(
    run: Run, tmp_path: Path
) -> None:
    async def scenario() -> None:
        replies = [answer(sts("AssumeRole", "ASIAB")), answer(sts("AssumeRole"))]
        async with ScriptedServer(replies) as server:
            environ = profiles(tmp_path, CHAINED)
            shown = await found({"profile": "a"}, environ, server.url)
            first, second = server.requests
            check_signature(first, server.url, Key("BKEY", "bsecret"), "eu-north-1")
            check_signature(second, server.url, Key("ASIAB", "s/e+c", "t&k"), "eu-north-1")
        assert shown == {**ROLE_FOUND, "region": "eu-north-1"}
        assert fields(first)["RoleArn"] == "arn:aws:iam::1:role/b"
        assert fields(first)["ExternalId"] == "ext"
        assert fields(second)["RoleArn"] == ROLE

    run(scenario())


def test_a_profile_may_hold_a_web_identity(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("jwt")
    text = f"[profile w]\nrole_arn = {ROLE}\nweb_identity_token_file = {tmp_path / 'token'}\n"

    async def scenario() -> None:
        async with ScriptedServer([answer(sts("AssumeRoleWithWebIdentity"))]) as server:
            environ = profiles(tmp_path, text)
            assert await found({"profile": "w"}, environ, server.url) == ROLE_FOUND

    run(scenario())


def test_a_profile_may_take_its_credentials_from_the_environment(run: Run, tmp_path: Path) -> None:
    text = f"[default]\nrole_arn = {ROLE}\ncredential_source = Environment\nregion = r-1\n"

    async def scenario() -> None:
        async with ScriptedServer([answer(sts("AssumeRole"))]) as server:
            environ = {**profiles(tmp_path, text), **ENVIRON}
            del environ["AWS_REGION"]
            await found({"profile": "default"}, environ, server.url)
            key = Key("ENVKEY", "envsecret", "envtoken")
            check_signature(server.requests[0], server.url, key, "r-1")

    run(scenario())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[profile other]\nregion = x\n", "'p' is in no file"),
        ("[profile p]\nregion = x\n", "has neither keys nor a role_arn"),
        ("[profile p]\nsso_session = s\n", "uses IAM Identity Center"),
        ("[profile p]\ncredential_process = /bin/x\n", "uses a credential_process"),
        ("[profile p]\nrole_arn = r\n", "without a source_profile"),
        ("[profile p]\nrole_arn = r\ncredential_source = Moon\n", "without a source_profile"),
        ("[profile p]\nrole_arn = r\ncredential_source = Environment\n", "which has none"),
        ("[profile p]\nrole_arn = r\nsource_profile = p\n", "is its own source"),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n"
            "[profile q]\nrole_arn = s\nsource_profile = p\n",
            "'p' is its own source",
        ),
        ("[profile p]\nrole_arn = r\nmfa_serial = m\nsource_profile = p\n", "asks for a code"),
    ],
)
def test_a_profile_that_gives_nothing_says_why(
    run: Run, tmp_path: Path, text: str, why: str
) -> None:
    async def scenario() -> None:
        with pytest.raises(UpstreamAuth, match=why) as caught:
            await found({"profile": "p"}, profiles(tmp_path, text))
        assert caught.value.code == "aws_profile"

    run(scenario())


DENIED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    b"<Message>User: arn:aws:iam::1:user/x is not authorized &lt;here&gt;</Message></Error>"
    b"</ErrorResponse>"
)


@pytest.mark.parametrize(
    ("reply", "why", "code"),
    [
        (answer(DENIED, 403, XML), "not authorized <here>", "AccessDenied"),
        (answer(b"oops", 500), "status 500", None),
        (answer(b"<AssumeRoleResponse/>"), "without credentials", None),
    ],
)
def test_a_role_that_is_refused_says_why(
    run: Run, reply: bytes, why: str, code: str | None
) -> None:
    async def scenario() -> None:
        async with ScriptedServer([reply]) as server:
            with pytest.raises(UpstreamAuth, match=why) as caught:
                await found({"role_arn": ROLE}, ENVIRON, server.url)
        assert ROLE in caught.value.message
        assert caught.value.code == code

    run(scenario())
