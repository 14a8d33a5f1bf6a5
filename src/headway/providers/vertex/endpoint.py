"""The hosts of Vertex AI (docs.cloud.google.com/vertex-ai/docs, Regional endpoints)."""

from __future__ import annotations

from headway.types import Target

GLOBAL_URL = "https://aiplatform.googleapis.com"
"""The global endpoint, and the default base URL: then the region decides."""
MULTI_REGIONS = ("us", "eu")
"""They have hosts of another form."""


def region_of(target: Target) -> str:
    return str(target.options.get("region") or "global")


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
