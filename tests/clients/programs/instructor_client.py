"""Instructor, over OpenAI's and Anthropic's SDK."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import PLACE, URL, run_cells
from client import Client, python_command

HI: Any = [{"role": "user", "content": "Where?"}]


@lru_cache
def openai_client(mode: str) -> Any:
    import instructor
    from openai import OpenAI

    sdk = OpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0)
    return instructor.from_openai(sdk, mode=instructor.Mode[mode])


@lru_cache
def anthropic_client() -> Any:
    import instructor
    from anthropic import Anthropic

    return instructor.from_anthropic(Anthropic(base_url=URL, api_key="unused", max_retries=0))


def extract(client: Any, model: str, **more: Any) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        """A place."""

        city: str
        degrees: int

    asked = {"model": model, "messages": HI, "response_model": Place, "max_retries": 0, **more}
    return client.chat.completions.create(**asked).model_dump()


def tools(model: str) -> Any:
    return extract(openai_client("TOOLS"), model)


def json_schema(model: str) -> Any:
    return extract(openai_client("JSON_SCHEMA"), model)


def json_object(model: str) -> Any:
    return extract(openai_client("JSON"), model)


def anthropic_tools(model: str) -> Any:
    return extract(anthropic_client(), model, max_tokens=8000)


def partial(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        """A place."""

        city: str
        degrees: int

    pieces = openai_client("TOOLS").chat.completions.create_partial(
        model=model, messages=HI, response_model=Place, max_retries=0
    )
    return list(pieces)[-1].model_dump()


CASES = {
    "tools": (tools, PLACE),
    "json schema": (json_schema, PLACE),
    "json object": (json_object, PLACE),
    "partial": (partial, PLACE),
    "anthropic tools": (anthropic_tools, PLACE),
}
CLIENT = Client("Instructor", "openai chat, anthropic", tuple(CASES), python_command(__file__))

if __name__ == "__main__":
    run_cells(CASES, "instructor", "openai", "anthropic")
