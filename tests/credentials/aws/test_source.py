"""AWS keys that are configured, with and without botocore."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from headway.credentials.aws.source import AwsCredentials
from headway.errors import UpstreamAuth
from support.credential_fakes import TokenScene, play_scene

KEYS = {"access_key": "A", "secret_key": "S"}
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "ENVKEY",
    "AWS_SECRET_ACCESS_KEY": "envsecret",
    "AWS_SESSION_TOKEN": "envtoken",
    "AWS_REGION": "eu-west-1",
}
FROM_ENVIRON = {"access_key": "ENVKEY", "secret_key": "envsecret", "session_token": "envtoken"}


def check_found(
    folder: Path, options: Mapping[str, Any], environ: Mapping[str, str], expected: dict[str, str]
) -> None:
    async def check(scene: TokenScene) -> None:
        source = AwsCredentials(options, environ, scene.fetch, scene.clock)
        assert await source.credentials() == expected

    play_scene(TokenScene, folder, [], check)


@pytest.fixture(params=["with", "without"])
def botocore(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        remove_botocore(monkeypatch)


def remove_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "headway.credentials.aws.botocore_chain", raising=False)
    monkeypatch.setitem(sys.modules, "botocore", None)


@pytest.mark.usefixtures("botocore")
@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ({**KEYS, "region": "us-west-2"}, ENVIRON, {**KEYS, "region": "us-west-2"}),
        ({**KEYS, "session_token": "T"}, {}, {**KEYS, "session_token": "T"}),
        ({**KEYS, "profile": "p", "region": "r"}, {}, {**KEYS, "region": "r"}),
        ({"access_key": "half"}, ENVIRON, {**FROM_ENVIRON, "region": "eu-west-1"}),
        ({}, ENVIRON, {**FROM_ENVIRON, "region": "eu-west-1"}),
        ({}, {**ENVIRON, "AWS_PROFILE": "gone"}, {**FROM_ENVIRON, "region": "eu-west-1"}),
        (
            {},
            {
                "AWS_ACCESS_KEY_ID": "A",
                "AWS_SECRET_ACCESS_KEY": "S",
                "AWS_SESSION_TOKEN": "",
                "AWS_DEFAULT_REGION": "r",
            },
            {**KEYS, "region": "r"},
        ),
        ({}, {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"}, KEYS),
    ],
)
def test_configured_keys_come_before_those_of_the_environment(
    tmp_path: Path, options: dict[str, str], environ: dict[str, str], expected: dict[str, str]
) -> None:
    check_found(tmp_path, options, environ, expected)


def test_the_region_of_a_profile_goes_with_configured_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile p]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    check_found(tmp_path, {**KEYS, "profile": "p"}, {}, {**KEYS, "region": "ap-south-1"})


def test_keys_do_not_need_the_default_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text(
        "[default]\nregion = r\nrole_arn = r\nsource_profile = q\nmfa_serial = m\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    check_found(tmp_path, KEYS, {}, {**KEYS, "region": "r"})


def test_keys_do_not_need_the_profile_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    check_found(tmp_path, KEYS, {}, KEYS)


@pytest.mark.parametrize(
    ("options", "environ"),
    [({}, {}), ({"profile": "p"}, ENVIRON), ({"role_arn": "r"}, ENVIRON)],
)
def test_the_error_names_the_missing_package(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    environ: dict[str, str],
) -> None:
    remove_botocore(monkeypatch)

    async def check(scene: TokenScene) -> None:
        with pytest.raises(UpstreamAuth, match="pip install botocore") as caught:
            await AwsCredentials(options, environ, scene.fetch, scene.clock).credentials()
        assert caught.value.code == "no_aws_credentials"

    play_scene(TokenScene, tmp_path, [], check)
