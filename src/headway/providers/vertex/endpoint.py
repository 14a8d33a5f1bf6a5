"""The hosts of Vertex AI (docs.cloud.google.com/vertex-ai/docs, Regional endpoints)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headway.types import Target

GLOBAL_URL = "https://aiplatform.googleapis.com"
"""The global endpoint, and the default base URL: then the region decides."""
MULTI_REGIONS = ("us", "eu")
"""They have hosts of another form."""


_HOST = re.compile(r"//(?:([a-z0-9-]+)-aiplatform|aiplatform\.([a-z]+)\.rep)\.googleapis\.com")
_LOCATION = re.compile(r"projects/[^/]+/locations/([^/]+)/")


def region_of(target: Target) -> str:
    return str(target.options.get("region") or "global")


def price_conditions(base_url: str, options: Mapping[str, Any], model: str) -> Mapping[str, str]:
    """Endpoints of a region or of several have other prices than the global one
    (cloud.google.com/vertex-ai/generative-ai/pricing)."""
    host, location = _HOST.search(base_url), _LOCATION.match(model)
    region = str(options.get("region") or "")
    if location is not None:
        region = location[1]
    elif not region and host is not None:
        region = host[1] or host[2]
    return {"region": region} if region else {}


def regional_url(target: Target) -> str:
    """The base URL of the target's region, without a version. A configured base URL stays."""
    region = region_of(target)
    if target.base_url.rstrip("/") not in (GLOBAL_URL, ""):
        return target.base_url
    if region == "global":
        return GLOBAL_URL
    if region in MULTI_REGIONS:
        return f"https://aiplatform.{region}.rep.googleapis.com"
    return f"https://{region}-aiplatform.googleapis.com"
