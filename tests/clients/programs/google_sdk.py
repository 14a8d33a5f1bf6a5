"""Google's SDK (google-genai)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import (
    CITY,
    HELLO,
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

DECLARATION = {**WEATHER, "parameters_json_schema": CITY}


@lru_cache
def sdk() -> Any:
    from google import genai

    return genai.Client(api_key="unused", http_options={"base_url": URL})


def generate(model: str) -> str:
    return sdk().models.generate_content(model=model, contents="Hi").text


async def async_generate(model: str) -> str:
    from google import genai

    client = genai.Client(api_key="unused", http_options={"base_url": URL})
    return (await client.aio.models.generate_content(model=model, contents="Hi")).text


def stream(model: str) -> str:
    chunks = list(sdk().models.generate_content_stream(model=model, contents="Hi"))
    assert chunks[-1].candidates[0].finish_reason == "STOP", chunks[-1]
    return "".join(chunk.text or "" for chunk in chunks)


def structured(model: str) -> Any:
    from pydantic import BaseModel

    class Place(BaseModel):
        city: str
        degrees: int

    config: Any = {"response_mime_type": "application/json", "response_schema": Place}
    return (
        sdk().models.generate_content(model=model, contents="Hi", config=config).parsed.model_dump()
    )


def run_tools(model: str, question: str, is_stream: bool) -> str:
    from google.genai import types

    config: Any = {"tools": [{"function_declarations": [DECLARATION]}]}
    contents: Any = [types.Content(role="user", parts=[types.Part(text=question)])]
    for _ in range(3):
        asked = {"model": model, "contents": contents, "config": config}
        if is_stream:
            chunks = list(sdk().models.generate_content_stream(**asked))
        else:
            chunks = [sdk().models.generate_content(**asked)]
        found = [chunk.candidates[0].content for chunk in chunks]
        parts = [part for content in found if content for part in content.parts or ()]
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            return "".join(part.text or "" for part in parts)
        contents.append(types.Content(role="model", parts=parts))
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": weather(**call.args)}
                )
            )
            for call in calls
        ]
        contents.append(types.Content(role="user", parts=results))
    raise AssertionError("no end of calls")


def tools(model: str) -> str:
    return run_tools(model, QUESTION, is_stream=False)


def parallel_tools(model: str) -> str:
    return run_tools(model, QUESTIONS, is_stream=True)


def automatic_calls(model: str) -> str:
    """The SDK's own loop of an agent."""

    def get_weather(city: str) -> str:
        """The weather in a city."""
        return weather(city)

    chat = sdk().chats.create(model=model, config={"tools": [get_weather]})
    return chat.send_message(QUESTION).text


def reasoning(model: str) -> str:
    config: Any = {"thinking_config": {"include_thoughts": True, "thinking_budget": 2000}}
    response = sdk().models.generate_content(model=model, contents="Hi", config=config)
    parts = response.candidates[0].content.parts
    return "".join(part.text or "" for part in parts if part.thought)


def count_tokens(model: str) -> bool:
    return sdk().models.count_tokens(model=model, contents="Hi").total_tokens > 0


CASES = {
    "generate": (generate, HELLO),
    "async generate": (async_generate, HELLO),
    "stream": (stream, HELLO),
    "structured": (structured, PLACE),
    "tools": (tools, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
    "automatic calls": (automatic_calls, SUNNY),
    "reasoning": (reasoning, REASONING),
    "count_tokens": (count_tokens, True),
}
CLIENT = Client(
    "Google SDK",
    "gemini",
    tuple(CASES),
    python_command(__file__),
    (NO_REASONING,),
)

if __name__ == "__main__":
    run_cells(CASES, "google-genai")
