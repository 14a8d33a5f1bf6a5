"""The kinds of provider, by the facts that the configuration needs of them. Importing the adapters
takes longer than all else that a server does to start, so each is imported when it is first used.

Adding a wire format is a package or module, and an entry in ``WIRE_FORMATS``. Adding a vendor of an
OpenAI-compatible API is a module in ``openai_compatible/vendors``, and nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from headway.providers.openai_compatible import vendors
from headway.providers.sdk_env import Variable, google_base, ollama_host

if TYPE_CHECKING:
    from headway.providers.base import Provider


class ProviderEntry(Struct, frozen=True, dict=True):
    """A kind of provider. The configuration reads it as a ``config.KindInfo``."""

    name: str
    """As the configuration names it."""
    title: str
    """The name that people know it by."""
    base_url: str | None
    """None: the configuration, or a launcher, must give one."""
    key_env: str | None
    """The environment variable that holds the key by convention. None: no key is needed."""
    module: str
    """The module of its adapter, below this package."""
    environ: Mapping[str, Variable] = {}
    """``base_url``, or an option -> the environment variable that the vendor's own SDK or tool
    reads for it, and which counts where the configuration has nothing. Each is official:
    github.com/openai/openai-python, platform.claude.com/docs/en/api/client-sdks,
    googleapis.github.io/python-genai, docs.ollama.com/faq, docs.aws.amazon.com/sdkref/latest/guide/
    feature-ss-endpoints.html, and the clients of the other SDKs."""

    @cached_property
    def provider(self) -> Provider:
        """The adapter, imported on first use."""
        module: Any = import_module(f"headway.providers.{self.module}")
        provider: Provider
        if (vendor := getattr(module, "VENDOR", None)) is not None:
            build: Any = import_module("headway.providers.openai_compatible.provider")
            provider = build.build_provider(self.name, vendor)
        else:
            provider = module.PROVIDER
        return provider

    @property
    def options(self) -> Mapping[str, str]:
        return self.provider.options

    @property
    def secrets(self) -> frozenset[str]:
        return self.provider.secrets


OPENAI = {"base_url": Variable("OPENAI_BASE_URL")}
AZURE = {"base_url": Variable("AZURE_OPENAI_ENDPOINT")}
WIRE_FORMATS = (
    ProviderEntry(
        "openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", "openai.provider", OPENAI
    ),
    ProviderEntry(
        "openai_responses",
        "OpenAI (Responses)",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "openai_responses.provider",
        OPENAI,
    ),
    ProviderEntry(
        "azure_openai",
        "Azure OpenAI",
        None,
        "AZURE_OPENAI_API_KEY",
        "azure.openai",
        {**AZURE, "api_version": Variable("OPENAI_API_VERSION")},
    ),
    ProviderEntry(
        "azure_openai_responses",
        "Azure OpenAI (Responses)",
        None,
        "AZURE_OPENAI_API_KEY",
        "azure.openai_responses",
        AZURE,
    ),
    ProviderEntry(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        "anthropic.provider",
        {"base_url": Variable("ANTHROPIC_BASE_URL")},
    ),
    ProviderEntry(
        "vertex_anthropic",
        "Anthropic on Vertex AI",
        "https://aiplatform.googleapis.com",
        None,
        "vertex.anthropic",
        {
            "base_url": Variable("ANTHROPIC_VERTEX_BASE_URL"),
            "project": Variable("ANTHROPIC_VERTEX_PROJECT_ID"),
            "region": Variable("CLOUD_ML_REGION"),
        },
    ),
    # v1beta has all that v1 has, which is the SDK's choice since its version 3, and what v1 lacks,
    # such as names that end in -latest (ai.google.dev/gemini-api/docs/api-versions, google-genai
    # 3.0.0's notes). A base_url that ends in /v1 is as good.
    ProviderEntry(
        "gemini",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        "GEMINI_API_KEY",
        "gemini.provider",
        {"base_url": Variable("GOOGLE_GEMINI_BASE_URL", google_base)},
    ),
    ProviderEntry(
        "vertex",
        "Google Vertex AI",
        "https://aiplatform.googleapis.com",
        None,
        "vertex.gemini",
        {
            "base_url": Variable("GOOGLE_VERTEX_BASE_URL"),
            "project": Variable("GOOGLE_CLOUD_PROJECT"),
            "region": Variable("GOOGLE_CLOUD_LOCATION"),
        },
    ),
    ProviderEntry(
        "bedrock",
        "Amazon Bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        "AWS_BEARER_TOKEN_BEDROCK",
        "bedrock.provider",
        {"base_url": Variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")},
    ),
    ProviderEntry(
        "bedrock_mantle",
        "Amazon Bedrock (OpenAI-compatible)",
        "https://bedrock-mantle.{region}.api.aws/v1",
        "AWS_BEARER_TOKEN_BEDROCK",
        "bedrock.mantle",
    ),
    ProviderEntry(
        "cohere",
        "Cohere",
        "https://api.cohere.com",
        "CO_API_KEY",
        "cohere.provider",
        {"base_url": Variable("CO_API_URL")},
    ),
    ProviderEntry(
        "ollama",
        "Ollama",
        "http://127.0.0.1:11434",
        None,
        "ollama.provider",
        {"base_url": Variable("OLLAMA_HOST", ollama_host)},
    ),
    ProviderEntry("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral"),
    # openai_compatible/vendors stand here in lists
    ProviderEntry("echo", "Echo", "echo://echo", None, "echo"),
    ProviderEntry("local", "Local", None, None, "local"),
)
ALIASES: Mapping[str, str] = {"azure": "azure_openai", "vertexai": "vertex"}
"""Other names under which clients may address a kind."""
BEFORE_VENDORS = "mistral"
"""Lists of kinds show the vendors after this one."""


@lru_cache(maxsize=1)
def entries() -> Mapping[str, ProviderEntry]:
    """Every kind by its name, in the order in which lists show them."""
    names = [entry.name for entry in WIRE_FORMATS]
    split = names.index(BEFORE_VENDORS) + 1
    ordered = (*WIRE_FORMATS[:split], *_vendor_entries(), *WIRE_FORMATS[split:])
    return {entry.name: entry for entry in ordered}


def _vendor_entries() -> list[ProviderEntry]:
    """An entry for each module in ``openai_compatible/vendors``. The modules are declarations:
    importing all of them builds no adapter."""
    ordered = []
    for info in iter_modules(vendors.__path__):
        module = f"openai_compatible.vendors.{info.name}"
        vendor = import_module(f"headway.providers.{module}").VENDOR
        name = info.name.rstrip("_")
        entry = ProviderEntry(
            name, vendor.title, vendor.base_url, vendor.key_env, module, vendor.environ
        )
        ordered.append((vendor.order, name, entry))
    return [entry for _, _, entry in sorted(ordered, key=lambda each: each[:2])]
