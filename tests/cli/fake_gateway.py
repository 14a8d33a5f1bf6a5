"""A gateway that plays what a test tells it: the engine's routes on http.server, in a thread.

Answers are the contract's sample unless scripted. Every request is kept, for the test to look at.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

OUTPUT = (
    "Hello! I am a virtual assistant here to help with any questions or tasks you may have. "
    "How can I assist you today?"
)
PIECES = ("Hello! I am a virtual assistant ", "here to help", OUTPUT[44:])
METRICS = {
    "input_tokens": 6,
    "output_tokens": 26,
    "total_tokens": 32,
    "cost_usd": 0.000061,
    "latency_s": 1.0556859970092773,
    "time_to_first_token_s": 0.8302950859069824,
    "inter_token_latency_s": 0.008317514702125831,
    "tokens_per_second": 26.523038175483098,
}
LINE = "6 in · 26 out · $0.000061 · 1.06 s · first token 0.83 s · 8.3 ms/token · 26.5 tok/s"
ID = "72f34d3b-f254-4950-9d6f-9f66e082fd2f"
MODELS = {
    "openai": {"name": "OpenAI", "models": ["gpt-4o", "gpt-4o-mini"]},
    "local": {"name": "Local", "models": ["smollm2-135m-instruct"]},
}
DETAILS = {
    "openai": {
        "name": "OpenAI",
        "kind": "openai",
        "has_key": True,
        "key_variable": "OPENAI_API_KEY",
        "is_configured": False,
    },
    "local": {
        "name": "Local",
        "kind": "local",
        "has_key": None,
        "key_variable": None,
        "is_configured": False,
    },
}


def sample(provider: str, asked: dict[str, Any]) -> str:
    """The contract's sample, byte for byte but for what the request decides. Written out, because
    json.dumps would write the cost as 6.1e-05."""
    said = asked["chat_input"]
    context = [{"role": "user", "content": said}] if isinstance(said, str) else said
    parts = {
        "model": asked["model"],
        "chat_input": context[-1]["content"],
        "context": context,
        "provider": provider,
    }
    dumped = {name: json.dumps(value, ensure_ascii=False) for name, value in parts.items()}
    return (
        f'{{"id": "{ID}", "choices": [{{"finish_reason": "stop", "index": 0, "logprobs": null, '
        f'"message": {{"content": "{OUTPUT}", "role": "assistant", "function_call": null, '
        '"tool_calls": null}}], "created": 1718622757, '
        f'"model": {dumped["model"]}, "object": "chat.completion", "system_fingerprint": null, '
        f'"usage": null, "session_id": null, "chat_input": {dumped["chat_input"]}, '
        f'"chat_output": "{OUTPUT}", "context": {dumped["context"]}, '
        f'"provider": {dumped["provider"]}, "timestamp": 1718622757.612226, '
        '"parameters": {"temperature": 1, "max_tokens": 2048, "top_p": 1, "frequency_penalty": 0, '
        '"presence_penalty": 0}, "metrics": {"input_tokens": 6, "output_tokens": 26, '
        '"total_tokens": 32, "cost_usd": 0.000061, "latency_s": 1.0556859970092773, '
        '"time_to_first_token_s": 0.8302950859069824, '
        '"inter_token_latency_s": 0.008317514702125831, "tokens_per_second": 26.523038175483098}}'
    )


def chunk(text: str | None, **more: Any) -> dict[str, Any]:
    """One object of a stream. ``more`` replaces or adds fields."""
    delta = {} if text is None else {"content": text}
    return {
        "id": ID,
        "object": "chat.completion.chunk",
        "created": 1718622757,
        "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        "session_id": None,
        "provider": "p",
        "timestamp": 1718622757.5,
        "chat_output_stream": text or "",
        "chat_output": None,
        "metrics": None,
        **more,
    }


def last(output: str = OUTPUT, finish: str = "stop", **metrics: Any) -> dict[str, Any]:
    return chunk(
        None,
        chat_output=output,
        choices=[{"index": 0, "delta": {}, "finish_reason": finish}],
        metrics={**METRICS, **metrics},
    )


def error(message: str, **fields: Any) -> dict[str, Any]:
    whole = {"type": "api_error", "provider": None, "param": None, "code": None}
    rest = {"request_id": None, "retry_after_s": None}
    return {"error": {**whole, "message": message, **rest, **fields}}


STREAM = [chunk(None, chat_input="q"), *(chunk(piece) for piece in PIECES), last()]

Step = dict[str, Any] | bytes | Callable[[], object]
"""Of a stream: an object, raw bytes in a chunk of their own, or something to do at this point."""


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    port: int
    """The client's: two requests of one connection share it."""


