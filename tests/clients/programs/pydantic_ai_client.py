"""Pydantic AI, over its OpenAI chat, OpenAI Responses, Anthropic and Google models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cells import HELLO, PLACE, QUESTION, QUESTIONS, SUNNY, SUNNY_TWICE, URL, run_cells, weather
from client import Client, python_command


def chat_model(name: str) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{URL}/v1", api_key="unused"))


def responses_model(name: str) -> Any:
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    provider = OpenAIProvider(base_url=f"{URL}/v1", api_key="unused")
    return OpenAIResponsesModel(name, provider=provider)


def anthropic_model(name: str) -> Any:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(base_url=URL, api_key="unused", max_retries=0)
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))


def google_model(name: str) -> Any:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(name, provider=GoogleProvider(api_key="unused", base_url=URL))


def cases_of(kind: str, make_model: Callable[[str], Any]) -> dict[str, Any]:
    def agent_of(name: str, **more: Any) -> Any:
        from pydantic_ai import Agent

        return Agent(make_model(name), **more)

    def with_weather(name: str, **more: Any) -> Any:
        agent = agent_of(name, **more)

        @agent.tool_plain
        def get_weather(city: str) -> str:
            """The weather in a city."""
            return weather(city)

        return agent

    async def run(name: str) -> str:
        return (await agent_of(name).run("Hi")).output

    async def stream(name: str) -> str:
        async with agent_of(name).run_stream("Hi") as result:
            return "".join([delta async for delta in result.stream_text(delta=True)])

    async def tool_loop(name: str) -> str:
        return (await with_weather(name).run(QUESTION)).output

    async def streamed_tools(name: str) -> str:
        async with with_weather(name).run_stream(QUESTIONS) as result:
            return await result.get_output()

    async def structured(name: str) -> Any:
        """The output is a tool's arguments, after the tool of the weather was called."""
        from pydantic import BaseModel

        class Place(BaseModel):
            city: str
            degrees: int

        result = await with_weather(name, output_type=Place).run(QUESTION)
        return result.output.model_dump()

    found = {
        "run": (run, HELLO),
        "stream": (stream, HELLO),
        "tool loop": (tool_loop, SUNNY),
        "streamed, parallel": (streamed_tools, SUNNY_TWICE),
        "output": (structured, PLACE),
    }
    return {f"{kind}: {name}": case for name, case in found.items()}


CASES = {
    **cases_of("chat", chat_model),
    **cases_of("responses", responses_model),
    **cases_of("anthropic", anthropic_model),
    **cases_of("google", google_model),
}
CLIENT = Client(
    "Pydantic AI",
    "openai chat, responses, anthropic, gemini",
    tuple(CASES),
    python_command(__file__, "clients-pydantic-ai"),
)

if __name__ == "__main__":
    run_cells(CASES, "pydantic-ai-slim", "openai", "anthropic", "google-genai")
