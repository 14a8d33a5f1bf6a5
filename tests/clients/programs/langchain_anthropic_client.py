"""langchain-anthropic."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import URL, run_cells
from client import Client, python_command
from langchain_cases import langchain_cases


@lru_cache
def chat_model(name: str) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(
        model_name=name, base_url=URL, api_key="unused", max_retries=0, max_tokens=8000
    )


CASES = langchain_cases(chat_model)
CLIENT = Client("langchain-anthropic", "anthropic", tuple(CASES), python_command(__file__))

if __name__ == "__main__":
    run_cells(CASES, "langchain-anthropic", "langchain", "anthropic")
