"""Clients in JavaScript: the programs in ``node/``, each one package of the npm registry."""

from __future__ import annotations

from client import ROOT, Client, Impossible

NODE = ROOT / "tests" / "clients" / "node"
INTERPRETER = NODE / "node_modules" / ".bin" / "node"
"""A version that all the packages run on, from the registry: distributions have older ones."""
NO_REASONING = Impossible(
    "The provider's chat completions tell no reasoning.", ("openai", "azure"), ("thinking",)
)
TOOLS = ("tools", "tools streamed", "parallel tools")
STREAM = ("stream", "stream helper")


def javascript(title: str, dialect: str, cases: tuple[str, ...], *program: str) -> Client:
    command = (str(INTERPRETER), str(NODE / program[0]), *program[1:])
    return Client(title, dialect, cases, command, (NO_REASONING,))


CLIENTS = [
    javascript(
        "openai (npm)",
        "openai chat",
        ("chat", *STREAM, "parse", *TOOLS, "tool runner", "error"),
        "openai_chat.mjs",
    ),
    javascript(
        "openai (npm)",
        "openai responses",
        ("response", *STREAM, "parse", *TOOLS),
        "openai_responses.mjs",
    ),
    javascript(
        "@anthropic-ai/sdk",
        "anthropic",
        ("message", *STREAM, *TOOLS, "thinking", "count tokens", "error"),
        "anthropic_sdk.mjs",
    ),
    javascript(
        "@google/genai",
        "gemini",
        ("generate", "stream", "chat", "schema", *TOOLS, "count tokens"),
        "google_genai.mjs",
    ),
    javascript(
        "ollama (npm)",
        "ollama",
        ("chat", "stream", "generate", "format", *TOOLS),
        "ollama_js.mjs",
    ),
    *(
        javascript(
            f"ai with {package}",
            dialect,
            ("generate", "stream", "object", *TOOLS),
            "vercel_ai.mjs",
            package,
        )
        for package, dialect in (
            ("@ai-sdk/openai", "openai responses"),
            ("@ai-sdk/openai-compatible", "openai chat"),
            ("@ai-sdk/anthropic", "anthropic"),
            ("@ai-sdk/google", "gemini"),
        )
    ),
    javascript(
        "ai with @ai-sdk/openai, stored",
        "openai responses",
        TOOLS,
        "vercel_ai.mjs",
        "@ai-sdk/openai",
        "stored",
    ),
    javascript(
        "@langchain/openai",
        "openai chat",
        ("invoke", "stream", "structured", "tools", "parallel tools", "responses"),
        "langchain_openai.mjs",
    ),
]
