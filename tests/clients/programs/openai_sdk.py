"""OpenAI's SDK: chat completions, synchronous and asynchronous."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cells import (
    HELLO,
    HI,
    PLACE,
    QUESTION,
    QUESTIONS,
    REASONING,
    STRICT_CITY,
    SUNNY,
    SUNNY_TWICE,
    URL,
    WEATHER,
    run_cells,
    weather,
)
from client import NO_REASONING, Client, Impossible, python_command

TOOLS: Any = [
    {"type": "function", "function": {**WEATHER, "parameters": STRICT_CITY, "strict": True}}
]


@lru_cache
def sdk() -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0)


def async_sdk() -> Any:
    from openai import AsyncOpenAI

    return AsyncOpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0)


def chat(model: str) -> str:
    return sdk().chat.completions.create(model=model, messages=HI).choices[0].message.content


async def async_chat(model: str) -> str:
    async with async_sdk() as client:
        completion = await client.chat.completions.create(model=model, messages=HI)
        return completion.choices[0].message.content


def stream(model: str) -> str:
    options = {"include_usage": True}
    chunks = list(
        sdk().chat.completions.create(model=model, messages=HI, stream=True, stream_options=options)
    )
    assert chunks[-1].usage.completion_tokens == 7, chunks[-1]
    choices = [choice for chunk in chunks for choice in chunk.choices]
    return "".join(choice.delta.content or "" for choice in choices)


async def async_stream(model: str) -> str:
    async with async_sdk() as client:
        chunks = await client.chat.completions.create(model=model, messages=HI, stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])


def stream_helper(model: str) -> str:
    with sdk().chat.completions.stream(model=model, messages=HI) as events:
        names = [event.type for event in events]
        assert "content.done" in names, names
        return events.get_final_completion().choices[0].message.content


def parse(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        degrees: int

    completion = sdk().chat.completions.parse(model=model, messages=HI, response_format=Place)
    return completion.choices[0].message.parsed.model_dump()


def run_tools(model: str, question: str, ask: Any) -> str:
    messages: Any = [{"role": "user", "content": question}]
    for _ in range(3):
        message = ask(model=model, messages=messages, tools=TOOLS)
        if not message.tool_calls:
            return message.content
        messages.append(message.to_dict())
        for call in message.tool_calls:
            result = weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    raise AssertionError("no end of calls")


def ask_whole(**asked: Any) -> Any:
    return sdk().chat.completions.create(**asked).choices[0].message


def ask_streamed(**asked: Any) -> Any:
    with sdk().chat.completions.stream(**asked) as events:
        return events.get_final_completion().choices[0].message


def tools(model: str) -> str:
    return run_tools(model, QUESTION, ask_whole)


def tools_streamed(model: str) -> str:
    return run_tools(model, QUESTION, ask_streamed)


def parallel_tools(model: str) -> str:
    return run_tools(model, QUESTIONS, ask_streamed)


def reasoning(model: str) -> str:
    asked = {"model": model, "messages": HI, "reasoning_effort": "high"}
    message = sdk().chat.completions.create(**asked).choices[0].message
    chunks = sdk().chat.completions.create(**asked, stream=True)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    streamed = "".join(getattr(each.delta, "reasoning_content", "") or "" for each in choices)
    assert streamed == message.reasoning_content, streamed
    return streamed


def models(model: str) -> bool:
    """The provider's own list."""
    return sdk().models.retrieve(model, extra_query={"live": "true"}).id == model


CASES = {
    "chat": (chat, HELLO),
    "async chat": (async_chat, HELLO),
    "stream": (stream, HELLO),
    "async stream": (async_stream, HELLO),
    "stream helper": (stream_helper, HELLO),
    "parse": (parse, PLACE),
    "tools": (tools, SUNNY),
    "tools streamed": (tools_streamed, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
    "reasoning": (reasoning, REASONING),
    "models": (models, True),
}
NO_LIST = Impossible("Azure OpenAI lists no deployments.", ("azure",), ("models",))
CLIENT = Client(
    "OpenAI SDK", "openai chat", tuple(CASES), python_command(__file__), (NO_REASONING, NO_LIST)
)

if __name__ == "__main__":
    run_cells(CASES, "openai")
