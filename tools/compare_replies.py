"""Replay the same requests through two checkouts of the gateway and compare what comes out.

    python tools/compare_replies.py BASE [THIS]

BASE and THIS (default: this checkout) are checkouts in which `make test` or `make run` has set up
`.venv`. A loopback server plays recorded provider responses (CONTRIBUTING.md says where recordings
are looked for); each gateway is configured with one provider for each of them and gets the same
requests: engine route and OpenAI routes, whole and streamed, then the routes beside them and a
table of bad requests. Compared are status, headers and body of every reply, the request that the
provider received, and the record on disk; ids, times and transformations aside.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]
sys.path.append(str(HERE / "tests"))  # for `support`

from support.ports import free_port  # noqa: E402

CONTEXT = 150
"""Characters shown before and after the first difference."""
KEY = "sk-replayed-0123456789"
SKIPPED_APIS = frozenset(("models", "count_tokens", "count-tokens", "tokenize", "countTokens"))
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
THINKING = {"type": "enabled", "budget_tokens": 1200}
SPOKEN = {"voice": "alloy", "format": "wav"}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "schema": {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}},
    },
}
PIXEL = "data:image/png;base64,iVBORw0KGgo="
CALLED = [
    {"role": "system", "content": "Be brief.", "name": "boss"},
    {"role": "user", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "Rain."},
    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PIXEL}}]},
]
HELLO = "Hello! Who are you?"
VARIANTS: tuple[tuple[Any, dict[str, Any] | None], ...] = (
    (HELLO, None),
    (HELLO, {}),
    (
        HELLO,
        {"temperature": 1.4, "max_tokens": 5, "stop": ["a", "b"], "seed": 7, "n": 2, "user": "u"},
    ),
    (CALLED, {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False}),
    (CALLED, {"tools": [TOOL], "tool_choice": NAMED}),
    (HELLO, {"response_format": SCHEMA, "max_completion_tokens": 900}),
    (HELLO, {"response_format": {"type": "json_object"}, "top_k": 3, "top_p": 0.5}),
    (HELLO, {"reasoning_effort": "high", "max_tokens": 4000, "logprobs": True, "top_logprobs": 2}),
    (HELLO, {"reasoning": {"max_tokens": 1500}, "logit_bias": {"5": -1}, "presence_penalty": 0.5}),
    (CALLED, {"functions": [TOOL["function"]], "function_call": "auto", "frequency_penalty": 0.25}),
    (HELLO, {"thinking": THINKING, "metadata": {"a": "b"}, "zzz": 1}),
    (HELLO, {"modalities": ["text", "audio"], "audio": SPOKEN, "store": True}),
    (HELLO, {"temperature": None, "web_search_options": {}, "service_tier": "flex"}),
)
GETS = (
    "/health",
    "/api/engine/providers",
    "/api/engine/models",
    "/api/engine/models?provider=nothere",
    "/api/engine/parameters",
    "/v1/models",
    "/openapi.json",
    "/docs",
    "/nothing",
)
ENGINE, CHAT, EMBED = "/api/engine/chat/echo", "/v1/chat/completions", "/v1/embeddings"
BAD: tuple[tuple[str, str, bytes], ...] = (
    ("POST", ENGINE, b""),
    ("POST", ENGINE, b"{"),
    ("POST", ENGINE, b"[]"),
    ("POST", ENGINE, b"{}"),
    ("POST", ENGINE, b'{"model": 1, "chat_input": "a"}'),
    ("POST", ENGINE, b'{"model": "m"}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": 5}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": []}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": "a", "parameters": 3}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": "a", "parameters": {"temperature": 9}}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": "a", "is_stream": "yes"}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": "a", "retries": -1}'),
    ("POST", ENGINE, b'{"model": "m", "chat_input": "a", "base_url": "ftp://x"}'),
    ("POST", "/api/engine/chat/nothere", b'{"model": "m", "chat_input": "a"}'),
    ("POST", "/api/engine/chat/openai", b'{"model": "m", "chat_input": "a"}'),
    ("GET", ENGINE, b""),
    ("PUT", CHAT, b"{}"),
    ("POST", CHAT, b"{}"),
    ("POST", CHAT, b'{"model": "m", "messages": []}'),
    ("POST", CHAT, b'{"model": "nothere/m", "messages": [{"role": "user", "content": "a"}]}'),
    ("POST", CHAT, b'{"model": "echo/m", "messages": "a"}'),
    ("POST", EMBED, b'{"model": "echo/m"}'),
    ("POST", EMBED, b'{"model": "anthropic/m", "input": "a"}'),
    ("POST", "/health", b""),
)
NORMAL: tuple[tuple[str, str], ...] = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
    (r'("(?:created|timestamp|started|response_bytes)": ?)[0-9.e+-]+', r"\g<1>0"),
    (r'("(?:[a-z0-9_]*_s|tokens_per_second)": ?)[0-9.e+-]+', r"\g<1>0"),
    (r"(x-headway-(?:latency|overhead|ttft)-ms: |server-timing: ).*", r"\g<1>0"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (
        r"(AWS4-HMAC-SHA256 Credential=[^/]*/)\S* SignedHeaders=(\S*), Signature=\w+",
        r"\g<1>… \g<2>",
    ),
    (r"\d{8}T\d{6}Z", "TIME"),
)
TRANSFORMATIONS: tuple[tuple[str, str], ...] = (
    (r'("transformations": ?)\[(?:[^\[\]"]|"(?:[^"\\]|\\.)*")*\]', r"\g<1>[]"),
    (r"x-headway-transformations: .*\n", ""),
)
QUIET_HEADERS = frozenset(
    ("date", "server", "content-length", "transfer-encoding", "last-modified", "etag")
)


def normalize(text: str, exact: bool = False) -> str:
    for pattern, replacement in NORMAL if exact else NORMAL + TRANSFORMATIONS:
        text = re.sub(pattern, replacement, text)
    return text


class RecordedProvider(ThreadingHTTPServer):
    """Answers ``/<index>/...`` with the recording of that index and keeps the request."""

    daemon_threads = True

    def __init__(self, recordings: list[dict[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), RecordedHandler)
        self.recordings = recordings
        self.received: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class RecordedHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: RecordedProvider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        head = sorted(f"{name.lower()}: {value}" for name, value in self.headers.items())
        shown = body.decode("utf-8", "replace")
        self.server.received.append("\n".join((f"{self.command} {self.path}", *head, shown)))
        answer = self.server.recordings[int(self.path.split("/")[1])]["response"]
        text, encoded = answer["body_text"], answer["body_base64"]
        data = text.encode() if text is not None else base64.b64decode(encoded or "")
        self.send_response(answer["status"])
        for name, value in answer["headers"].items():
            if name.lower() in ("content-type", "x-request-id", "request-id", "retry-after"):
                self.send_header(name, str(value))
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST  # noqa: N815  the name that BaseHTTPRequestHandler looks for

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def read_recordings() -> list[dict[str, Any]]:
    folder = Path(os.environ.get("HEADWAY_CASSETTES") or HERE.parent / "shared" / "cassettes")
    found = [json.loads(path.read_bytes()) for path in sorted(folder.glob("*/*.json"))]
    return [each for each in found if each["api"] not in SKIPPED_APIS]


KINDS = {
    "openai": {"responses": "openai_responses"},
    "azure_openai": {"responses": "azure_openai_responses"},
}
OPTIONS: dict[str, dict[str, str]] = {
    "vertex": {"project": "p", "region": "us-central1"},
    "vertex_anthropic": {"project": "p", "region": "us-east5"},
    "azure_openai": {"api_version": "2024-10-21"},
}


def configuration(recordings: list[dict[str, Any]], upstream: int, folder: Path) -> str:
    providers: dict[str, Any] = {}
    for index, each in enumerate(recordings):
        kind = KINDS.get(each["provider"], {}).get(each["api"], each["provider"])
        base = f"http://127.0.0.1:{upstream}/{index}"
        providers[f"r{index}"] = {
            "kind": kind,
            "base_url": base,
            "api_key": KEY,
            **OPTIONS.get(kind, {}),
        }
    ledger = {"url": f"sqlite:///{folder}/headway.db"}
    return json.dumps({"providers": providers, "ledger": ledger})


@contextlib.contextmanager
def gateway(checkout: Path, config: str, folder: Path) -> Iterator[int]:
    path, port = folder / "headway.yaml", free_port()
    path.write_text(config, encoding="utf-8")
    command = [checkout / ".venv/bin/headway", "serve", "--config", path, "--port", str(port)]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  a fixed command line
            command, cwd=folder, env=environ, stdout=log, stderr=log
        )
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def call(port: int, method: str, path: str, body: bytes | None, accept: str = "*/*") -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"content-type": "application/json", "accept": accept})
    reply = connection.getresponse()
    lines = [
        f"{name.lower()}: {value}"
        for name, value in reply.getheaders()
        if name.lower() not in QUIET_HEADERS
    ]
    data = reply.read().decode("utf-8", "replace")
    connection.close()
    return "\n".join((str(reply.status), *lines, data))


def requests_of(index: int, recording: dict[str, Any], number: int) -> Iterator[tuple[str, ...]]:
    """(method, path, body, accept) of the calls that play one recording."""
    model = recording.get("model") or "m"
    if "embed" in recording["api"]:
        body = json.dumps({"model": f"r{index}/{model}", "input": ["one", "two"]})
        yield "POST", EMBED, body, "*/*"
        return
    said, parameters = VARIANTS[number % len(VARIANTS)]
    messages = [{"role": "user", "content": said}] if isinstance(said, str) else said
    engine = {"model": model, "chat_input": said, "parameters": parameters}
    path = f"/api/engine/chat/r{index}"
    if recording["stream"] or recording["response"]["status"] != 200:
        yield "POST", path, json.dumps(engine), "*/*"
        yield "POST", path, json.dumps({**engine, "is_stream": True}), "*/*"
        yield "POST", path, json.dumps({**engine, "is_stream": True}), "text/event-stream"
    chat = {"model": f"r{index}/{model}", "messages": messages, **(parameters or {})}
    if recording["stream"]:
        yield "POST", CHAT, json.dumps({**chat, "stream": True}), "*/*"
        usage = {"stream": True, "stream_options": {"include_usage": True}}
        yield "POST", CHAT, json.dumps({**chat, **usage}), "*/*"
    else:
        yield "POST", CHAT, json.dumps(chat), "*/*"
        yield "POST", path, json.dumps(engine), "*/*"


def play(checkout: Path, recordings: list[dict[str, Any]], rounds: int) -> dict[str, list[str]]:
    """What each request came to: the reply, and the requests that the provider received."""
    upstream = RecordedProvider(recordings)
    outcomes: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = configuration(recordings, upstream.server_address[1], folder)
        with gateway(checkout, config, folder) as port:
            for path in (*GETS, *(f"/api/engine/parameters?provider={k}" for k in kinds(port))):
                outcomes[f"GET {path}"] = [call(port, "GET", path, None)]
            for method, path, data in BAD:
                outcomes[f"{method} {path} {data!r}"] = [call(port, method, path, data)]
            for turn in range(rounds):
                for index, recording in enumerate(recordings):
                    for method, path, body, accept in requests_of(index, recording, index + turn):
                        upstream.received.clear()
                        reply = call(port, method, path, body.encode(), accept)
                        title = f"{turn} {recording['source']} {method} {path} {accept} {body}"
                        outcomes[title] = [reply, *upstream.received]
        spools = sorted(folder.rglob("*.jsonl"))
        lines = [line for spool in spools for line in spool.read_text().splitlines()]
        for number, line in enumerate(lines):
            outcomes[f"record {number}"] = [
                json.dumps(json.loads(line), sort_keys=True, ensure_ascii=False)
            ]
    upstream.shutdown()
    return outcomes


def kinds(port: int) -> list[str]:
    body = call(port, "GET", "/api/engine/providers", None).rpartition("\n")[2]
    return [name for name in json.loads(body) if not re.fullmatch(r"r\d+", name)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("base", type=Path)
    parser.add_argument("this", type=Path, nargs="?", default=HERE)
    parser.add_argument("--rounds", type=int, default=1, help="variants of each request")
    parser.add_argument("--exact", action="store_true", help="compare transformations too")
    parser.add_argument("--show", type=int, default=20, help="differences to print")
    given = parser.parse_args()
    recordings = read_recordings()
    sides = [play(path.resolve(), recordings, given.rounds) for path in (given.base, given.this)]
    differing = []
    for title in sides[0].keys() | sides[1].keys():
        texts = [
            [normalize(text, given.exact) for text in side.get(title, ["absent"])] for side in sides
        ]
        if texts[0] != texts[1]:
            differing.append((title, *texts))
    for difference in sorted(differing)[: given.show]:
        show(*difference)
    total = f"{len(sides[0])} outcomes of {len(recordings)} recordings: {len(differing)} differ"
    sys.stdout.write(f"{total}\n")
    return bool(differing)


def show(title: str, base: list[str], this: list[str]) -> None:
    lines = [f"--- {title[:300]}"]
    for old, new in zip(base, this, strict=False):
        if old != new:
            pairs = enumerate(zip(old, new, strict=False))
            first = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
            around = slice(max(0, first - CONTEXT), first + CONTEXT)
            lines += [f"  base: …{old[around]!r}", f"  this: …{new[around]!r}"]
    if len(base) != len(this):
        lines.append(f"  requests to the provider: base {len(base) - 1}, this {len(this) - 1}")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
