"""The kinds with an adapter of their own, by the facts that the configuration needs of each.
Importing this module imports no adapter.

Adding a wire format is a package or module with an adapter, and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypedDict

from msgspec import Struct

from headway.providers.sdk_env import Variable, google_base, ollama_host

if TYPE_CHECKING:
    from headway.providers.base import Provider


class Facts(TypedDict):
    """The fields of a ``Provider`` that the configuration needs, too."""

    name: str
    title: str
    base_url: str | None
    key_env: str | None
    credentials: str | None


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
    environ: Mapping[str, Variable] = {}
    """``base_url``, or an option -> the environment variable that the vendor's own SDK or tool
    reads for it, and which counts where the configuration has nothing. Each is official:
    github.com/openai/openai-python, platform.claude.com/docs/en/api/client-sdks,
    googleapis.github.io/python-genai, docs.ollama.com/faq, docs.aws.amazon.com/sdkref/latest/guide/
    feature-ss-endpoints.html, and the clients of the other SDKs."""
    module: str = ""
    """The module of its adapter, below this package. ``<name>.provider`` by default."""
    credentials: str | None = None
    """As in ``base.Provider``."""

    @property
    def facts(self) -> Facts:
        """Keyword arguments for the adapter's ``Provider``: they are stated here only."""
        return Facts(
            name=self.name,
            title=self.title,
            base_url=self.base_url,
            key_env=self.key_env,
            credentials=self.credentials,
        )

    @property
    def module_name(self) -> str:
        return f"headway.providers.{self.module or f'{self.name}.provider'}"

    @cached_property
    def provider(self) -> Provider:
        """The adapter, imported on first use."""
        module: Any = import_module(self.module_name)
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


OPENAI_ENV = {"base_url": Variable("OPENAI_BASE_URL")}
OPENAI_URL, OPENAI_KEY = "https://api.openai.com/v1", "OPENAI_API_KEY"
AZURE_ENV = {"base_url": Variable("AZURE_OPENAI_ENDPOINT")}
AZURE_KEY = "AZURE_OPENAI_API_KEY"
VERTEX_URL = "https://aiplatform.googleapis.com"
BEDROCK_KEY = "AWS_BEARER_TOKEN_BEDROCK"

OPENAI = ProviderEntry("openai", "OpenAI", OPENAI_URL, OPENAI_KEY, OPENAI_ENV)
OPENAI_RESPONSES = ProviderEntry(
    "openai_responses", "OpenAI (Responses)", OPENAI_URL, OPENAI_KEY, OPENAI_ENV
)
AZURE_OPENAI = ProviderEntry(
    "azure_openai",
    "Azure OpenAI",
    None,
    AZURE_KEY,
    {**AZURE_ENV, "api_version": Variable("OPENAI_API_VERSION")},
    "azure.openai",
    "entra",
)
AZURE_OPENAI_RESPONSES = ProviderEntry(
    "azure_openai_responses",
    "Azure OpenAI (Responses)",
    None,
    AZURE_KEY,
    AZURE_ENV,
    "azure.openai_responses",
    "entra",
)
ANTHROPIC = ProviderEntry(
    "anthropic",
    "Anthropic",
    "https://api.anthropic.com",
    "ANTHROPIC_API_KEY",
    {"base_url": Variable("ANTHROPIC_BASE_URL")},
)
VERTEX_ANTHROPIC = ProviderEntry(
    "vertex_anthropic",
    "Anthropic on Vertex AI",
    VERTEX_URL,
    None,
    {
        "base_url": Variable("ANTHROPIC_VERTEX_BASE_URL"),
        "project": Variable("ANTHROPIC_VERTEX_PROJECT_ID"),
        "region": Variable("CLOUD_ML_REGION"),
    },
    "vertex.anthropic",
    "google",
)
# v1beta has all that v1 has, which is the SDK's choice since its version 3, and what v1 lacks,
# such as names that end in -latest (ai.google.dev/gemini-api/docs/api-versions, google-genai
# 3.0.0's notes). A base_url that ends in /v1 is as good.
GEMINI = ProviderEntry(
    "gemini",
    "Google Gemini",
    "https://generativelanguage.googleapis.com/v1beta",
    "GEMINI_API_KEY",
    {"base_url": Variable("GOOGLE_GEMINI_BASE_URL", google_base)},
)
VERTEX = ProviderEntry(
    "vertex",
    "Google Vertex AI",
    VERTEX_URL,
    None,
    {
        "base_url": Variable("GOOGLE_VERTEX_BASE_URL"),
        "project": Variable("GOOGLE_CLOUD_PROJECT"),
        "region": Variable("GOOGLE_CLOUD_LOCATION"),
    },
    "vertex.gemini",
    "google",
)
BEDROCK = ProviderEntry(
    "bedrock",
    "Amazon Bedrock",
    "https://bedrock-runtime.{region}.amazonaws.com",
    BEDROCK_KEY,
    {"base_url": Variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")},
    credentials="aws",
)
BEDROCK_MANTLE = ProviderEntry(
    "bedrock_mantle",
    "Amazon Bedrock (OpenAI-compatible)",
    "https://bedrock-mantle.{region}.api.aws/v1",
    BEDROCK_KEY,
    module="bedrock.mantle",
    credentials="aws",
)
COHERE_ENV = {"base_url": Variable("CO_API_URL")}
COHERE = ProviderEntry("cohere", "Cohere", "https://api.cohere.com", "CO_API_KEY", COHERE_ENV)
OLLAMA_ENV = {"base_url": Variable("OLLAMA_HOST", ollama_host)}
OLLAMA = ProviderEntry("ollama", "Ollama", "http://127.0.0.1:11434", None, OLLAMA_ENV)
MISTRAL = ProviderEntry(
    "mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", module="mistral"
)
ECHO = ProviderEntry("echo", "Echo", "echo://echo", None, module="echo")
LOCAL = ProviderEntry("local", "Local", None, None, module="local")

WIRE_FORMATS = tuple(each for each in globals().values() if isinstance(each, ProviderEntry))
"""The entries above, in their order, which is that of lists of kinds."""