@dataclass
class FakeGateway:
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    refusal: tuple[int, dict[str, str], bytes] | None = None
    """Status, headers and body to answer every request with."""
    stream: list[Step] = field(default_factory=lambda: list(STREAM))
    ends_well: bool = True
    """False: the connection is cut where the stream's last chunk should be."""
    keeps: bool = True
    """False: connections are closed after each answer without saying so."""
    before_reply: Callable[[], object] = lambda: None
    """Called with each chat call in hand, before anything is answered."""
    models: Any = field(default_factory=lambda: MODELS)
    details: Any = field(default_factory=lambda: DETAILS)
    gone: threading.Event = field(default_factory=threading.Event)
    """Set when a client left in the middle of a stream."""
    seen: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released with every request."""
    answered: threading.Event = field(default_factory=threading.Event)
    """Set when a chat call was answered."""
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released whenever this side has closed a connection."""

    def refuse(self, status: int, body: dict[str, Any] | bytes, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.refusal = (status, named, raw)

    @property
    def asked(self) -> dict[str, Any]:
        """The body of the last request."""
        body = self.requests[-1].body
        assert body is not None
        return body


@contextmanager
def running(port: int = 0) -> Iterator[FakeGateway]:
    gateway = FakeGateway()
    server = _Server(("127.0.0.1", port), type("Bound", (_Handler,), {"play": gateway}))
    server.play = gateway
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    play: FakeGateway

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.play.closed.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are what some tests are about; all else is a test's usage_error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    play: FakeGateway

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._note(None)
        path, _, query = self.path.partition("?")
        details = "details=1" in query.split("&")
        found: Any = {
            "/health": {"status": "healthy", "message": "ok"},
            "/api/engine/providers": self.play.details if details else list(MODELS),
            "/api/engine/models": self.play.models,
        }[path]
        if provider := dict(parse_qsl(query)).get("provider"):
            found = found[provider]
        self._answer(json.dumps(found).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._note(asked)
        self.play.before_reply()
        if asked["is_stream"] and self.play.refusal is None:
            self._stream()
        else:
            self._answer(sample(self.path.rpartition("/")[2], asked).encode())
        self.play.answered.set()

    def _note(self, body: dict[str, Any] | None) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        port = self.client_address[1]
        self.play.requests.append(Request(self.command, self.path, headers, body, port))
        self.play.seen.release()

    def _answer(self, body: bytes) -> None:
        status, headers, body = self.play.refusal or (200, {}, body)
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = not self.play.keeps

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/x-ndjson")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for step in self.play.stream:
                self._step(step)
            if self.play.ends_well:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.play.gone.set()
            self.close_connection = True
        if not self.play.ends_well:
            self.close_connection = True

    def _step(self, step: Step) -> None:
        if callable(step):
            step()
            return
        data = step if isinstance(step, bytes) else json.dumps(step).encode() + b"\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()


if __name__ == "__main__":  # stands in for `headway serve`; also to look at things by hand
    with running() as one:
        if "slow" in sys.argv:
            one.before_reply = threading.Event().wait
        sys.stderr.write(f"starting\nHeadway listening on {one.url}\n")
        threading.Event().wait()
