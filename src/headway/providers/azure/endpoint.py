"""Addresses and authentication of an Azure OpenAI resource
(learn.microsoft.com/azure/ai-foundry/openai/reference and .../api-version-lifecycle).

Without a dated ``api_version`` the resource is called by its v1 API, which takes the deployment as
``model``. With one, the deployment has its own address.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers import model_lists
from headway.providers.http_headers import Pairs
from headway.providers.native_api import NativeApi
from headway.types import HttpRequest, Target

DATED_VERSION = re.compile(r"\d{4}-")
"""Versions of the API before v1, whose own versions are ``v1``, ``latest`` and ``preview``."""
RESOURCE_END = re.compile(r"/(?:openai|models)(?:/|$)")
"""What follows the address of the resource."""
MODELS_VERSION = "2024-05-01-preview"
"""The version of Azure AI model inference (learn.microsoft.com/rest/api/aifoundry/modelinference),
whose addresses end in ``/models``."""


def chat_target(target: Target, deployment: str) -> Target:
    """The target for OpenAI's encoders of chat and embeddings: a base URL with its query, and the
    key among the headers. Raises InvalidField where no address of a resource is known."""
    return _authorized(target, _base_url(target, deployment))


def responses_target(target: Target, deployment: str) -> Target:
    """The target for the encoder of the Responses API: with a dated version it is at the resource's
    address, and the deployment is its ``model``. Raises InvalidField as ``chat_target``."""
    base_url = _base_url(target, deployment)
    version = _version(target)
    if DATED_VERSION.match(version):
        resource, _, _ = base_url.partition("/openai/")
        base_url = f"{resource}/openai?api-version={version}"
    return _authorized(target, base_url)


def key_check(target: Target) -> HttpRequest:
    """Ask for the models that a resource could deploy (learn.microsoft.com/rest/api/azureopenai/
    models/list). Raises InvalidField as ``chat_target``."""
    target = responses_target(target, "")
    return model_lists.get(target, target.base_url, "/models")


def resource_url(target: Target) -> str:
    """The address of the resource, below which all of its APIs are, with the dated version of its
    API, if there is one. Raises InvalidField as ``chat_target``."""
    address, _, query = _base_url(target, "").partition("?")
    root = RESOURCE_END.split(address, maxsplit=1)[0]
    return f"{root}?{query}" if query and not address.endswith("/v1") else root


def azure_api(api: NativeApi) -> NativeApi:
    """``api`` with a resource's authentication, at its address. Long operations tell in a header
    where to ask for their state (learn.microsoft.com/azure/architecture/patterns/
    async-request-reply). The Realtime API is a part of the v1 API
    (learn.microsoft.com/azure/ai-foundry/openai/how-to/realtime-audio-websockets)."""
    return replace(
        api,
        headers=_native_headers,
        base_url=resource_url,
        link_headers=api.link_headers | {b"operation-location"},
        realtime_path=f"/openai/v1{api.realtime_path}",
    )


def _native_headers(target: Target) -> Pairs:
    return tuple(_authorization(target).items())


def _authorized(target: Target, base_url: str) -> Target:
    headers = {**_authorization(target), **target.headers}
    return replace(target, base_url=base_url, api_key=None, headers=headers)


def _authorization(target: Target) -> dict[str, str]:
    if target.api_key is not None:
        return {"api-key": target.api_key}
    token = target.credentials.get("access_token")
    return {} if token is None else {"authorization": f"Bearer {token}"}


def _base_url(target: Target, deployment: str) -> str:
    """From the resource's address, or from any address below it that the portal shows."""
    if not target.base_url:
        raise InvalidField(
            f"{target.provider} needs the address of its resource, as in"
            " https://NAME.openai.azure.com: set AZURE_OPENAI_ENDPOINT in the gateway's environment"
            f" or providers.{target.provider}.base_url in its configuration.",
            param="base_url",
        )
    address, _, query = target.base_url.partition("?")
    address = address.rstrip("/")
    version = _version(target)
    if not version and query.startswith("api-version="):
        version = query.removeprefix("api-version=")
    if address.endswith("/models"):
        return _with_version(address, version or MODELS_VERSION)
    if "/openai/deployments/" in address:
        for path in ("/chat/completions", "/completions", "/embeddings"):
            address = address.removesuffix(path)
        return _with_version(address, version)
    if address.endswith("/v1") or not DATED_VERSION.match(version):
        root = address.removesuffix("/v1").removesuffix("/openai")
        return _with_version(f"{root}/openai/v1", "preview" if version == "preview" else "")
    root = address.removesuffix("/openai")
    return _with_version(f"{root}/openai/deployments/{quote(deployment, safe='')}", version)


def _version(target: Target) -> str:
    return str(target.options.get("api_version") or "")


def _with_version(address: str, version: str) -> str:
    return f"{address}?api-version={version}" if version else address
