"""Gemini on Vertex AI: the Gemini API's wire at other addresses, with a cloud's credentials
(docs.cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference).

With a key and no project it is called in express mode, which has neither project nor region
(.../docs/start/express-mode/vertex-ai-express-mode-api-reference).
"""

from __future__ import annotations

from functools import lru_cache, partial
from urllib.parse import quote

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.providers.gemini import provider as gemini
from headway.providers.gemini.embeddings import BATCH_METHOD, encode_vertex_body
from headway.providers.gemini.finish_reasons import VERTEX_NUMBERS
from headway.providers.gemini.parameters import VERTEX, adapt
from headway.providers.gemini.request import encode_body
from headway.providers.gemini.response import decode_event, decode_response
from headway.providers.vertex import model_list as vertex_listing
from headway.types import ChatRequest, EmbeddingsRequest, HttpRequest, Target, Url
from headway.wire.url import join

GLOBAL = "https://aiplatform.googleapis.com"
MULTI_REGIONS = ("us", "eu")
"""They have hosts of another form (docs.cloud.google.com/vertex-ai/docs, Regional endpoints)."""
VERSION = "v1"
TOKEN = "ya29."  # noqa: S105 - how access tokens begin; the rest of one is the secret

MODELS = r"gemini|text-(?:multilingual-)?embedding"
"""How the names of those begin that are spoken to here."""

OPTIONS = {
    "project": "the Google Cloud project; by default that of the credentials",
    "region": "where it runs, as us-central1, us, eu or global (the default)",
    "api_version": "v1 (the default) or v1beta1",
    "credentials_file": "a service account's key or gcloud's application_default_credentials.json",
    "token_uri": "where tokens come from, instead of the address in the credentials",
    "metadata_url": "the metadata server, where there is no file: http://metadata.google.internal",
}


def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
    method = gemini.METHODS[request.stream]
    has_call_ids = _option(target, "api_version", VERSION) != "v1"
    body = encode_body(request, has_call_ids=has_call_ids)
    return HttpRequest(place(target, request.model, method), headers(target, request.stream), body)


def encode_embeddings(request: EmbeddingsRequest, target: Target) -> HttpRequest:
    method, body = encode_vertex_body(request)
    return HttpRequest(place(target, request.model, method), headers(target, False), body)


def place(target: Target, model: str, method: str, publisher: str = "google") -> Url:
    """Where a model's method is. Raises InvalidField where a project is needed and none known."""
    project = _option(target, "project", target.credentials.get("project", ""))
    region = _option(target, "region", "global")
    usual = "v1beta1" if method == BATCH_METHOD else VERSION
    version = _option(target, "api_version", usual)
    resource = _resource(model, publisher)
    if not resource.startswith("projects/") and not (target.api_key and not project):
        if not project:
            raise InvalidField(
                f"{target.provider} needs a Google Cloud project: set GOOGLE_CLOUD_PROJECT in the"
                f" gateway's environment or providers.{target.provider}.project in its"
                " configuration.",
                param="project",
            )
        resource = f"projects/{project}/locations/{region}/{resource}"
    path = f"/{version}/{quote(resource, safe=gemini.PATH_SAFE)}:{method}"
    return join(_host(target.base_url, region), path)


def _host(base_url: str, region: str) -> str:
    """A region has a host of its own; an address of the user's is left as it is."""
    if (base_url and base_url != GLOBAL) or region == "global":
        return base_url or GLOBAL
    if region in MULTI_REGIONS:
        return f"https://aiplatform.{region}.rep.googleapis.com"
    return f"https://{region}-aiplatform.googleapis.com"


def _resource(model: str, publisher: str) -> str:
    """A model by its plain name, as publisher/model, as endpoints/id, or by its full name."""
    if model.startswith(("projects/", "publishers/", "endpoints/")):
        return model
    given, _, name = model.removeprefix("models/").rpartition("/")
    return f"publishers/{given or publisher}/models/{name}"


def headers(target: Target, stream: bool) -> gemini.Pairs:
    return _headers(authorization(target), tuple(target.headers.items()), stream)


@lru_cache(maxsize=256)
def _headers(opening: gemini.Pairs, extra: gemini.Pairs, stream: bool) -> gemini.Pairs:
    accept = "text/event-stream" if stream else "application/json"
    return (("content-type", "application/json"), ("accept", accept), *opening, *extra)


def authorization(target: Target) -> gemini.Pairs:
    """What opens the door, and who pays for it."""
    credentials, key = target.credentials, target.api_key
    token = credentials.get("access_token")
    if key is not None and key.startswith(TOKEN):
        token, key = key, None
    if key is not None:
        return (("x-goog-api-key", key),)
    if token is None:
        return ()
    payer = credentials.get("quota_project")
    paid = () if payer is None else (("x-goog-user-project", payer),)
    return (("authorization", f"Bearer {token}"), *paid)


def _place(target: Target) -> str:
    return _host(target.base_url, _option(target, "region", "global"))


def _option(target: Target, name: str, usual: str) -> str:
    return str(target.options.get(name) or usual)


PROVIDER = replace(
    gemini.PROVIDER,
    name="vertex",
    title="Google Vertex AI",
    base_url=GLOBAL,
    key_env=None,
    encode_request=encode_request,
    decode_response=partial(decode_response, VERTEX_NUMBERS),
    decode_event=partial(decode_event, VERTEX_NUMBERS),
    adapt=partial(adapt, VERTEX),
    encode_embeddings=encode_embeddings,
    credentials="google",
    model_pattern=MODELS,
    list_models=vertex_listing.of("google", MODELS, _place, authorization),
    options=OPTIONS,
)
