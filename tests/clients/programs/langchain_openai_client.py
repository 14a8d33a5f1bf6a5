"""langchain-openai: chat completions and Responses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import URL, run_cells
from client import Client, python_command
from langchain_cases import langchain_cases


@lru_cache
def chat_model(name: str, uses_responses: bool = False) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(
        model=name,
        base_url=f"{URL}/v1",
        api_key="unused",
        max_retries=0,
        stream_usage=True,
        use_responses_api=uses_responses,
    )


def responses_model(name: str) -> Any:
    return chat_model(name, uses_responses=True)


RESPONSES = langchain_cases(responses_model)
CASES = {
    **langchain_cases(chat_model),
    **{f"responses {name}": case for name, case in RESPONSES.items() if name != "async chat"},
}
CLIENT = Client(
    "langchain-openai", "openai chat, responses", tuple(CASES), python_command(__file__)
)

if __name__ == "__main__":
    run_cells(CASES, "langchain-openai", "langchain", "openai")
