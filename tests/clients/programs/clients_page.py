"""The code for frameworks in docs/clients.md, run as it is printed there."""

from __future__ import annotations

import contextlib
import io
import subprocess
from collections.abc import Callable

from cells import HELLO, run_cells
from client import Client, python_command
from documentation import documented_block

PAGES = {
    "LangChain": ("clients", "\n".join([HELLO] * 3)),
    "LlamaIndex": ("clients-llama-index", HELLO),
    "Pydantic AI": ("clients-pydantic-ai", HELLO),
    "Instructor": ("clients", "Bonn"),
    "LiteLLM's SDK": ("clients", HELLO),
    "OpenAI's Agents SDK": ("clients", HELLO),
}
"""Heading -> the environment, and what the code prints."""


def run_block(heading: str) -> Callable[[str], str]:
    def run(model: str) -> str:
        code = documented_block(heading, "python").replace("openai/gpt-5", model)
        environment, _ = PAGES[heading]
        if environment == "clients":
            return run_here(code)
        command = [*python_command("-c", environment), code]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout.strip()

    return run


def run_here(code: str) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {"__name__": "documented"})
    return output.getvalue().strip()


CASES = {heading: (run_block(heading), printed) for heading, (_, printed) in PAGES.items()}
CLIENT = Client(
    "docs/clients.md", "all", tuple(CASES), python_command(__file__), wires=("anthropic",)
)

if __name__ == "__main__":
    run_cells(CASES)
