"""llama-index with OpenAILike, and version 2 of OpenAI's SDK."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cells import HELLO, PLACE, QUESTION, QUESTIONS, SUNNY, SUNNY_TWICE, URL, run_cells, weather
from client import Client, python_command


@lru_cache
def model_of(name: str) -> Any:
    from llama_index.llms.openai_like import OpenAILike

    return OpenAILike(
        model=name,
        api_base=f"{URL}/v1",
        api_key="unused",
        is_chat_model=True,
        is_function_calling_model=True,
        should_use_structured_outputs=True,
        context_window=128000,
        max_retries=0,
    )


def get_weather(city: str) -> str:
    """The weather in a city."""
    return weather(city)


def chat(name: str) -> str:
    from llama_index.core.llms import ChatMessage

    return model_of(name).chat([ChatMessage(role="user", content="Hi")]).message.content


def complete(name: str) -> str:
    return model_of(name).complete("Hi").text


def stream(name: str) -> str:
    from llama_index.core.llms import ChatMessage

    chunks = model_of(name).stream_chat([ChatMessage(role="user", content="Hi")])
    return "".join(chunk.delta or "" for chunk in chunks)


def structured(name: str) -> Any:
    from llama_index.core.prompts import PromptTemplate
    from pydantic import BaseModel

    class Place(BaseModel):
        """A place."""

        city: str
        degrees: int

    return model_of(name).structured_predict(Place, PromptTemplate("Where?")).model_dump()


async def run_agent(name: str, question: str) -> str:
    from llama_index.core.agent.workflow import FunctionAgent

    agent = FunctionAgent(tools=[get_weather], llm=model_of(name), system_prompt="Be kind.")
    return str(await agent.run(question))


def agent(name: str) -> Any:
    return run_agent(name, QUESTION)


def parallel_tools(name: str) -> Any:
    return run_agent(name, QUESTIONS)


CASES = {
    "chat": (chat, HELLO),
    "complete": (complete, HELLO),
    "stream": (stream, HELLO),
    "structured": (structured, PLACE),
    "agent": (agent, SUNNY),
    "parallel tools": (parallel_tools, SUNNY_TWICE),
}
CLIENT = Client(
    "llama-index", "openai chat", tuple(CASES), python_command(__file__, "clients-llama-index")
)

if __name__ == "__main__":
    run_cells(CASES, "llama-index-core", "llama-index-llms-openai-like", "openai")
