"""Anthropic's SDK."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import (
    CITY,
    HELLO,
    HI,
    PLACE,
    QUESTION,
    QUESTIONS,
    REASONING,
    SUNNY,
    SUNNY_TWICE,
    URL,
    WEATHER,
    run_cells,
    weather,
)
from client import NO_REASONING, Client, python_command

TOOLS: Any = [{**WEATHER, "input_schema": CITY}]
THINKING: Any = {"type": "enabled", "budget_tokens": 2000}


@lru_cache
def sdk() -> Any:
    from anthropic import Anthropic

    return Anthropic(base_url=URL, api_key="unused", max_retries=0)


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def create(model: str) -> str:
    return text_of(sdk().messages.create(model=model, max_tokens=8000, messages=HI))


async def async_create(model: str) -> str:
    from anthropic import AsyncAnthropic

    async with AsyncAnthropic(base_url=URL, api_key="unused", max_retries=0) as client:
        return text_of(await client.messages.create(model=model, max_tokens=8000, messages=HI))


def stream(model: str) -> str:
    with sdk().messages.stream(model=model, max_tokens=8000, messages=HI) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == text_of(final)
    assert final.usage.output_tokens == 7, final.usage
    return text


def parse(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        degrees: int

    message = sdk().messages.parse(model=model, max_tokens=8000, messages=HI, output_format=Place)
    return message.parsed_output.model_dump()


def run_tools(model: str, question: str, **more: Any) -> str:
    messages: Any = [{"role": "user", "content": question}]
    asked = {"model": model, "max_tokens": 8000, "tools": TOOLS, **more}
    for _ in range(3):
        with sdk().messages.stream(**asked, messages=messages) as events:
            message = events.get_final_message()
        uses = [block for block in message.content if block.type == "tool_use"]
        if not uses:
            return text_of(message)
        said = [block.to_dict() for block in message.content]
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": weather(**use.input)}
            for use in uses
        ]
        messages.append({"role": "assistant", "content": said})
        messages.append({"role": "user", "content": results})
    raise AssertionError("no end of calls")


def tools(model: str) -> str:
    return run_tools(model, QUESTION)


def parallel_tools(model: str) -> str:
    return run_tools(model, QUESTIONS)


def thinking_tools(model: str) -> str:
    return run_tools(model, QUESTION, thinking=THINKING)


def tool_runner(model: str) -> str:
    """The SDK's own loop of an agent."""
    from anthropic import beta_tool

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: Its name.
        """
        return weather(city)

    asked: Any = {"messages": [{"role": "user", "content": QUESTION}], "tools": [get_weather]}
    runner = sdk().beta.messages.tool_runner(model=model, max_tokens=8000, **asked)
    return text_of(runner.until_done())


def thinking(model: str) -> str:
    asked: Any = {"model": model, "max_tokens": 8000, "messages": HI, "thinking": THINKING}
    with sdk().messages.stream(**asked) as events:
        message = events.get_final_message()
    blocks = [block for block in message.content if block.type == "thinking"]
    assert all(block.signature for block in blocks), blocks
    return "".join(block.thinking for block in blocks)


def count_tokens(model: str) -> bool:
    return sdk().messages.count_tokens(model=model, messages=HI).input_tokens > 0


CASES = {
    "create": (create, HELLO),
    "async create": (async_create, HELLO),
    "stream": (stream, HELLO),
    "parse": (parse, PLACE),
    "tools": (tools, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
    "tool runner": (tool_runner, SUNNY),
    "reasoning": (thinking, REASONING),
    "thinking tools": (thinking_tools, SUNNY),
    "count_tokens": (count_tokens, True),
}
CLIENT = Client(
    "Anthropic SDK",
    "anthropic",
    tuple(CASES),
    python_command(__file__),
    (NO_REASONING,),
)

if __name__ == "__main__":
    run_cells(CASES, "anthropic")
