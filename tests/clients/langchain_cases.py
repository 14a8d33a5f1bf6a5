"""The cases of every chat model of LangChain: they differ in how the model is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cells import HELLO, PLACE, QUESTION, QUESTIONS, SUNNY, SUNNY_TWICE, Case, weather

MakeModel = Callable[[str], Any]


def tool_of_weather() -> Any:
    from langchain_core.tools import tool

    @tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return weather(city)

    return get_weather


def text_of(message: Any) -> str:
    """Of content that is a text, or blocks."""
    return str(message.text() if callable(message.text) else message.text)


def langchain_cases(make_model: MakeModel) -> dict[str, Case]:
    """Chat, stream, bound tools, structured output and an agent, for ``make_model(name)``."""

    def chat(name: str) -> str:
        return text_of(make_model(name).invoke("Hi"))

    async def async_chat(name: str) -> str:
        return text_of(await make_model(name).ainvoke("Hi"))

    def stream(name: str) -> str:
        chunks = list(make_model(name).stream("Hi"))
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        assert whole.usage_metadata["output_tokens"] == 7, whole.usage_metadata
        return text_of(whole)

    def run_tools(name: str, question: str, is_stream: bool) -> str:
        from langchain_core.messages import HumanMessage, ToolMessage

        tool = tool_of_weather()
        bound = make_model(name).bind_tools([tool])
        messages: list[Any] = [HumanMessage(question)]
        for _ in range(3):
            chunks = list(bound.stream(messages)) if is_stream else [bound.invoke(messages)]
            message = chunks[0]
            for chunk in chunks[1:]:
                message += chunk
            if not message.tool_calls:
                return text_of(message)
            messages.append(message)
            for call in message.tool_calls:
                result = tool.invoke(call["args"])
                messages.append(ToolMessage(result, tool_call_id=call["id"], name=call["name"]))
        raise AssertionError("no end of calls")

    def bind_tools(name: str) -> str:
        return run_tools(name, QUESTION, is_stream=False)

    def parallel_tools(name: str) -> str:
        return run_tools(name, QUESTIONS, is_stream=True)

    def structured(name: str) -> Any:
        from pydantic import BaseModel

        class Place(BaseModel):
            """A place."""

            city: str
            degrees: int

        return make_model(name).with_structured_output(Place).invoke("Where?").model_dump()

    def agent(name: str) -> str:
        from langchain.agents import create_agent

        made = create_agent(make_model(name), tools=[tool_of_weather()], system_prompt="Be kind.")
        state = made.invoke({"messages": [{"role": "user", "content": QUESTION}]})
        return text_of(state["messages"][-1])

    return {
        "chat": (chat, HELLO),
        "async chat": (async_chat, HELLO),
        "stream": (stream, HELLO),
        "bind_tools": (bind_tools, SUNNY),
        "parallel tools": (parallel_tools, SUNNY_TWICE),
        "structured": (structured, PLACE),
        "agent": (agent, SUNNY),
    }
