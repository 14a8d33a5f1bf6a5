"""The read-only routes: providers, models, parameters, health."""

from __future__ import annotations

from typing import Any

from headway.server.openapi.examples.base import Example

UNKNOWN: dict[str, Any] = {
    "context_window": None,
    "prices": None,
    "refuses": [],
    "deprecated": None,
}
LOCAL_MODELS = {
    "name": "Local",
    "models": ["smollm2-135m-instruct"],
    "details": {"smollm2-135m-instruct": UNKNOWN},
    "source": "bundled",
}
REASONER = {
    "context_window": 200000,
    "prices": {"input": 2.0, "output": 8.0, "cached": 0.5, "cache_write": None},
    "refuses": ["temperature", "top_p", "frequency_penalty", "presence_penalty"],
    "deprecated": False,
}
_OPENAI_MODELS = {
    "name": "OpenAI",
    "models": ["o3"],
    "details": {"o3": REASONER},
    "source": "bundled",
}

_LOCAL = {
    "name": "Local",
    "kind": "local",
    "has_key": None,
    "key_variable": None,
    "is_configured": False,
}
_OPENAI = {
    "name": "OpenAI",
    "kind": "openai",
    "has_key": True,
    "key_variable": "OPENAI_API_KEY",
    "is_configured": False,
}
PROVIDERS = (
    Example("Names", ["openai", "local"]),
    Example("With details", {"openai": _OPENAI, "local": _LOCAL}),
)
MODELS = (
    Example("All providers", {"openai": _OPENAI_MODELS, "local": LOCAL_MODELS}),
    Example("One provider", LOCAL_MODELS),
)


def _parameter(*values: Any) -> dict[str, Any]:
    names = ("id", "name", "type", "default", "min", "max", "step")
    return dict(zip(names, values, strict=True))


PARAMETERS = (
    Example(
        "Two of them",
        [
            _parameter("temperature", "Temperature", "float", 1, 0, 2, 0.01),
            _parameter("max_tokens", "Maximum tokens", "integer", 2048, 1, None, 1),
        ],
    ),
)
HEALTH = (
    Example(
        "Healthy",
        {
            "status": "healthy",
            "message": "Headway is running.",
            "ledger": {"spool": "ok", "store": "ok", "lost": 0, "held": 0, "unstored_bytes": 0},
        },
    ),
    Example(
        "The database is down",
        {
            "status": "degraded",
            "message": "Headway is running; its log says why records are not stored.",
            "ledger": {
                "spool": "ok",
                "store": "failing",
                "lost": 0,
                "held": 0,
                "unstored_bytes": 48210,
            },
        },
    ),
)
_O3 = {
    "id": "openai/o3",
    "object": "model",
    "created": 0,
    "owned_by": "openai",
    **REASONER,
}
OPENAI_MODEL = (Example("A model", _O3),)
OPENAI_MODELS = (
    Example(
        "As configured",
        {
            "object": "list",
            "data": [
                {
                    "id": "local/smollm2-135m-instruct",
                    "object": "model",
                    "created": 0,
                    "owned_by": "local",
                    **UNKNOWN,
                },
                _O3,
            ],
        },
    ),
)
