"""Run a coding agent through its task, as docs/agents.md says that it is pointed at a gateway.

    python run_agent.py claude-code

Each cell has a home and a directory of its own. The section's blocks are used as they are printed:
a block of a file is written to the path before it, and the last line of the shell's block starts
the agent, with the arguments that let it work alone. The gateway's address and the model on the
page are replaced by those of the cell.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = Path(os.environ["CLIENT_ROOT"])
URL = os.environ["CLIENT_URL"]
sys.path.append(str(HERE.parent))

from agent_tasks import FILE, PROMPT, SIZE  # noqa: E402

MODULES = HERE / "node_modules"
NODE = HERE.parent / "node" / "node_modules" / ".bin" / "node"
PAGE = (ROOT / "docs" / "agents.md").read_text()
PAGE_URL, PAGE_MODEL = "http://127.0.0.1:8000", "anthropic/claude-sonnet-4-5"
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"(.*?)^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"`([~.\w/-]+)`")
WORD = "beta7"


@dataclass(frozen=True)
class Agent:
    section: str
    """Of the page."""
    program: str
    """A glob in the directory of packages."""
    arguments: str
    """To work without questions on ``{prompt}``."""
    settings: tuple[tuple[str, str], ...] = ()
    """Variables that keep it from looking for updates and the like, which only cost time here."""
    timeout_s: float = 150.0


CODEX_SETTINGS = "-c features.plugins=false -c analytics.enabled=false"
CODEX = (
    "@openai/codex-linux-*/vendor/*/bin/codex",
    f"exec --dangerously-bypass-approvals-and-sandbox --skip-git-repo-check {CODEX_SETTINGS} "
    "{prompt}",
)
OPENCODE = ("opencode-linux-*/bin/opencode", "run {prompt}")
OPENCODE_SETTINGS = tuple(
    (f"OPENCODE_DISABLE_{name}", "1")
    for name in ("AUTOUPDATE", "DEFAULT_PLUGINS", "LSP_DOWNLOAD", "MODELS_FETCH")
)
AGENTS = {
    "claude-code": Agent(
        "Claude Code",
        "@anthropic-ai/claude-code-linux-*/claude",
        "--dangerously-skip-permissions -p {prompt}",
        (("IS_SANDBOX", "1"),),
    ),
    "codex": Agent("Codex", *CODEX),
    "codex-built-in": Agent("Codex, built-in provider", *CODEX),
    "gemini-cli": Agent(
        "Gemini CLI",
        "@google/gemini-cli/bundle/gemini.js",
        "--yolo -p {prompt}",
        (("GEMINI_CLI_TRUST_WORKSPACE", "true"),),
    ),
    "opencode": Agent("opencode", *OPENCODE, OPENCODE_SETTINGS),
    "cline": Agent("Cline", "@cline/cli-linux-*/bin/cline", "--json {prompt}"),
}


def read_blocks(section: str) -> Iterator[tuple[str, str, str]]:
    """Language, text, and the last file name before it."""
    text = dict(SECTION.findall(PAGE))[section]
    for before, language, block in BLOCK.findall(text):
        names = FILE_NAME.findall(before)
        yield language, block, names[-1] if names else ""


def run_cell(agent: Agent, model: str, scratch: Path, **replaced: str) -> dict[str, Any]:
    """What the agent left behind."""
    home, work, programs = (scratch / name for name in ("home", "work", "bin"))
    for directory in (home, work, programs):
        directory.mkdir(parents=True)
    (work / FILE).write_text(f"alpha {WORD}\n")
    write_program(agent, programs)
    script = ""
    for language, block, name in read_blocks(agent.section):
        text = block.replace(PAGE_URL, URL).replace(PAGE_MODEL, model)
        for old, new in replaced.items():
            text = text.replace(old, new)
        if language == "sh":
            script = text.rstrip()
        else:
            path = home / name[2:] if name.startswith("~/") else work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    prompt = shlex.quote(PROMPT.format(directory=work))
    done = subprocess.run(
        ["bash", "-ec", f"{script} {agent.arguments.format(prompt=prompt)}"],
        cwd=work,
        env={
            **os.environ,
            **dict(agent.settings),
            "HOME": str(home),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PWD": str(work),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=agent.timeout_s,
        check=False,
    )
    size = work / SIZE
    found = {
        "exit": done.returncode,
        FILE: (work / FILE).read_text().strip(),
        SIZE: size.read_text().strip() if size.exists() else None,
    }
    return found if found == expected() else {**found, "output": done.stdout[-1500:]}


def write_program(agent: Agent, directory: Path) -> None:
    """The command that the page starts, whatever its package calls it."""
    (program,) = MODULES.glob(agent.program)
    command = dict(SECTION.findall(PAGE))[agent.section]
    (shell,) = re.findall(r"^```sh\n(.*?)^```", command, re.MULTILINE | re.DOTALL)
    name = shell.rstrip().splitlines()[-1].split()[0]
    interpreter = f"{shlex.quote(str(NODE))} " if program.suffix == ".js" else ""
    path = directory / name
    path.write_text(f'#!/bin/sh\nexec {interpreter}{shlex.quote(str(program))} "$@"\n')
    path.chmod(0o755)


def expected() -> dict[str, Any]:
    changed = f"alpha new-{WORD}"
    return {"exit": 0, FILE: changed, SIZE: f"{len(changed) + 1} {FILE}"}


def version(agent: Agent) -> str:
    (program,) = MODULES.glob(agent.program)
    for directory in program.parents:
        described = directory / "package.json"
        if described.exists():
            found = json.loads(described.read_text())
            return f"{found['name']} {found['version']}"
    return agent.section


def main(name: str) -> None:
    agent = AGENTS[name]
    print(json.dumps({"versions": [version(agent)]}), flush=True)
    for number, cell in enumerate(json.loads(os.environ["CLIENT_CELLS"])):
        result = {"case": cell["case"], "wire": cell["wire"]}
        try:
            scratch = Path.home() / str(number)
            replaced = CASES.get(cell["case"], {})
            model = replaced.get("model", cell["model"])
            got = run_cell(agent, model, scratch, **replaced.get("replaced", {}))
            result |= {"expected": expected(), "got": got}
        except Exception as error:
            result["error"] = f"{type(error).__name__}: {error}"
        print(json.dumps(result), flush=True)


PACKAGES = {
    "messages": ("anthropic", "/v1"),
    "v1beta": ("google", "/v1beta"),
    "responses": ("openai", "/v1"),
}
CASES: dict[str, Any] = {
    "apply_patch": {"model": "gpt-5.5"},
    **{
        f"task, {route}": {"replaced": {"openai-compatible": package, "/v1": base}}
        for route, (package, base) in PACKAGES.items()
    },
}
"""Cases that change the page's configuration: another model, another package of opencode."""

if __name__ == "__main__":
    main(sys.argv[1])
