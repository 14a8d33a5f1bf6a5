"""The host of a call, and the region in it."""

from __future__ import annotations

from typing import Any

import pytest

from headway.errors import RequestError
from headway.providers.bedrock.endpoint import region_of
from headway.providers.wire_formats import BEDROCK
from headway.types import Target

BASE_URL = BEDROCK.base_url or ""


@pytest.mark.parametrize(
    ("base_url", "options", "credentials", "region"),
    [
        (BASE_URL, {"region": "r-1"}, {"region": "r-2"}, "r-1"),
        (BASE_URL, {}, {"region": "r-2"}, "r-2"),
        ("https://bedrock-runtime.eu-west-3.amazonaws.com", {}, {}, "eu-west-3"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", {}, {}, "us-gov-west-1"),
        ("https://vpce-1-x.bedrock-runtime.us-west-2.vpce.amazonaws.com", {}, {}, "us-west-2"),
        ("https://bedrock-mantle.ap-south-1.api.aws/v1", {}, {}, "ap-south-1"),
        ("http://127.0.0.1:9000", {}, {}, None),
        (BASE_URL, {}, {}, None),
    ],
)
def test_the_region_comes_from_options_credentials_or_the_address(
    base_url: str, options: dict[str, Any], credentials: dict[str, str], region: str | None
) -> None:
    place = Target(provider="b", base_url=base_url, options=options, credentials=credentials)
    if region is not None:
        assert region_of(place) == region
        return
    with pytest.raises(RequestError, match="b needs `region`") as caught:
        region_of(place)
    assert caught.value.param == "region"
