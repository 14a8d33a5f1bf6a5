"""Real PostgreSQL and Redis servers for tests, on loopback and in a temporary directory. A test
that needs one is skipped if it is not installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from .ports import free_port  # relative: bench imports this as tests.support.services

UNPRIVILEGED = ("postgres", "nobody")
"""Users to run PostgreSQL as where the tests run as root, which it refuses."""
READY_S = 60.0


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database, for a superuser without a password."""
    with postgresql_server() as server:
        yield server.url


class PostgresqlServer:
    """A server that can be stopped and started again, with its data."""

    def __init__(
        self, command: Sequence[str], directory: Path, port: int, user: str | None
    ) -> None:
        self.url = f"postgresql://headway@127.0.0.1:{port}/postgres"
        self._command = command
        self._directory = directory
        self._port = port
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self._directory / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, user=self._user, cwd=self._directory, stdout=output, stderr=output
            )
        _await_port(self._process, self._port, log)
        status = self._directory / "data" / "postmaster.pid"
        deadline = time.monotonic() + READY_S
        while not status.read_text().rstrip().endswith("ready") and time.monotonic() < deadline:
            time.sleep(0.02)  # it listens before it answers

    def stop(self) -> None:
        """Cuts all connections, and waits for the end. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            process.wait(READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    initdb, executable = _find_postgresql()
    with _directory() as directory:
        data, port = directory / "data", free_port()
        user = _run_as()
        options = ["--auth=trust", "--username=headway", "--no-sync", "--no-instructions"]
        _run([str(initdb), *options, f"--pgdata={data}"], user)
        listen = ["-h", "127.0.0.1", "-p", str(port), "-F", "-c", "unix_socket_directories="]
        server = PostgresqlServer(
            [str(executable), "-D", str(data), *listen], directory, port, user
        )
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def redis_server() -> Iterator[str]:
    """The URL of an empty Redis that writes nothing to disk."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    with _directory() as directory:
        port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", "."]
        with _served([server, *options], directory, port, None):
            yield f"redis://127.0.0.1:{port}/0"


def _find_postgresql() -> tuple[Path, Path]:
    """``initdb`` and ``postgres``, which Debian does not put on PATH."""
    on_path = shutil.which("initdb")
    found = (
        [Path(on_path).resolve()]
        if on_path
        else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    )
    if not found:
        pytest.skip("PostgreSQL is not installed")
    return found[-1], found[-1].with_name("postgres")


def _run_as() -> str | None:
    return None if os.geteuid() else next(filter(_exists, UNPRIVILEGED))


def _exists(user: str) -> bool:
    return any(entry.pw_name == user for entry in pwd.getpwall())


@contextmanager
def _directory() -> Iterator[Path]:
    """Pytest's own directories are closed to other users than the one who runs the tests."""
    directory = Path(tempfile.mkdtemp(prefix="headway-test-"))
    user = _run_as()
    try:
        if user is not None:
            shutil.chown(directory, user)
        yield directory
    finally:
        shutil.rmtree(directory)


def _run(command: Sequence[str], user: str | None) -> None:
    done = subprocess.run(
        command, user=user, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _served(command: Sequence[str], directory: Path, port: int, user: str | None) -> Iterator[None]:
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, user=user, cwd=directory, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _await_port(process, port, log)
        yield
    finally:
        # PostgreSQL's fast shutdown: it ends the connections of clients.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(f"{process.args} does not listen:\n{log.read_text(errors='replace')}")
