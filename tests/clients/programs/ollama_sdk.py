"""Ollama's SDK."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import (
    HELLO,
    HI,
    PLACE,
    QUESTION,
    QUESTIONS,
    REASONING,
    SUNNY,
    SUNNY_TWICE,
    URL,
    run_cells,
    weather,
)
from client import NO_REASONING, Client, python_command


@lru_cache
def sdk() -> Any:
    from ollama import Client as Ollama

    return Ollama(host=URL)


def chat(model: str) -> str:
    return sdk().chat(model, messages=HI).message.content


async def async_chat(model: str) -> str:
    from ollama import AsyncClient

    return (await AsyncClient(host=URL).chat(model, messages=HI)).message.content


def stream(model: str) -> str:
    lines = list(sdk().chat(model, messages=HI, stream=True))
    assert lines[-1].done
    assert lines[-1].eval_count == 7, lines[-1]
    return "".join(line.message.content or "" for line in lines)


def generate(model: str) -> str:
    return sdk().generate(model, prompt="Hi").response


def structured(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        degrees: int

    reply = sdk().chat(model, messages=HI, format=Place.model_json_schema())
    return Place.model_validate_json(reply.message.content).model_dump()


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: Its name.
    """
    return weather(city)


def run_tools(model: str, question: str, is_stream: bool) -> str:
    messages: Any = [{"role": "user", "content": question}]
    for _ in range(3):
        asked = {"messages": messages, "tools": [get_weather]}
        lines = (
            list(sdk().chat(model, stream=True, **asked))
            if is_stream
            else [sdk().chat(model, **asked)]
        )
        text = "".join(line.message.content or "" for line in lines)
        calls = [call for line in lines for call in line.message.tool_calls or ()]
        if not calls:
            return text
        messages.append({"role": "assistant", "content": text, "tool_calls": calls})
        for call in calls:
            result = get_weather(**call.function.arguments)
            messages.append({"role": "tool", "content": result, "tool_name": call.function.name})
    raise AssertionError("no end of calls")


def tools(model: str) -> str:
    return run_tools(model, QUESTION, is_stream=False)


def parallel_tools(model: str) -> str:
    return run_tools(model, QUESTIONS, is_stream=True)


def reasoning(model: str) -> str:
    return sdk().chat(model, messages=HI, think=True).message.thinking


CASES = {
    "chat": (chat, HELLO),
    "async chat": (async_chat, HELLO),
    "stream": (stream, HELLO),
    "generate": (generate, HELLO),
    "structured": (structured, PLACE),
    "tools": (tools, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
    "reasoning": (reasoning, REASONING),
}
CLIENT = Client(
    "Ollama SDK",
    "ollama",
    tuple(CASES),
    python_command(__file__),
    (NO_REASONING,),
)

if __name__ == "__main__":
    run_cells(CASES, "ollama")
