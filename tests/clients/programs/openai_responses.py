"""OpenAI's SDK: the Responses API."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cells import (
    HELLO,
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
from client import NO_REASONING, Client, python_command

TOOLS: Any = [{"type": "function", **WEATHER, "strict": True, "parameters": STRICT_CITY}]


@lru_cache
def sdk() -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0)


def create(model: str) -> str:
    return sdk().responses.create(model=model, input="Hi").output_text


async def async_create(model: str) -> str:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0) as client:
        return (await client.responses.create(model=model, input="Hi")).output_text


def stream(model: str) -> str:
    """The events of the wire, without the SDK's helper."""
    events = list(sdk().responses.create(model=model, input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed", events[-1]
    assert events[-1].response.output_text == HELLO
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    return "".join(deltas)


def stream_helper(model: str) -> str:
    with sdk().responses.stream(model=model, input="Hi") as events:
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == HELLO, deltas
        return events.get_final_response().output_text


def parse(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        degrees: int

    response = sdk().responses.parse(model=model, input="Where?", text_format=Place)
    return response.output_parsed.model_dump()


def run_tools(model: str, question: str, ask: Any) -> str:
    """Stateless, as coding agents do it: every turn sends all items again."""
    items: Any = [{"role": "user", "content": question}]
    asked = {"model": model, "tools": TOOLS, "store": False}
    for _ in range(3):
        response = ask(**asked, input=items, include=["reasoning.encrypted_content"])
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        items += [item.to_dict() for item in response.output]
        for call in calls:
            output = weather(**json.loads(call.arguments))
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )
    raise AssertionError("no end of calls")


def ask_whole(**asked: Any) -> Any:
    return sdk().responses.create(**asked)


def ask_streamed(**asked: Any) -> Any:
    with sdk().responses.stream(**asked) as events:
        return events.get_final_response()


def tools(model: str) -> str:
    return run_tools(model, QUESTION, ask_whole)


def parallel_tools(model: str) -> str:
    return run_tools(model, QUESTIONS, ask_streamed)


def reasoning_tools(model: str) -> str:
    def ask(**asked: Any) -> Any:
        return ask_streamed(**asked, reasoning={"effort": "high", "summary": "auto"})

    return run_tools(model, QUESTION, ask)


def reasoning(model: str) -> str:
    asked: Any = {"model": model, "input": "Hi", "reasoning": {"effort": "high", "summary": "auto"}}
    response = sdk().responses.create(**asked)
    items = [item for item in response.output if item.type == "reasoning"]
    texts = [each.text for item in items for each in item.summary or item.content]
    return "".join(texts)


CASES = {
    "create": (create, HELLO),
    "async create": (async_create, HELLO),
    "stream": (stream, HELLO),
    "stream helper": (stream_helper, HELLO),
    "parse": (parse, PLACE),
    "tools": (tools, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
    "reasoning": (reasoning, REASONING),
    "reasoning tools": (reasoning_tools, SUNNY),
}
CLIENT = Client(
    "OpenAI SDK",
    "openai responses",
    tuple(CASES),
    python_command(__file__),
    (NO_REASONING,),
)

if __name__ == "__main__":
    run_cells(CASES, "openai")
