"""The facts of Bedrock's two providers."""

from __future__ import annotations

import pytest

from headway.providers.base import Provider
from headway.providers.bedrock import mantle, provider
from headway.providers.capabilities import CAPABILITIES


@pytest.mark.parametrize("bedrock", [provider.PROVIDER, mantle.PROVIDER])
def test_capabilities_have_known_names_and_credentials_are_those_of_aws(bedrock: Provider) -> None:
    assert set(bedrock.capabilities) <= set(CAPABILITIES)
    assert bedrock.credentials == "aws"
    assert bedrock.key_env == "AWS_BEARER_TOKEN_BEDROCK"
    assert {"region", "access_key", "secret_key", "profile", "role_arn"} <= set(bedrock.options)
