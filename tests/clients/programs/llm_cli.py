"""The command ``llm``, with the gateway's models in its extra-openai-models.yaml. It runs in this
process: its imports take seconds."""

from __future__ import annotations

import json
from pathlib import Path

from cells import HELLO, PLACE, QUESTION, SUNNY, run_cells
from client import Client, python_command
from documentation import documented_block

TOOL = '''
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"
'''


def llm(model: str, *arguments: str) -> str:
    """Its output; the model is configured in the home directory as docs/clients.md shows it."""
    directory = Path.home() / ".config" / "io.datasette.llm"
    directory.mkdir(parents=True, exist_ok=True)
    configured = documented_block("llm", "yaml").replace("openai/gpt-5", model)
    (directory / "extra-openai-models.yaml").write_text(configured)
    from click.testing import CliRunner
    from llm.cli import cli

    done = CliRunner().invoke(cli, ["-m", "headway", "--key", "unused", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def prompt(model: str) -> str:
    return llm(model, "Hi")


def not_streamed(model: str) -> str:
    return llm(model, "--no-stream", "Hi")


def schema(model: str) -> object:
    return json.loads(llm(model, "--schema", "city, degrees int", "Where?"))


def tools(model: str) -> str:
    return llm(model, "--functions", TOOL, QUESTION)


CASES = {
    "prompt": (prompt, HELLO),
    "not streamed": (not_streamed, HELLO),
    "schema": (schema, PLACE),
    "tools": (tools, SUNNY),
}
CLIENT = Client("llm", "openai chat", tuple(CASES), python_command(__file__))

if __name__ == "__main__":
    run_cells(CASES, "llm", "openai")
