"""Azure OpenAI, chat completions (learn.microsoft.com/azure/ai-foundry/openai/reference and
.../api-version-lifecycle): OpenAI's wire at other addresses, with another header for the key, and
with what its content filters made of the prompt and of the answer.

The address is that of the resource. Without a dated ``api_version`` it is called by its v1 API,
which takes the deployment as ``model``; with one, by the deployment's own address.

Wire facts, read off recordings: the first chunk of a stream has no choices, an empty id and model
and a time of 0, and what filters made of the prompt; the last may have a ``latency_checkpoint``.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from headway.errors import InvalidField, UpstreamError
from headway.providers.azure.errors import decode_error, judged
from headway.providers.base import Adapted, State
from headway.providers.openai import embeddings as openai_embeddings
from headway.providers.openai import parameters as openai_parameters
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.providers.openai import response as openai_response
from headway.types import (
    NO_RAW,
    ChatRequest,
    EmbeddingsRequest,
    Event,
    ExtraFields,
    Failed,
    Frame,
    HttpRequest,
    Started,
    Target,
)

DATED = re.compile(r"\d{4}-")
"""Versions of the API before v1; its own are ``v1``, ``latest`` and ``preview``."""
MODELS_VERSION = "2024-05-01-preview"
"""Of Azure AI model inference (learn.microsoft.com/rest/api/aifoundry/modelinference), where the
address has its ``/models``."""

CREDENTIALS = {
    "tenant_id": "the Entra ID tenant, where there is no key (AZURE_TENANT_ID)",
    "client_id": "the application's or the managed identity's id (AZURE_CLIENT_ID)",
    "client_secret": "the application's secret (AZURE_CLIENT_SECRET)",
    "client_certificate": "in its place, a PEM file (AZURE_CLIENT_CERTIFICATE_PATH)",
    "client_certificate_password": "its password (AZURE_CLIENT_CERTIFICATE_PASSWORD)",
    "federated_token_file": "in its place, a workload's token (AZURE_FEDERATED_TOKEN_FILE)",
    "authority_host": "who gives tokens; https://login.microsoftonline.com by default",
    "metadata_url": "the machine's metadata server; http://169.254.169.254 by default",
    "scope": "what tokens are for; https://cognitiveservices.azure.com/.default by default",
}
SECRETS = frozenset({"client_secret", "client_certificate_password"})
OPTIONS = {
    "api_version": "a dated one calls deployments by their own address; v1 by default",
    "model_name": "the model behind the deployment, where its name does not say it",
    **CREDENTIALS,
}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    """Raises InvalidField where no address of a resource is known."""
    return openai_request.encode_request(request, placed(target, request.model))


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    return openai_embeddings.encode_embeddings(request, placed(target, request.model))


def placed(target: Target, deployment: str) -> Target:
    """The target as OpenAI's adapters understand it: the base of the address with its query, and
    the key among the headers."""
    base_url = base(target, deployment)
    headers = {**_authorization(target), **target.headers}
    return replace(target, base_url=base_url, api_key=None, headers=headers)


def base(target: Target, deployment: str) -> str:
    """From a bare resource, or from any address further in that people copy from the portal."""
    if not target.base_url:
        raise InvalidField(
            f"{target.provider} needs the address of its resource, as in"
            " https://NAME.openai.azure.com: set AZURE_OPENAI_ENDPOINT in the gateway's environment"
            f" or providers.{target.provider}.base_url in its configuration.",
            param="base_url",
        )
    address, _, query = target.base_url.partition("?")
    address = address.rstrip("/")
    version = str(target.options.get("api_version") or "")
    if not version and query.startswith("api-version="):
        version = query.removeprefix("api-version=")
    if address.endswith("/models"):
        return _versioned(address, version or MODELS_VERSION)
    if "/openai/deployments/" in address:
        for path in ("/chat/completions", "/embeddings"):
            address = address.removesuffix(path)
        return _versioned(address, version)
    if address.endswith("/v1") or not DATED.match(version):
        root = address.removesuffix("/v1").removesuffix("/openai")
        return _versioned(f"{root}/openai/v1", "preview" if version == "preview" else "")
    root = address.removesuffix("/openai")
    return _versioned(f"{root}/openai/deployments/{quote(deployment, safe='')}", version)


def _versioned(address: str, version: str) -> str:
    return f"{address}?api-version={version}" if version else address


def _authorization(target: Target) -> dict[str, str]:
    if target.api_key is not None:
        return {"api-key": target.api_key}
    token = target.credentials.get("access_token")
    return {} if token is None else {"authorization": f"Bearer {token}"}


def adapt(request: ChatRequest) -> Adapted:
    """By OpenAI's rules for the model that the deployment is named after, or that the option
    ``model_name`` says."""
    name = str(request.options.get("model_name") or request.model)
    adapted, changes = openai_parameters.adapt(replace(request, model=name))
    return replace(adapted, model=request.model), changes


# --- Answers --------------------------------------------------------------------------------------


class Choice(Struct):
    index: int = 0
    content_filter_results: Raw = NO_RAW


class Chunk(Struct):
    """What Azure adds to OpenAI's."""

    id: str | None = None
    choices: list[Choice] | None = None
    prompt_filter_results: Raw = NO_RAW

    @property
    def is_opening(self) -> bool:
        """The chunk before the answer, which begins nothing."""
        return not self.choices and not self.id


