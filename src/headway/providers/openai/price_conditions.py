"""What in a call to OpenAI decides its price besides the model and the tier
(developers.openai.com/api/docs/pricing).

Hosts such as ``eu.api.openai.com`` keep data in a region. Search models of chat completions search
at every call, which is charged apart and not counted in the usage.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

REGIONAL_HOST = re.compile(r"([a-z]{2,})\.api\.openai\.com")
SEARCH_MODEL = re.compile(r"search-(?:preview|api)")


def price_conditions(base_url: str, options: Mapping[str, Any], model: str) -> Mapping[str, str]:
    return _price_conditions(base_url, model)


@lru_cache(maxsize=256)
def _price_conditions(base_url: str, model: str) -> Mapping[str, str]:
    conditions = {}
    if (host := REGIONAL_HOST.fullmatch(urlsplit(base_url).hostname or "")) is not None:
        conditions["region"] = host[1]
    if SEARCH_MODEL.search(model):
        conditions["tool"] = "web_search"
    return conditions
