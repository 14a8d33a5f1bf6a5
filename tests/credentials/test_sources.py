"""The source of each cloud's credentials."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from headway.config.secret import Secret
from headway.credentials import credential_source
from headway.credentials.sources import SOURCES
from headway.providers import KINDS
from support.credential_fakes import SetClock


async def no_fetch(*_: Any) -> Any:
    raise AssertionError("nothing is fetched before credentials are asked for")


def test_a_provider_without_such_credentials_has_no_source() -> None:
    assert credential_source(None, {}, {}, no_fetch, SetClock()) is None


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_is_made_without_a_request(kind: str) -> None:
    environ = {"AWS_SECRET_ACCESS_KEY": Secret("hush")}
    source = credential_source(kind, {}, environ, no_fetch, SetClock())  # type: ignore[arg-type]
    assert type(source).__name__.lower() == f"{kind}credentials"


def test_each_kind_of_credentials_that_a_provider_names_has_a_source() -> None:
    assert {provider.credentials for provider in KINDS.values()} - {None} == set(SOURCES)


def test_the_libraries_of_clouds_are_not_imported_with_the_sources() -> None:
    code = (
        "import sys\n"
        "import headway.credentials.aws.source, headway.credentials.google.source\n"
        "import headway.credentials.entra.source\n"
        "slow = {'botocore', 'google.auth', 'cryptography', 'requests', 'urllib3'}\n"
        "assert not slow & set(sys.modules), slow & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
