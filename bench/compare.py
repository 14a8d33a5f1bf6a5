"""Compare gateways on one core in one run, with ratios to nginx: ``make bench``.

The gateway under test has its own core, and the others are stopped; the load and the providers
share another core. nginx as a plain reverse proxy is the limit. Each round measures all gateways in
turn, so that other load on the machine affects all of them; each ratio is the median of the rounds'
ratios. Absolute figures differ between machines: quote the ratios.

  relay    POST /v1/chat/completions, whole, 32 connections: requests a second; one: median latency
  engine   POST /api/engine/chat/{provider}, whole, a stream of 28 events underneath (Headway only)
  stream   200 streams at once of 100 events at 20 ms: CPU time an event, time to the first event,
           memory a stream
  remote   the same three with the provider behind TLS 1.3, 5 ms away, over kept connections: CPU
           time a request and an event (nginx and Headway)
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from tests.support.ports import free_port

from bench import gateways, machine, nginx, scaling, startup, streams, tls, wrk
from bench.report import RemoteRounds, Result, Rounds, report

MANY = 32
REMOTE_MANY = 64
"""Connections: with 5 ms to wait for each request, fewer would leave the gateway idle."""
REMOTE_DELAY_S = 0.0025
"""Each way."""
CONNECTING_S = 2
"""Of a remote load, before its CPU time is read."""
STOP_EARLY_S = 0.2
"""Time before the end of a remote load at which its CPU time is read again."""
LIMIT = "nginx"
SETTLE_S = 0.5


class Options(Struct, frozen=True):
    only: list[str]
    rounds: int
    seconds: float
    streams: int
    stream_rounds: int
    growth: int
    starts: int
    json: Path | None


def main() -> None:
    options = parse(sys.argv[1:])
    machine.require("nginx", "wrk")
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder:
        result = run(options, Path(folder))
    sys.stdout.write(report(result))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)))


def parse(arguments: list[str]) -> Options:
    ask = argparse.ArgumentParser(
        prog="bench.compare", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("--only", default=",".join(gateways.PEERS), help="gateways, with commas")
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--seconds", type=float, default=6, help="of each load in a round")
    ask.add_argument("--streams", type=int, default=200, help="at once")
    ask.add_argument("--stream-rounds", type=int, default=3, help="streams one after the other")
    ask.add_argument("--growth", type=int, default=200_000, help="requests; 0 leaves it out")
    ask.add_argument("--starts", type=int, default=5, help="of Headway; 0 leaves it out")
    ask.add_argument("--json", type=Path, help="write everything measured to this file")
    given = vars(ask.parse_args(arguments))
    only = [name.strip() for name in given.pop("only").split(",")]
    if unknown := set(only) - set(gateways.PEERS):
        ask.error(f"no gateway is called {', '.join(unknown)}: {', '.join(gateways.PEERS)}")
    return Options(only=only, **given)


def run(options: Options, folder: Path) -> Result:
    started, describing = time.time(), machine.describe()
    rig = gateways.Rig(folder, *(free_port() for _ in range(4)))
    load = machine.cores().load
    tls.create_certificates(folder)
    fronts = {free_port(): port for port in (rig.instant, rig.paced)}
    pairs = zip((rig.remote_instant, rig.remote_paced), fronts, strict=True)
    delays = [f"{remote}:{front}" for remote, front in pairs]
    upstream = [sys.executable, "-m", "bench.upstream", str(rig.paced)]
    delay = [sys.executable, "-m", "bench.delay", str(REMOTE_DELAY_S), *delays]
    processes = [
        nginx.provider(folder, rig.instant, load),
        machine.spawn(upstream, load),
        nginx.tls_front(folder, fronts, load),
        machine.spawn(delay, load),
    ]
    ports = (rig.instant, rig.paced, max(fronts), rig.remote_paced)
    with machine.running(processes):
        for port, process in zip(ports, processes, strict=True):
            machine.wait_listening(port, process)
        return _measure(options, rig, processes, started, describing)


def _measure(
    options: Options,
    rig: gateways.Rig,
    processes: list[subprocess.Popen[bytes]],
    started: float,
    describing: dict[str, Any],
) -> Result:
    first = None
    if "headway" in options.only and options.starts:
        say("headway: imports and starts")
        first = startup.measure(rig, options.starts)
    entrants, skipped = _enter(options, rig, processes)
    for number in range(options.rounds):
        for name, entrant in entrants.items():
            say(f"{name}: round {number + 1} of {options.rounds}")
            with machine.awake(entrant.process):
                entrant.load(options.seconds, rig)
    for name, entrant in entrants.items():
        say(f"{name}: {options.streams} streams")
        with machine.awake(entrant.process):
            entrant.stream(options)
    grown = scaled = None
    if options.growth and (headway := entrants.get("headway")):
        say(f"headway: {options.growth} requests, and workers")
        pid = headway.process.pid
        with machine.awake(headway.process):
            relay = headway.peer.relay
            grown = scaling.grow(pid, relay, options.growth, options.seconds, rig.folder)
        scaled = scaling.scale(rig, options.seconds)
    describing = {**describing, "load_at_end": machine.describe()["load"]}
    return Result(
        command=["python", "-m", "bench.compare", *sys.argv[1:]],
        machine=describing,
        seconds=round(time.time() - started, 1),
        limit=LIMIT,
        gateways={name: entrant.rounds() for name, entrant in entrants.items()},
        skipped=skipped,
        startup=first,
        growth=grown,
        scaling=scaled,
    )


class Entrant:
    """A running gateway, and its measurements."""

    def __init__(self, peer: gateways.Peer) -> None:
        began = time.perf_counter()
        self.peer = peer
        self.process = peer.start()
        self.start_s = self.idle_mib = 0.0
        self.began = began
        self.relays: list[wrk.Load] = []
        self.singles: list[wrk.Load] = []
        self.engines: list[wrk.Load] = []
        self.count: streams.Count | None = None
        self.remote = RemoteRounds([], [], None)

    def wait(self) -> None:
        """Until it answers; then memory is read, after a moment's rest."""
        relay = self.peer.relay
        machine.wait_answering(relay.port, relay.path, relay.headers, relay.body, self.process)
        self.start_s = time.perf_counter() - self.began
        time.sleep(SETTLE_S)
        self.idle_mib = machine.usage(self.process.pid).rss_bytes / machine.MIB

    def load(self, seconds: float, rig: gateways.Rig) -> None:
        relay, engine, folder = self.peer.relay, self.peer.engine, rig.folder
        self.relays.append(self._run(relay, MANY, seconds, folder))
        self.singles.append(self._run(relay, 1, seconds / 2, folder))
        if engine is not None:
            self.engines.append(self._run(engine, MANY, seconds, folder))
        if (remote := self.peer.remote) is not None:
            self.remote.relay.append(self._run_connected(remote.relay, seconds, rig))
            if remote.engine is not None:
                self.remote.engine.append(self._run_connected(remote.engine, seconds, rig))

    def _run(
        self, request: wrk.Request, connections: int, seconds: float, folder: Path
    ) -> wrk.Load:
        before = machine.usage(self.process.pid).cpu_s
        load = wrk.run(request, connections, seconds, folder)
        spent = machine.usage(self.process.pid).cpu_s - before
        return replace(load, cpu_us=spent / max(load.requests, 1) * 1e6)

    def _run_connected(self, request: wrk.Request, seconds: float, rig: gateways.Rig) -> wrk.Load:
        """CPU time a request once all upstream connections are there: a load ends in the middle of
        requests, which closes their connections, so the next one begins with TLS handshakes."""
        connecting = min(CONNECTING_S, seconds)
        process = wrk.begin(request, REMOTE_MANY, seconds + connecting, rig.folder)
        time.sleep(connecting)
        cpu_s, requests = machine.usage(self.process.pid).cpu_s, nginx.count_requests(rig.instant)
        time.sleep(max(0.0, seconds - STOP_EARLY_S))
        cpu_s = machine.usage(self.process.pid).cpu_s - cpu_s
        requests = nginx.count_requests(rig.instant) - requests
        return replace(wrk.finish(process), cpu_us=cpu_s / max(requests, 1) * 1e6)

    def stream(self, options: Options) -> None:
        self.count = self._stream(self.peer.stream, options)
        if (remote := self.peer.remote) is not None:
            self.remote = replace(self.remote, streams=self._stream(remote.stream, options))

    def _stream(self, asked: wrk.Request, options: Options) -> streams.Count:
        plan = streams.Plan(
            asked.port,
            asked.path,
            asked.headers,
            asked.body.decode(),
            self.process.pid,
            min(options.streams, self.peer.most_streams or options.streams),
            options.stream_rounds,
        )
        return streams.start(plan)

    def rounds(self) -> Rounds:
        return Rounds(
            self.start_s,
            self.idle_mib,
            self.relays,
            self.singles,
            self.engines,
            self.count,
            self.remote,
        )


def _enter(
    options: Options, rig: gateways.Rig, processes: list[subprocess.Popen[bytes]]
) -> tuple[dict[str, Entrant], dict[str, str]]:
    """Start the gateways one after the other, so that none slows down another's start."""
    entrants, skipped = {}, {}
    for name in options.only:
        say(f"{name}: starting")
        try:
            entrant = Entrant(gateways.PEERS[name](rig))
            processes.append(entrant.process)
            entrant.wait()
            machine.pause(entrant.process)
            entrants[name] = entrant
        except (gateways.Unavailable, RuntimeError) as error:
            if name in ("nginx", "headway"):
                raise
            skipped[name] = str(error)
            say(f"{name}: left out: {error}")
    return entrants, skipped


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
