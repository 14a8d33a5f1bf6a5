"""OpenAI's client, for servers on loopback."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

from support.lazy_import import lazy_import

openai = lazy_import("openai")


def openai_client(base_url: str) -> Any:
    """One that tries once. It does not load the authorities of TLS, which takes longer than most
    tests."""
    http_client = openai.DefaultHttpxClient(verify=_no_authorities())
    return openai.OpenAI(
        base_url=base_url, api_key="unused", max_retries=0, http_client=http_client
    )


@cache
def _no_authorities() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
