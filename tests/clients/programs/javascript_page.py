"""The blocks in JavaScript of docs/clients.md, as they are printed there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

from client import ROOT, Client

NODE = ROOT / "tests" / "clients" / "node"
PAGE = (ROOT / "docs" / "clients.md").read_text()
PACKAGE = re.compile(r'^import .* from "(.*?)";$', re.MULTILINE)
BLOCKS = {
    PACKAGE.findall(block)[0]: block
    for block in re.findall(r"^```js\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
}
"""By the first package that a block imports."""
CLIENT = Client(
    "JavaScript of docs/clients.md",
    "each",
    tuple(BLOCKS),
    (sys.executable, __file__),
    wires=("openai", "anthropic"),
)


def run(block: str, model: str) -> str:
    """What it prints. A program on the command line finds its packages from the directory."""
    code = block.replace("http://127.0.0.1:8000", os.environ["CLIENT_URL"])
    done = subprocess.run(
        [
            NODE / "node_modules" / ".bin" / "node",
            "--input-type=module",
            "--eval",
            code.replace("echo/echo", model),
        ],
        cwd=NODE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    for cell in json.loads(os.environ["CLIENT_CELLS"]):
        got = run(BLOCKS[cell["case"]], cell["model"])
        result = {"case": cell["case"], "wire": cell["wire"]}
        print(json.dumps({**result, "expected": "Hello there", "got": got}), flush=True)
