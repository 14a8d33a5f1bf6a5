"""LiteLLM's SDK as a client of the gateway, over its OpenAI and Anthropic providers."""

from __future__ import annotations

import json
from typing import Any

from cells import (
    CITY,
    HELLO,
    HI,
    PLACE,
    QUESTION,
    QUESTIONS,
    SUNNY,
    SUNNY_TWICE,
    URL,
    WEATHER,
    run_cells,
    weather,
)
from client import Client, python_command

TOOLS: Any = [{"type": "function", "function": {**WEATHER, "parameters": CITY}}]
BASES = {"openai": f"{URL}/v1", "anthropic": URL}


def complete(provider: str, model: str, **asked: Any) -> Any:
    import litellm

    return litellm.completion(
        model=f"{provider}/{model}",
        api_base=BASES[provider],
        api_key="unused",
        max_tokens=8000,
        max_retries=0,
        **asked,
    )


def cases_of(provider: str) -> dict[str, Any]:
    def chat(model: str) -> str:
        return complete(provider, model, messages=HI).choices[0].message.content

    def stream(model: str) -> str:
        chunks = list(complete(provider, model, messages=HI, stream=True))
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

    async def async_chat(model: str) -> str:
        import litellm

        reply = await litellm.acompletion(
            model=f"{provider}/{model}", api_base=BASES[provider], api_key="unused", messages=HI
        )
        return reply.choices[0].message.content

    def structured(model: str) -> Any:
        from pydantic import BaseModel

        class Place(BaseModel):
            city: str
            degrees: int

        reply = complete(provider, model, messages=HI, response_format=Place)
        return Place.model_validate_json(reply.choices[0].message.content).model_dump()

    def run_tools(model: str, question: str, is_stream: bool) -> str:
        import litellm

        messages: Any = [{"role": "user", "content": question}]
        for _ in range(3):
            reply = complete(provider, model, messages=messages, tools=TOOLS, stream=is_stream)
            if is_stream:
                reply = litellm.stream_chunk_builder(list(reply), messages=messages)
            message = reply.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message.model_dump())
            for call in message.tool_calls:
                result = weather(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        raise AssertionError("no end of calls")

    def tools(model: str) -> str:
        return run_tools(model, QUESTION, is_stream=False)

    def parallel_tools(model: str) -> str:
        return run_tools(model, QUESTIONS, is_stream=True)

    found = {
        "chat": (chat, HELLO),
        "async chat": (async_chat, HELLO),
        "stream": (stream, HELLO),
        "structured": (structured, PLACE),
        "tools": (tools, SUNNY),
        "parallel tools": (parallel_tools, SUNNY_TWICE),
    }
    return {f"{provider}: {name}": case for name, case in found.items()}


CASES = {**cases_of("openai"), **cases_of("anthropic")}
CLIENT = Client("LiteLLM SDK", "openai chat, anthropic", tuple(CASES), python_command(__file__))

if __name__ == "__main__":
    run_cells(CASES, "litellm", "openai")
