"""Every kind of provider, by the few facts that the configuration needs: cheap to import, where the
adapters are not. Adding a kind is a file, or a row of the compatible ones, and a line here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from headway.providers.sdk_env import (
    Variable,
    below,
    google_base,
    host_name,
    ollama_host,
)

if TYPE_CHECKING:
    from headway.providers.base import Provider


class Kind(NamedTuple):
    """A ``config.KindInfo``."""

    name: str
    title: str
    base_url: str | None
    key_env: str | None
    module: str = "openai_compatible.provider"
    """Where its adapter is, among the modules of this package."""
    environ: Mapping[str, Variable] = MappingProxyType({})
    """``base_url``, or an option, to the variable that the vendor's own SDK or tool reads for it
    where nothing is given; each is official. What they are for is in the vendors' documentation:
    github.com/openai/openai-python, platform.claude.com/docs/en/api/client-sdks,
    googleapis.github.io/python-genai, docs.ollama.com/faq, docs.databricks.com/dev-tools/auth/
    env-vars, developers.cloudflare.com/workers/wrangler/system-environment-variables,
    docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html, and the other SDKs' own
    clients."""

    @property
    def provider(self) -> Provider:
        """Its adapter, imported at the first call."""
        module: Any = import_module(f"headway.providers.{self.module}")
        found = getattr(module, "PROVIDERS", None) or (module.PROVIDER,)
        provider: Provider = next(each for each in found if each.name == self.name)
        return provider

    @property
    def options(self) -> Mapping[str, str]:
        return self.provider.options

    @property
    def secrets(self) -> frozenset[str]:
        return self.provider.secrets


OPENAI = {"base_url": Variable("OPENAI_BASE_URL")}
AZURE = {"base_url": Variable("AZURE_OPENAI_ENDPOINT")}
TABLE = (
    Kind(
        "openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", "openai.provider", OPENAI
    ),
    Kind(
        "openai_responses",
        "OpenAI (Responses)",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "openai_responses.provider",
        OPENAI,
    ),
    Kind(
        "azure_openai",
        "Azure OpenAI",
        None,
        "AZURE_OPENAI_API_KEY",
        "azure.openai",
        {**AZURE, "api_version": Variable("OPENAI_API_VERSION")},
    ),
    Kind(
        "azure_openai_responses",
        "Azure OpenAI (Responses)",
        None,
        "AZURE_OPENAI_API_KEY",
        "azure.openai_responses",
        AZURE,
    ),
    Kind(
        "anthropic",
        "Anthropic",
        "https://api.anthropic.com",
        "ANTHROPIC_API_KEY",
        "anthropic.provider",
        {"base_url": Variable("ANTHROPIC_BASE_URL")},
    ),
    Kind(
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
    Kind(
        "gemini",
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        "GEMINI_API_KEY",
        "gemini.provider",
        {"base_url": Variable("GOOGLE_GEMINI_BASE_URL", google_base)},
    ),
    Kind(
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
    Kind(
        "bedrock",
        "Amazon Bedrock",
        "https://bedrock-runtime.{region}.amazonaws.com",
        "AWS_BEARER_TOKEN_BEDROCK",
        "bedrock.provider",
        {"base_url": Variable("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")},
    ),
    Kind(
        "bedrock_mantle",
        "Amazon Bedrock (OpenAI-compatible)",
        "https://bedrock-mantle.{region}.api.aws/v1",
        "AWS_BEARER_TOKEN_BEDROCK",
        "bedrock.mantle",
    ),
    Kind(
        "cohere",
        "Cohere",
        "https://api.cohere.com",
        "CO_API_KEY",
        "cohere.provider",
        {"base_url": Variable("CO_API_URL")},
    ),
    Kind(
        "ollama",
        "Ollama",
        "http://127.0.0.1:11434",
        None,
        "ollama.provider",
        {"base_url": Variable("OLLAMA_HOST", ollama_host)},
    ),
    Kind("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral"),
    Kind(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        environ={"base_url": Variable("GROQ_BASE_URL", below("/openai/v1"))},
    ),
    Kind("deepseek", "DeepSeek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    Kind("xai", "xAI", "https://api.x.ai/v1", "XAI_API_KEY"),
    Kind("openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Kind(
        "together",
        "Together AI",
        "https://api.together.ai/v1",
        "TOGETHER_API_KEY",
        environ={"base_url": Variable("TOGETHER_BASE_URL")},
    ),
    Kind("fireworks", "Fireworks AI", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    Kind("perplexity", "Perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY"),
    Kind(
        "cerebras",
        "Cerebras",
        "https://api.cerebras.ai/v1",
        "CEREBRAS_API_KEY",
        environ={"base_url": Variable("CEREBRAS_BASE_URL", below("/v1"))},
    ),
    Kind("moonshot", "Moonshot AI", "https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
    Kind("zai", "Z.ai", "https://api.z.ai/api/paas/v4", "ZAI_API_KEY"),
    Kind(
        "dashscope",
        "Alibaba Cloud Model Studio (Qwen)",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "DASHSCOPE_API_KEY",
    ),
    Kind("minimax", "MiniMax", "https://api.minimax.io/v1", "MINIMAX_API_KEY"),
    Kind("sambanova", "SambaNova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    Kind("deepinfra", "DeepInfra", "https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
    Kind("nvidia_nim", "NVIDIA NIM", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    Kind("huggingface", "Hugging Face", "https://router.huggingface.co/v1", "HF_TOKEN"),
    Kind(
        "github_models",
        "GitHub Models (shut down on 2026-07-30)",
        "https://models.github.ai/inference",
        "GITHUB_TOKEN",
    ),
    Kind(
        "nebius", "Nebius Token Factory", "https://api.tokenfactory.nebius.com/v1", "NEBIUS_API_KEY"
    ),
    Kind("novita", "Novita AI", "https://api.novita.ai/openai/v1", "NOVITA_API_KEY"),
    Kind("hyperbolic", "Hyperbolic", "https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
    Kind("baseten", "Baseten", "https://inference.baseten.co/v1", "BASETEN_API_KEY"),
    Kind(
        "lambda",
        "Lambda (inference shut down on 2025-09-25)",
        "https://api.lambda.ai/v1",
        "LAMBDA_API_KEY",
    ),
    Kind(
        "databricks",
        "Databricks",
        None,
        "DATABRICKS_TOKEN",
        environ={"workspace": Variable("DATABRICKS_HOST", host_name)},
    ),
    Kind(
        "cloudflare",
        "Cloudflare Workers AI",
        None,
        "CLOUDFLARE_API_TOKEN",
        environ={"account_id": Variable("CLOUDFLARE_ACCOUNT_ID")},
    ),
    Kind("vercel", "Vercel AI Gateway", "https://ai-gateway.vercel.sh/v1", "AI_GATEWAY_API_KEY"),
    Kind("siliconflow", "SiliconFlow", "https://api.siliconflow.com/v1", "SILICONFLOW_API_KEY"),
    Kind("ai21", "AI21", "https://api.ai21.com/studio/v1", "AI21_API_KEY"),
    Kind("venice", "Venice", "https://api.venice.ai/api/v1", "VENICE_API_KEY"),
    Kind("llamacpp", "llama.cpp", "http://127.0.0.1:8080/v1", None),
    Kind("vllm", "vLLM", "http://127.0.0.1:8000/v1", None),
    Kind("lmstudio", "LM Studio", "http://127.0.0.1:1234/v1", None),
    Kind("llamafile", "llamafile", "http://127.0.0.1:8080/v1", None),
    Kind("tgi", "Text Generation Inference", "http://127.0.0.1:8080/v1", None),
    Kind("sglang", "SGLang", "http://127.0.0.1:30000/v1", None),
    Kind("echo", "Echo", "echo://echo", None, "echo"),
    Kind("local", "Local", None, None, "local"),
)
ALIASES: Mapping[str, str] = {"azure": "azure_openai", "vertexai": "vertex"}
"""Names that clients use for a kind beside its own."""
