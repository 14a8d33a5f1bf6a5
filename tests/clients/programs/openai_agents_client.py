"""OpenAI's Agents SDK: its chat model and its Responses model, with a tool loop."""

from __future__ import annotations

from typing import Any

from cells import HELLO, PLACE, QUESTION, QUESTIONS, SUNNY, SUNNY_TWICE, URL, run_cells, weather
from client import Client, python_command


def model_of(kind: str, name: str) -> Any:
    from openai import AsyncOpenAI

    from agents import OpenAIChatCompletionsModel, OpenAIResponsesModel

    client = AsyncOpenAI(base_url=f"{URL}/v1", api_key="unused", max_retries=0)
    kinds: Any = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}
    return kinds[kind](model=name, openai_client=client)


def cases_of(kind: str) -> dict[str, Any]:
    def agent_of(name: str, **more: Any) -> Any:
        from agents import Agent, function_tool

        @function_tool
        def get_weather(city: str) -> str:
            """The weather in a city."""
            return weather(city)

        tools = more.pop("tools", [get_weather])
        return Agent(
            "Guide", instructions="Be kind.", model=model_of(kind, name), tools=tools, **more
        )

    async def run(name: str) -> str:
        from agents import Runner

        return (await Runner.run(agent_of(name, tools=[]), "Hi")).final_output

    async def tool_loop(name: str) -> str:
        from agents import Runner

        return (await Runner.run(agent_of(name), QUESTION)).final_output

    async def streamed(name: str) -> str:
        from agents import Runner

        result = Runner.run_streamed(agent_of(name), QUESTIONS)
        kinds = [event.type async for event in result.stream_events()]
        assert "raw_response_event" in kinds, kinds
        return result.final_output

    async def structured(name: str) -> Any:
        from pydantic import BaseModel

        from agents import Runner

        class Place(BaseModel):
            city: str
            degrees: int

        agent = agent_of(name, tools=[], output_type=Place)
        return (await Runner.run(agent, "Where?")).final_output.model_dump()

    found = {
        "run": (run, HELLO),
        "tool loop": (tool_loop, SUNNY),
        "streamed, parallel": (streamed, SUNNY_TWICE),
        "structured": (structured, PLACE),
    }
    return {f"{kind}: {name}": case for name, case in found.items()}


CASES = {**cases_of("chat"), **cases_of("responses")}
CLIENT = Client(
    "OpenAI Agents SDK", "openai chat, responses", tuple(CASES), python_command(__file__)
)

if __name__ == "__main__":
    run_cells(CASES, "openai-agents", "openai")
