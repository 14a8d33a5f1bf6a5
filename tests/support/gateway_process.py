"""A real ``headway serve`` process, with all its output.

``Gateway.start`` writes a headway.yaml, starts the server on a free port, returns when it listens.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import yaml

from headway.ledger.store import Filter
from headway.ledger.stores import new_store
from headway.providers import FACTS
from headway.record import Record, decode_entry, encode
from support import processes
from support.raw_client import Client, Reply, Stream
from support.waiting import PATIENCE_S

SERVER_KEY = "sk-planted-server-Q7vXw2LmT9"
BODY_KEY = "sk-planted-body-K3nRz8PdY5"
ENV_KEY = "sk-planted-env-H6cJb1FsU4"
GATE_KEY = "hw-planted-gate-W9aGe5VtN2"
PLANTED = (SERVER_KEY, BODY_KEY, ENV_KEY, GATE_KEY)
"""Keys that the server gets and must send to the provider only."""

SERVER_MODES = ("direct", "asgi")
"""``direct`` is ``headway serve`` as it is; ``asgi`` serves every request through ASGI."""
USE_ASGI = """
from functools import partial
from headway.server import routes, serve
serve.serve = partial(serve.serve, find_route=routes.find_none)
"""
RUN = """
from headway.cli import main
main()
"""
HELLO = "Hello! Who are you?"
STOP_S = 20.0
"""A server that has nothing to wait for ends in time; one that waits for the end of the grace
period, of 30 s unless it is configured, does not."""
LISTENING = re.compile(r"Headway listening on (http://[\w.\-\[\]:]+)")


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without keys and settings of providers."""
    kept = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    kept = {k: v for k, v in kept.items() if not k.startswith(("HEADWAY_", "OPENAI_"))}
    for variable in (each for kind in FACTS.values() for each in kind.environ.values()):
        kept.pop(variable.name, None)
    return {**kept, "PYTHONUNBUFFERED": "1", **extra}


@lru_cache(20_000)  # a shared server's records are read by each test
def decode_line(line: bytes) -> dict[str, Any]:
    """An entry of the spool as an object, with the fields of a record that are left out there."""
    entry = decode_entry(line)
    found: dict[str, Any] = json.loads(
        msgspec.json.encode(entry) if isinstance(entry, Record) else line
    )
    return found


