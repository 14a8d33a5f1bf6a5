"""Coding agents, each through a task of several turns: it reads a file, changes it, and runs a
command. docs/agents.md says how each is pointed at the gateway, and is what is run."""

from __future__ import annotations

import sys

from client import ROOT, Client

WIRES = ("openai", "openai_responses", "anthropic", "gemini", "bedrock", "ollama")
"""Each format of requests once: an agent takes seconds, and the JavaScript and Python clients of
the same formats cover the rest."""
FEWER = ("openai", "anthropic", "gemini")


def agent(
    title: str,
    dialect: str,
    name: str,
    *cases: str,
    case: str = "task",
    wires: tuple[str, ...] = WIRES,
) -> Client:
    command = (sys.executable, str(ROOT / "tests" / "clients" / "agents" / "run_agent.py"), name)
    return Client(title, dialect, (case, *cases), command, timeout_s=500.0, wires=wires)


CLIENTS = [
    agent("Claude Code", "anthropic", "claude-code"),
    agent("Codex", "openai responses", "codex"),
    agent(
        "Codex, built-in provider",
        "openai responses",
        "codex-built-in",
        wires=FEWER[:2],
    ),
    agent(
        "Codex, a model it knows", "openai responses", "codex", case="apply_patch", wires=FEWER[1:2]
    ),
    agent("Gemini CLI", "gemini", "gemini-cli", wires=FEWER[:2]),
    agent("opencode", "openai chat", "opencode", wires=FEWER[:2]),
    agent(
        "opencode, other packages",
        "each",
        "opencode",
        "task, v1beta",
        "task, responses",
        case="task, messages",
        wires=FEWER[:1],
    ),
    agent("Cline", "openai chat", "cline", wires=FEWER[1:]),
]
