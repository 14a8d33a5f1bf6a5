"""A request that is explained, and its explanation."""

from __future__ import annotations

from typing import Any

from headway.pipeline import explanation
from headway.server.openapi.schemas.base import Shape
from headway.server.openapi.schemas.from_structs import shape_of

Explanation: Any = shape_of(explanation.Explanation)


class ExplainRequest(Shape):
    """A request in any format, with what its headers would be."""

    body: dict[str, Any]
    """The request. One of Gemini's has its `model` here, too."""
    dialect: str | None = None
    """Its format: `chat`, `responses`, `messages`, `gemini`, `ollama`, `completions`, `embeddings`,
    or the full name of one."""
    headers: dict[str, str] | None = None
    """In addition to the headers of the request for the explanation."""
