"""Cohere's SDK, for reranking."""

from __future__ import annotations

from typing import Any

from cells import URL, run_cells
from client import ROOT, Client, Impossible

DOCUMENTS = ["Rome is warm.", "Bonn is on the Rhine."]


def sdk() -> Any:
    from cohere import ClientV2

    return ClientV2(api_key="unused", base_url=URL)


def rerank(model: str) -> list[int]:
    found = sdk().rerank(model=model, query="Which city is on the Rhine?", documents=DOCUMENTS)
    return [result.index for result in found.results]


OTHER_WIRES = (
    *("anthropic", "azure", "bedrock", "bedrock_invoke", "deepseek", "gemini", "mistral"),
    *("ollama", "openai", "openai_responses", "vertex", "vertex_anthropic"),
)
CASES = {"rerank": (rerank, [1, 0])}
CLIENT = Client(
    "Cohere SDK",
    "rerank",
    tuple(CASES),
    (str(ROOT / ".venv" / "bin" / "python"), __file__),
    (Impossible("The provider, or that kind of it, does not rerank.", OTHER_WIRES),),
)

if __name__ == "__main__":
    run_cells(CASES, "cohere")
