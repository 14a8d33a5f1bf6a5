"""The agents of containers and the metadata of instances, scripted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from aws_answers import (
    ENVIRON,
    HERE_FOUND,
    NOWHERE,
    ROLE,
    Wall,
    document,
    endpoints,
    sts,
)
from headway.errors import UpstreamAuth, UpstreamUnreachable
from headway.transport.aws_credentials import AwsCredentials, endpoints_of
from headway.transport.aws_services import Endpoints
from scripted import ScriptedServer, answer
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


def test_a_task_of_ecs_asks_its_agent(run: Run) -> None:
    async def scenario() -> None:
        async with ScriptedServer([answer(document())]) as server:
            environ = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/x?id=1"}
            assert await found({}, environ, server.url) == HERE_FOUND
            (asked,) = server.requests
        assert (asked.method, asked.target) == ("GET", "/v2/credentials/x?id=1")
        assert asked.header("authorization") is None

    run(scenario())


@pytest.mark.parametrize("from_file", [True, False])
def test_a_pod_of_eks_shows_its_token(run: Run, tmp_path: Path, from_file: bool) -> None:
    (tmp_path / "token").write_text("from the file\n")
    token = (
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token")}
        if from_file
        else {"AWS_CONTAINER_AUTHORIZATION_TOKEN": "from the variable"}
    )

    async def scenario() -> None:
        async with ScriptedServer([answer(document())]) as server:
            environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url + "/v1/credentials"}
            assert await found({}, {**environ, **token}) == HERE_FOUND
            (asked,) = server.requests
        assert asked.target == "/v1/credentials"
        expected = "from the file" if from_file else "from the variable"
        assert asked.header("authorization") == expected

    run(scenario())


def test_a_token_is_not_carried_to_a_stranger_without_tls(run: Run) -> None:
    environ = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://198.51.100.1/credentials"}

    async def scenario() -> None:
        with pytest.raises(UpstreamAuth, match=r"198\.51\.100\.1, which is neither https"):
            await found({}, environ)

    run(scenario())


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (answer(b'{"message":"no role"}', 404), 'answered 404: {"message":"no role"}'),
        (answer(b"<html>"), "answered with none"),
        (answer(b"{}"), "answered with none"),
    ],
)
def test_an_agent_that_refuses_is_quoted(run: Run, reply: bytes, why: str) -> None:
    async def scenario() -> None:
        async with ScriptedServer([reply]) as server:
            environ = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}
            with pytest.raises(UpstreamAuth) as caught:
                await found({}, environ, server.url)
        assert why in caught.value.message

    run(scenario())


def test_a_token_file_that_is_not_there_is_named(run: Run) -> None:
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/not/there",
    }

    async def scenario() -> None:
        with pytest.raises(UpstreamAuth, match="/not/there cannot be read: No such file"):
            await found({}, environ)

    run(scenario())


def test_a_token_file_that_is_no_text_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")

    async def scenario() -> None:
        options = {"role_arn": ROLE, "web_identity_token_file": str(tmp_path / "token")}
        with pytest.raises(UpstreamAuth, match="it is no text"):
            await found(options, {})

    run(scenario())


def test_an_instance_of_ec2_is_asked_with_a_token_of_its_own(run: Run) -> None:
    async def scenario() -> None:
        replies = [answer(b"TOKEN=="), answer(b"my-role\n"), answer(document())]
        async with ScriptedServer(replies) as server:
            assert await found({}, {}, server.url) == HERE_FOUND
            put, listed, read = server.requests
        assert (put.method, put.target) == ("PUT", "/latest/api/token")
        assert put.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
        assert listed.target == "/latest/meta-data/iam/security-credentials/"
        assert read.target == "/latest/meta-data/iam/security-credentials/my-role"
        assert listed.header("x-aws-ec2-metadata-token") == "TOKEN=="
        assert read.header("x-aws-ec2-metadata-token") == "TOKEN=="

    run(scenario())


@pytest.mark.parametrize(
    "replies",
    [
        [answer(b"", 403)],
        [answer(b"TOKEN"), answer(b"", 404)],
        [["reset"]],
    ],
)
def test_without_any_credentials_the_error_says_what_to_set(run: Run, replies: list[Any]) -> None:
    async def scenario() -> None:
        async with ScriptedServer(replies) as server:
            with pytest.raises(UpstreamAuth, match="api_key") as caught:
                await found({}, {}, server.url)
        assert caught.value.code == "no_aws_credentials"
        for word in ("access_key", "secret_key", "profile", "role_arn"):
            assert word in caught.value.message

    run(scenario())


def test_an_instance_is_not_asked_where_that_is_switched_off(run: Run, tmp_path: Path) -> None:
    environ = profiles(tmp_path, "[default]\nregion = eu-west-1\n")

    async def scenario() -> None:
        async with ScriptedServer([answer(b"")]) as server:
            with pytest.raises(UpstreamAuth, match="No AWS credentials"):
                await found({}, environ, server.url)
            assert server.requests == []

    run(scenario())


def test_a_role_that_nobody_gives_out_says_that_nobody_answers(run: Run) -> None:
    async def scenario() -> None:
        with pytest.raises(UpstreamUnreachable):
            await found({"role_arn": ROLE}, ENVIRON)

    run(scenario())


def test_variables_of_aws_name_other_endpoints() -> None:
    assert endpoints_of({}) == Endpoints()
    assert endpoints_of({"AWS_ENDPOINT_URL": "http://l"}).sts == "http://l"
    every = {"AWS_ENDPOINT_URL_STS": "http://s", "AWS_ENDPOINT_URL": "http://l"}
    named = endpoints_of({**every, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://m"})
    assert (named.sts, named.metadata) == ("http://s", "http://m")


def test_the_region_is_part_of_the_address_of_sts(run: Run) -> None:
    async def scenario() -> None:
        async with ScriptedServer([answer(sts("AssumeRole"))]) as server, checked_transport() as t:
            places = Endpoints(sts=server.url + "/{region}")
            source = AwsCredentials({"role_arn": ROLE}, ENVIRON, t, Wall(), endpoints=places)
            await source.credentials()
            assert server.requests[0].target == "/eu-west-1"

    run(scenario())