NOTHING = (b"", b"null", b"{}", b"[]")
FILTERS = b"_filter_results"
_chunk = msgspec.json.Decoder(Chunk).decode
_any = msgspec.json.Decoder().decode


def decode_event(frame: Frame, state: State) -> list[Event]:
    """One ``data:`` line of the stream."""
    extras: list[Event] = state.pop("held", [])
    if FILTERS in frame.data:
        chunk = _chunk(frame.data)
        extras += _filters(chunk, state.setdefault("told", {}))
        if chunk.is_opening:
            state["held"] = extras
            return []
    events = openai_response.decode_event(frame, state.setdefault("own", {}))
    return _checked(_with(events, extras))


def decode_response(body: bytes) -> list[Event]:
    """A whole completion, as the stream that it might have been."""
    events = openai_response.decode_response(body)
    if FILTERS in body:
        events = _with(events, _filters(_chunk(body), {}))
    return _checked(events)


def _filters(chunk: Chunk, told: dict[int, bytes]) -> list[Event]:
    """Chunk after chunk says the same of the answer: it is told when it is new."""
    found: list[Event] = []
    if bytes(chunk.prompt_filter_results) not in NOTHING:
        found.append(ExtraFields({"prompt_filter_results": _any(chunk.prompt_filter_results)}))
    for choice in chunk.choices or ():
        results = bytes(choice.content_filter_results)
        if results not in NOTHING and told.get(choice.index) != results:
            told[choice.index] = results
            found.append(ExtraFields({"content_filter_results": _any(results)}, choice.index))
    return found


def _with(events: list[Event], extras: list[Event]) -> list[Event]:
    """After the start and before what may be the end."""
    at = 1 if events and type(events[0]) is Started else 0
    return [*events[:at], *extras, *events[at:]] if extras else events


def _checked(events: list[Event]) -> list[Event]:
    """An error inside an answer, seen with Azure's eyes."""
    if not events or type(events[-1]) is not Failed:
        return events
    error = events[-1].error
    return [*events[:-1], Failed(judged(error) if isinstance(error, UpstreamError) else error)]


PROVIDER = replace(
    openai.PROVIDER,
    name="azure_openai",
    title="Azure OpenAI",
    base_url=None,
    key_env="AZURE_OPENAI_API_KEY",
    encode_request=encode_request,
    decode_response=decode_response,
    decode_event=decode_event,
    summarize=None,
    read_text=None,
    decode_error=decode_error,
    adapt=adapt,
    encode_embeddings=encode_embeddings,
    decode_embeddings=openai_embeddings.decode_embeddings,
    credentials="entra",
    price_id="azure",
    # Its list is of models, deployed or not (learn.microsoft.com/rest/api/azureopenai/models/list),
    # and what is called are deployments: to list those is the management plane's since 2023, for
    # who knows the subscription (.../rest/api/aiservices/accountmanagement/deployments/list).
    list_models=None,
    options=OPTIONS,
    secrets=SECRETS,
)
