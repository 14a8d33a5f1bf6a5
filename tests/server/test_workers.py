"""Several worker processes behind one address: crashes, signals, records, connections."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contract.conftest import Launch, standard_config
from contract.shapes import error_of, ok
from headway.local.weights import locate
from headway.server.request_ids import IdSource
from support.gateway_process import Gateway, clean_environment, write_config
from support.openai_completions import DONE, finish, role, text, usage
from support.openai_upstream import Answer, Upstream, Wait
from support.processes import children, command, descriptors, is_gone, is_shipper
from support.waiting import PATIENCE_S, until

TWO = ("--port", "0", "--workers", "2")


def workers(gateway: Gateway, count: int = 2) -> list[int]:
    """The children without the process that stores records."""

    def found() -> list[int] | None:
        pids = [pid for pid in children(gateway.process.pid) if not is_shipper(pid)]
        running = [pid for pid in pids if not is_gone(pid)]
        return running if len(running) == count else None

    pids: list[int] = until(found)
    return pids


def listens(pid: int) -> bool:
    """Whether its event loop is running."""
    return any("[eventpoll]" in target for target in descriptors(pid))


def log(gateway: Gateway) -> str:
    return "".join(gateway.output)


# --- Crashes --------------------------------------------------------------------------------------


def test_a_killed_worker_is_replaced_and_no_call_is_lost(launch: Launch) -> None:
    own = launch(args=TWO)
    for _ in range(2):
        victim = workers(own)[0]
        until(lambda pid=victim: listens(pid))  # type: ignore[misc]
        os.kill(victim, signal.SIGKILL)
        until(lambda pid=victim: is_gone(pid))  # type: ignore[misc]
        for _ in range(10):  # some wait in the dead worker's queue for its replacement
            ok(own.chat())
        assert victim not in workers(own)
    assert log(own).count("it is replaced") == 2


def test_a_stop_while_a_replacement_waits_stops_at_once(launch: Launch) -> None:
    own = launch(args=TWO, setup="from headway.server import workers\nworkers.SHORT_LIFE_S = 999")
    for pid in workers(own):
        os.kill(pid, signal.SIGKILL)  # they die young, so their replacements wait for 999 s
    until(lambda: log(own).count("it is replaced") == 2)
    own.stop()


def test_workers_finish_their_requests_and_stop_when_the_parent_is_killed(
    launch: Launch, upstream: Upstream
) -> None:
    own = launch(args=TWO)
    upstream.play(Answer((role(), Wait(0.5), text("Hi"), finish(), usage(), DONE)))
    pids = workers(own)
    for pid in pids:
        until(lambda pid=pid: listens(pid))  # type: ignore[misc]
    with own.stream() as stream:
        own.process.kill()
        assert b'"chat_output":"Hi"' in stream.read()
        assert stream.complete
    until(lambda: all(map(is_gone, pids)))


# --- Signals --------------------------------------------------------------------------------------


def test_sigterm_drains_all_workers_and_leaves_no_process(
    launch: Launch, upstream: Upstream, tmp_path: Path
) -> None:
    own = launch(args=TWO, env={"TMPDIR": str(tmp_path)})
    slow = tuple(step for n in range(5) for step in (text(f" {n}"), Wait(0.1)))
    upstream.play(Answer((role(), *slow, finish(), usage(), DONE)))
    pids = workers(own)
    until(lambda: list(tmp_path.glob("headway-*")))
    streams = [own.stream() for _ in range(8)]
    own.terminate()
    for stream in streams:
        assert b'"chat_output":" 0 1 2 3 4"' in stream.read()
        stream.close()
    assert own.wait() == 0
    assert all(map(is_gone, pids))
    assert not list(tmp_path.glob("headway-*"))
    with pytest.raises(OSError, match="refused"):
        own.client.connect()


def test_sighup_reloads_all_workers_and_their_replacements(
    launch: Launch, upstream: Upstream
) -> None:
    own = launch(args=TWO)
    for pid in workers(own):
        until(lambda pid=pid: listens(pid))  # type: ignore[misc]
    config = standard_config(upstream)
    config["providers"]["newcomer"] = {"kind": "openai", "base_url": upstream.base_url}
    own.reload(config)
    until(lambda: "configuration was reloaded" in log(own))
    until(lambda: all(own.chat("newcomer").status == 200 for _ in range(20)))
    assert log(own).count("configuration was reloaded") == 1
    os.kill(workers(own)[0], signal.SIGKILL)
    until(lambda: "it is replaced" in log(own))
    for _ in range(20):  # each on a new connection, so both workers get some
        assert ok(own.chat("newcomer"))["provider"] == "newcomer"


def test_a_wrong_configuration_is_logged_once_and_reaches_no_worker(
    launch: Launch, upstream: Upstream
) -> None:
    own = launch(args=TWO)
    workers(own)
    config = standard_config(upstream)
    config["providers"]["newcomer"] = {"kind": "no-such-kind"}
    own.reload(config)
    until(lambda: "the old one stays in use" in log(own))
    for _ in range(4):
        error_of(own.chat("newcomer"), 404)
    assert log(own).count("the old one stays in use") == 1


def test_sighup_right_after_the_start_kills_no_worker(launch: Launch, upstream: Upstream) -> None:
    own = launch(args=TWO)
    pids = workers(own)
    for _ in range(5):
        own.reload(standard_config(upstream))
        time.sleep(0.02)
    ok(own.chat())
    assert workers(own) == pids


def test_sigterm_while_the_workers_start_stops_all_of_them(launch: Launch) -> None:
    for delay in (0.0, 0.01, 0.03):
        own = launch(args=("--port", "0", "--workers", "16"))
        time.sleep(delay)
        own.terminate()
        assert own.wait() == 0
        with pytest.raises(OSError, match="refused"):
            own.client.connect()


def test_workers_that_fail_while_they_start_end_the_server(
    launch: Launch, upstream: Upstream, tmp_path: Path
) -> None:
    config = standard_config(upstream)
    code = (
        "import sys\n"
        "from headway.server import serve\n"
        "def fail(*arguments, **options): raise OSError('no such thing')\n"
        "serve.App = fail\n"
        "from headway.cli import main\n"
        "sys.argv[1:] = ['serve', '--config', 'headway.yaml', '--port', '0', '--workers', '2']\n"
        "main()\n"
    )
    write_config(tmp_path, config)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 3
    assert "OSError: no such thing" in done.stderr
    assert "workers in a row ended while they started, so the server stops" in done.stderr


# --- Records --------------------------------------------------------------------------------------


def test_all_workers_write_whole_lines_to_one_spool_with_unique_ids(launch: Launch) -> None:
    own = launch(args=TWO)
    with ThreadPoolExecutor(8) as pool:
        long = "word " * 2000  # lines of several pages
        calls = [pool.submit(own.chat, "echo", model="echo", chat_input=long) for _ in range(80)]
        ids = [call.result().json["id"] for call in calls]
    assert len(set(ids)) == 80
    records = own.records()
    assert Counter(record["id"] for record in records) == Counter(ids)


def test_ids_made_after_a_fork_differ() -> None:
    """A pool that was drawn before the fork would be shared by all."""
    ids = IdSource()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, IdSource()().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 100).decode() != ids()
    os.close(reader)
    os.close(writer)


# --- Connections ----------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="no queue for each worker")
def test_connections_are_distributed_evenly(launch: Launch) -> None:
    own = launch(args=TWO)
    pids = workers(own)
    for pid in pids:
        until(lambda pid=pid: listens(pid))  # type: ignore[misc]
    before = [len(descriptors(pid)) for pid in pids]
    streams = [own.client.connect() for _ in range(128)]
    until(lambda: sum(len(descriptors(pid)) for pid in pids) >= sum(before) + 128)
    taken = [len(descriptors(pid)) - was for pid, was in zip(pids, before, strict=True)]
    assert min(taken) > 32, taken
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("count", ["1", "2"])
def test_a_port_that_is_taken_is_not_shared(launch: Launch, count: str) -> None:
    """The kernel lets workers share a port, and would let another server share it too."""
    first = launch(args=TWO)
    port = first.base_url.rpartition(":")[2]
    with pytest.raises(AssertionError, match=r"cannot listen.*in use"):
        launch(args=("--port", port, "--workers", count))


# --- The local model ------------------------------------------------------------------------------


@pytest.mark.skipif(
    importlib.util.find_spec("xllamacpp") is None or locate(Path("/nonexistent")) is None,
    reason="the model is not installed",
)
def test_all_workers_share_one_local_model_and_another_worker_takes_over(launch: Launch) -> None:
    own = launch({"providers": {"local": {"kind": "local"}}}, args=TWO)
    pids = workers(own)
    for _ in range(8):
        answer("local", own)
    owners = models(pids)
    assert len(owners) == 1
    os.kill(owners[0], signal.SIGKILL)
    until(lambda: "it is replaced" in log(own))
    for _ in range(8):
        answer("local", own)
    assert len(models(workers(own))) == 1


def answer(provider: str, gateway: Gateway) -> dict[str, Any]:
    model = "smollm2-135m-instruct"
    return ok(gateway.chat(provider, model=model, parameters={"max_tokens": 2}, retries=3))


def models(pids: list[int]) -> list[int]:
    """The workers that have a model for a child."""
    is_model: Callable[[int], bool] = lambda pid: b"llama_server" in command(pid)  # noqa: E731
    return [pid for pid in pids if any(map(is_model, children(pid)))]
