"""OpenAI's npm package in Chromium: the programs of Node.js in a page of another origin than the
gateway's, which the gateway's configuration allows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from client import ROOT, Client

NODE = ROOT / "tests" / "clients" / "node"
PORT = 8437
"""Of the page; ``servers.py`` allows its origin."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)
IMPORTS = {
    "/host.mjs": "/host_browser.mjs",
    "openai": "/node_modules/openai/index.mjs",
    "openai/helpers/zod": "/node_modules/openai/helpers/zod.mjs",
    "zod": "/node_modules/zod/index.js",
    "zod/v3": "/node_modules/zod/v3/index.js",
    "zod/v4": "/node_modules/zod/v4/index.js",
}
HTML = """<!doctype html><title>A client</title>
<script type="importmap">{imports}</script>
<script type="module">
const print = (value) => fetch("/print", {{ method: "POST", body: JSON.stringify(value) }});
try {{ await import("/{program}"); }} catch (error) {{ await print({{ failed: String(error) }}); }}
await print({{ done: true }});
</script>
"""


class Site(SimpleHTTPRequestHandler):
    """The page, the modules that it imports, and its results on standard output."""

    def __init__(self, program: str, done: threading.Event, *handled: Any) -> None:
        self.program, self.done = program, done
        super().__init__(*handled, directory=str(NODE))

    def log_message(self, *details: Any) -> None:
        """Nothing: standard output has the results."""

    def do_GET(self) -> None:
        if self.path == "/":
            imports = json.dumps({"imports": IMPORTS})
            self.reply(HTML.format(imports=imports, program=self.program), "text/html")
        elif self.path == "/cells.json":
            package = json.loads((NODE / "node_modules/openai/package.json").read_text())
            found = {
                "url": os.environ["CLIENT_URL"],
                "cells": json.loads(os.environ["CLIENT_CELLS"]),
                "versions": {"openai": f"openai {package['version']} in Chromium"},
            }
            self.reply(json.dumps(found), "application/json")
        else:
            super().do_GET()

    def do_POST(self) -> None:
        line = self.rfile.read(int(self.headers["content-length"])).decode()
        print(line, flush=True)
        self.reply("", "text/plain")
        if "done" in json.loads(line):
            self.done.set()

    def reply(self, text: str, content_type: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("content-type", f"{content_type}; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(program: str, port: int) -> None:
    done = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(Site, program, done)) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        profile = Path.home() / "profile"
        address = f"http://127.0.0.1:{port}/"
        browser = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={profile}", address],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            done.wait(60)
        finally:
            browser.terminate()
            browser.wait(10)
            site.shutdown()


def browser_client(number: int, dialect: str, program: str, *cases: str) -> Client:
    return Client(
        "openai (npm) in a browser",
        dialect,
        cases,
        (sys.executable, __file__, program, str(PORT + number)),
        wires=("openai", "anthropic", "gemini"),
    )


CLIENTS = [
    browser_client(
        0, "openai chat", "openai_chat.mjs", "chat", "stream", "parse", "tools", "error"
    ),
    browser_client(1, "openai responses", "openai_responses.mjs", "response", "stream", "tools"),
]

if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