@dataclass
class Gateway:
    directory: Path
    process: subprocess.Popen[str]
    output: list[str] = field(default_factory=list)
    """Every line of stdout and stderr."""
    seen: list[bytes] = field(default_factory=list)
    """Every byte that its clients received."""
    base_url: str = ""
    readers: list[threading.Thread] = field(default_factory=list)
    _old_lines: int = 0
    _old_records: set[str] = field(default_factory=set)

    @classmethod
    def start(
        cls,
        directory: Path,
        config: Mapping[str, Any],
        *,
        mode: str = "direct",
        args: Sequence[str] = ("--port", "0"),
        env: Mapping[str, str] | None = None,
        setup: str = "",
    ) -> Gateway:
        """Raises AssertionError with the server's output if it does not listen in time."""
        began = time.monotonic()
        gateway = cls.spawn(directory, config, mode=mode, args=args, env=env, setup=setup)
        while not gateway.base_url:
            running = gateway.process.poll() is None and time.monotonic() < began + PATIENCE_S
            if not running:
                gateway.kill()
                raise AssertionError("headway serve did not listen:\n" + "".join(gateway.output))
            time.sleep(0.005)
        return gateway

    @classmethod
    def spawn(
        cls,
        directory: Path,
        config: Mapping[str, Any],
        *,
        mode: str = "direct",
        args: Sequence[str] = ("--port", "0"),
        env: Mapping[str, str] | None = None,
        setup: str = "",
    ) -> Gateway:
        """Starts the process and does not wait. ``setup`` is code that it runs first."""
        write_config(directory, config)
        setup += USE_ASGI if mode == "asgi" else ""
        program = ["-c", setup + RUN] if setup else ["-m", "headway"]
        process = subprocess.Popen(
            [sys.executable, *program, "serve", "--config", "headway.yaml", *args],
            cwd=directory,
            env=clean_environment(env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        gateway = cls(directory, process)
        gateway.readers = [
            threading.Thread(target=gateway.follow, args=(pipe,))
            for pipe in (process.stdout, process.stderr)
        ]
        for reader in gateway.readers:
            reader.start()
        return gateway

    def follow(self, pipe: Any) -> None:
        with pipe:
            for line in pipe:
                self.output.append(line)
                if found := LISTENING.search(line):
                    self.base_url = found[1]

    @property
    def client(self) -> Client:
        parts = urlsplit(self.base_url)
        host = "127.0.0.1" if parts.hostname in (None, "0.0.0.0") else parts.hostname
        return Client(host, parts.port or 80, self.seen)

    # --- Calls --------------------------------------------------------------------------------

    def open(
        self,
        provider: str = "openai",
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Stream:
        """Send an engine call; the reply is not read yet."""
        body = {"model": "gpt-4o", "chat_input": HELLO, **fields}
        return self.client.open("POST", f"/api/engine/chat/{provider}", body, headers)

    def chat(
        self,
        provider: str = "openai",
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Reply:
        """An engine call and its whole reply."""
        with self.open(provider, headers, **fields) as stream:
            return stream.read_head().reply()

    def stream(
        self, provider: str = "openai", accept: str = "application/x-ndjson", **fields: Any
    ) -> Stream:
        """A streamed engine call, of which the response head is read."""
        return self.open(provider, {"accept": accept}, is_stream=True, **fields).read_head()

    # --- Output ---------------------------------------------------------------------------------

    @property
    def spool(self) -> Path:
        """Its directory."""
        return self.directory / "ledger.db.spool"

    def spooled(self) -> bytes:
        """The complete lines of the files, the oldest first: the last line of each may be in the
        middle of being written. Those of processes that have ended are stored, and deleted."""
        files = [path.read_bytes() for path in sorted(self.spool.glob("*-*.jsonl"))]
        return b"".join(data[: data.rfind(b"\n") + 1] for data in files)

    def records(self) -> list[dict[str, Any]]:
        """Those of ``spooled``; after the end of the process, those in the database, too."""
        stored = self.stored() if self.process.poll() is not None else []
        ids = {record["id"] for record in stored}
        spooled = [decode_line(line) for line in self.spooled().splitlines() if line]
        found = [*stored, *(record for record in spooled if record.get("id") not in ids)]
        return sorted(found, key=lambda record: record["timestamp"])  # of all workers

    def mark(self) -> None:
        """For tests that share the server: what is there now is not new."""
        self._old_lines = len(self.output)
        self._old_records = {record["id"] for record in self.records()}

    def new_output(self) -> list[str]:
        """The lines since ``mark``."""
        return self.output[self._old_lines :]

    def new_records(self) -> list[dict[str, Any]]:
        """Those since ``mark``."""
        return [record for record in self.records() if record["id"] not in self._old_records]

    def stored(self) -> list[dict[str, Any]]:
        """The records in the database, the oldest first."""
        path = self.directory / "ledger.db"
        return asyncio.run(_read_records(f"sqlite:///{path}")) if path.exists() else []

    def outputs(self) -> Iterator[tuple[str, bytes]]:
        """Everything that it wrote (log, replies, files), each with a name."""
        yield "output", "".join(self.output).encode()
        yield "replies", b"".join(self.seen)
        for path in self.directory.rglob("*"):
            if path.is_file() and path.name != "headway.yaml":
                yield path.name, path.read_bytes()

    def leaks(self) -> list[str]:
        """Where a planted key was written."""
        return [
            f"{key} in {name}: ...{data[max(0, at - 80) : at + 40]!r}..."
            for name, data in self.outputs()
            for key in PLANTED
            if (at := data.find(key.encode())) >= 0
        ]

    # --- The process ----------------------------------------------------------------------------

    def count_descriptors(self) -> int:
        """Those that are open. AssertionError if the server has ended."""
        self._check_running()
        return len(processes.descriptors(self.process.pid))

    def resident_bytes(self) -> int:
        """Of the server, without its children. AssertionError if it has ended."""
        self._check_running()
        return processes.resident_bytes(self.process.pid)

    def _check_running(self) -> None:
        code = self.process.poll()
        assert code is None, f"the server ended with exit code {code}:\n" + "".join(self.output)

    # --- Control ----------------------------------------------------------------------------------

    def reload(self, config: Mapping[str, Any]) -> None:
        write_config(self.directory, config)
        self.process.send_signal(signal.SIGHUP)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout: float = STOP_S) -> int:
        """The exit code, after all output was read."""
        code = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(PATIENCE_S)
        return code

    def stop(self, timeout: float = STOP_S) -> None:
        """Stop with SIGTERM. Raises AssertionError if the server has to be killed."""
        if self.process.poll() is None:
            self.terminate()
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("did not stop on SIGTERM:\n" + "".join(self.output)) from None

    def kill(self) -> None:
        self.process.kill()
        self.wait()


async def _read_records(url: str) -> list[dict[str, Any]]:
    store = new_store(url)
    await store.open(migrates=False)
    try:
        records, _ = await store.attempts(Filter())
    finally:
        await store.close()
    return [decode_line(encode(record)) for record in records]


def write_config(directory: Path, config: Mapping[str, Any]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    ledger = {"url": f"sqlite:///{directory / 'ledger.db'}", **config.get("ledger", {})}
    written = directory / "headway.yaml.new"
    written.write_text(yaml.safe_dump({**config, "ledger": ledger}, sort_keys=False))
    written.replace(directory / "headway.yaml")  # a worker may be reading the old one
