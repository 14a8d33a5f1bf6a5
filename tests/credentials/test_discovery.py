"""Credentials that can be seen without using them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headway.credentials.discovery import FINDERS, MAX_FILE_SIZE, has_credentials
from headway.providers import KINDS
from support.for_each import for_each

ENTRA = {"tenant_id": "t", "client_id": "c"}
AZURE = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}


@pytest.mark.parametrize("kind", FINDERS)
def test_nothing_is_found_on_an_empty_machine(kind: str, tmp_path: Path) -> None:
    assert not has_credentials(kind, {}, {})
    assert not has_credentials(kind, {}, {"HOME": str(tmp_path)})
    assert not has_credentials(kind, {"region": "eu"}, {"AWS_REGION": "eu", "AZURE_X": "y"})


def test_every_source_of_a_provider_can_be_looked_for() -> None:
    assert {one.credentials for one in KINDS.values()} - {None} == set(FINDERS)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("aws", {"access_key": "a", "secret_key": "s"}),
        ("aws", {"profile": "p"}),
        ("aws", {"web_identity_token_file": "f"}),
        ("google", {"credentials_file": "f"}),
        ("google", {"metadata_url": "http://m"}),
        ("entra", {**ENTRA, "client_secret": "s"}),
        ("entra", {**ENTRA, "client_certificate": "f"}),
        ("entra", {**ENTRA, "federated_token_file": "f"}),
        ("entra", {"metadata_url": "http://m"}),
    ],
)
def test_options_of_a_provider_are_found(kind: str, options: dict[str, Any]) -> None:
    assert has_credentials(kind, options, {})


@for_each(
    ("kind", "environ"),
    [
        ("aws", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s"}),
        ("aws", {"AWS_PROFILE": "p"}),
        ("aws", {"AWS_WEB_IDENTITY_TOKEN_FILE": "f"}),
        ("aws", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2"}),
        ("aws", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://c"}),
        ("google", {"GOOGLE_APPLICATION_CREDENTIALS": "f"}),
        ("entra", {**AZURE, "AZURE_CLIENT_SECRET": "s"}),
        ("entra", {**AZURE, "AZURE_CLIENT_CERTIFICATE_PATH": "f"}),
        ("entra", {**AZURE, "AZURE_FEDERATED_TOKEN_FILE": "f"}),
        ("entra", {"IDENTITY_ENDPOINT": "http://i", "IDENTITY_HEADER": "h"}),
    ],
)
def test_variables_are_found(kind: str, environ: dict[str, str]) -> None:
    assert has_credentials(kind, {}, environ)


@pytest.mark.parametrize(
    ("kind", "environ"),
    [
        ("aws", {"AWS_ACCESS_KEY_ID": "a"}),
        ("aws", {"AWS_PROFILE": ""}),
        ("entra", AZURE),
        ("entra", {"AZURE_CLIENT_SECRET": "s"}),
        ("entra", {"IDENTITY_ENDPOINT": "http://i"}),
    ],
)
def test_half_of_them_is_not_enough(kind: str, environ: dict[str, str]) -> None:
    assert not has_credentials(kind, {}, environ)


@pytest.mark.parametrize(
    ("name", "text", "is_found"),
    [
        ("credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = S\n", True),
        ("credentials", "", False),
        ("config", "[default]\nregion = eu-west-1\n", False),
        ("config", "[profile p]\nsso_session = s\n", True),
        ("config", "[profile p]\nrole_arn = r\n", True),
        ("config", "[profile p]\ncredential_process = c\n", True),
        ("config", " " * MAX_FILE_SIZE + "sso_session", False),
    ],
)
def test_awss_files_are_found_where_they_have_a_profile(
    name: str, text: str, is_found: bool, tmp_path: Path
) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / name).write_text(text)
    assert has_credentials("aws", {}, {"HOME": str(tmp_path)}) is is_found
    variable = {"credentials": "AWS_SHARED_CREDENTIALS_FILE", "config": "AWS_CONFIG_FILE"}[name]
    assert has_credentials("aws", {}, {variable: str(folder / name)}) is is_found
    assert not has_credentials("aws", {}, {variable: str(folder)})


@pytest.mark.parametrize(
    ("folder", "variable"),
    [(".config/gcloud", "HOME"), ("gcloud", "APPDATA"), (".", "CLOUDSDK_CONFIG")],
)
def test_the_file_that_gcloud_writes_is_found(folder: str, variable: str, tmp_path: Path) -> None:
    assert not has_credentials("google", {}, {variable: str(tmp_path)})
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / folder / "application_default_credentials.json").write_text("{}")
    assert has_credentials("google", {}, {variable: str(tmp_path)})
