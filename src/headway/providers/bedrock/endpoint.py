"""The addresses of Bedrock's data plane, and the AWS region of a call
(docs.aws.amazon.com/general/latest/gr/bedrock.html)."""

from __future__ import annotations

import re
from urllib.parse import quote

from headway.errors import RequestError
from headway.types import Target, Url
from headway.wire.url import join

AWS_HOST = re.compile(
    r"bedrock(?:-\w+)?(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com|api\.aws)"
)
"""AWS's own hosts of Bedrock, and the region in them."""


def model_url(model: str, method: str, target: Target) -> Url:
    """``model`` may be an ARN: its slashes and colons are escaped, as AWS's own tools do."""
    return join(base_url(target), f"/model/{quote(model, safe='')}/{method}")


def base_url(target: Target) -> str:
    """The target's base URL, with the region in place of ``{region}``. Raises RequestError where
    that needs a region and none is known."""
    if "{region}" not in target.base_url:
        return target.base_url
    return target.base_url.replace("{region}", region_of(target))


def region_of(target: Target) -> str:
    """The configured region, else the one of the credentials' source, else the one in the address.
    Raises RequestError where none is known."""
    given = target.options.get("region") or target.credentials.get("region")
    if given:
        return str(given)
    found = AWS_HOST.search(target.base_url)
    if found is not None:
        return found[1]
    message = f"{target.provider} needs `region`, the AWS region to call, such as us-east-1."
    raise RequestError(message, param="region")
