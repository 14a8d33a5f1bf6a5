"""``headway serve``: listens, runs one worker process or several, reloads on SIGHUP."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from functools import partial
from pathlib import Path

from msgspec.structs import asdict, replace

from headway.config import Config, ConfigError, Ledger, Overrides, load
from headway.ledger import spool_check
from headway.ports import Launcher
from headway.providers import FACTS
from headway.routing.cel import find_fault
from headway.server import composition, logs, routes, workers
from headway.server.app import App
from headway.server.http.protocol import FindRoute, HttpProtocol
from headway.server.http.uvicorn_adapter import UvicornServer
from headway.server.listeners import BACKLOG, listen
from headway.server.redaction_hook import new_content_rules
from headway.server.workers import NOT_STARTED, WorkerSlot

log = logging.getLogger("headway")
WRONG_CONFIGURATION = 2
"""The exit code of docs/cli.md for a mistake in the configuration."""
SLACK_S = 2.0
"""Time that uvicorn waits after the grace period, so that the last clients get an error message.
More than ``app.COUNT_S``, so that a slow count of tokens does not prevent that message."""

FIXED = ("host", "port", "workers")
"""Settings of the server that a reload does not change."""
SHORTEST_TICK_S = 0.05
LONGEST_TICK_S = 1.0


class Server:
    """One process's server: lets streams finish within the grace period and reloads on SIGHUP.

    ``lifeline`` is a descriptor that reaches its end when the supervising process is gone."""

    def __init__(
        self,
        app: App,
        lifeline: int | None = None,
        find_route: FindRoute = routes.find_raw,
    ) -> None:
        self._app = app
        self._lifeline = lifeline
        self._server = UvicornServer(
            app,
            lambda host: HttpProtocol(host, find_route),
            backlog=BACKLOG,
            on_started=self._on_started,
            on_stopping=self._on_stopping,
            access_log=logs.new_access_log(app.config.server.log),
        )

    def run(self, listener: socket.socket) -> int:
        """Serve until a signal says to stop. Returns the exit code."""
        self._server.run(sockets=[listener])
        return 0 if self._server.started else NOT_STARTED

    def _on_started(self) -> None:
        _tune_gc()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))  # see workers.py
        if self._lifeline is not None:
            loop.add_reader(self._lifeline, self._on_parent_gone, loop, self._lifeline)
        self._tick(loop, 0)

    def _on_stopping(self) -> float:
        """Returns the time after which nothing is waited for any more."""
        grace_s = self._app.config.server.shutdown_grace
        self._app.close_after(grace_s)
        return grace_s + SLACK_S

    def _tick(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Let each connection check whether its client takes too long; ``seconds`` have passed
        since the last time."""
        settings = self._app.config.server
        for connection in self._server.connections():
            connection.tick(seconds, settings.keep_alive, settings.read_timeout)
        shortest = min(settings.keep_alive, settings.read_timeout)
        seconds = min(LONGEST_TICK_S, max(SHORTEST_TICK_S, shortest / 4))
        loop.call_later(seconds, self._tick, loop, seconds)

    def _on_parent_gone(self, loop: asyncio.AbstractEventLoop, lifeline: int) -> None:
        """Stop: no supervisor would replace this worker or stop it."""
        loop.remove_reader(lifeline)
        log.error("the supervising process is gone, so this worker stops")
        self._server.stop()

    def _reload(self) -> None:
        """Whatever fails here, the old configuration stays in use."""
        config = reload_config(self._app.config, is_logged=self._lifeline is None)
        if config is None:
            return
        try:
            self._app.reload(config)
        except Exception as error:
            _log_wrong(error)
            return
        logs.configure(config.server.log)
        self._server.set_access_log(logs.new_access_log(config.server.log))


def _tune_gc() -> None:
    """Exclude the objects that exist now from garbage collection (a collection takes 10 ms and
    frees a few hundred objects). Requests leave no reference cycles behind (a test checks that), so
    a collection can wait for more than 700 new objects."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    gc.enable()


def serve(config: Config, find_route: FindRoute = routes.find_raw) -> int:
    """Serve until a signal says to stop. Returns the exit code.

    ``find_route`` says which requests skip ASGI; with ``routes.find_none`` no request does."""
    # Until the server can reload, or the supervisor can forward the signal to its workers.
    blocked = workers.FORWARDED if config.server.workers > 1 else (signal.SIGHUP,)
    signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    logs.configure(config.server.log)
    ledger = config.ledger
    error = spool_check.find_missing_library(str(ledger.url), ledger.archive)
    error = error or spool_check.find_problem(ledger.spool, creates=True)
    if error is not None:
        logs.announce(config.server.log, [("ERROR", f"headway: {error}")])
        return WRONG_CONFIGURATION
    try:
        new_content_rules(config.ledger)
    except ConfigError as exc:
        logs.announce(config.server.log, [("ERROR", f"headway: {exc}")])
        return WRONG_CONFIGURATION
    try:
        listeners = listen(config.server.host, config.server.port, config.server.workers)
    except OSError as exc:
        where = f"{config.server.host}:{config.server.port}"
        problem = f"headway: cannot listen on {where}: {exc.strerror}"
        logs.announce(config.server.log, [("ERROR", problem)])
        return NOT_STARTED
    _announce(config, listeners[0])
    gateway_id = composition.new_gateway_id()
    run = partial(run_worker, find_route=find_route, gateway_id=gateway_id)
    try:
        if len(listeners) > 1:
            shipper = composition.new_shipper(config)
            return workers.supervise(config, listeners, run, _reload_supervisor, shipper)
        return run(config, WorkerSlot(listeners[0]))
    finally:
        for listener in listeners:
            listener.close()


def run_worker(
    config: Config,
    slot: WorkerSlot,
    find_route: FindRoute = routes.find_raw,
    gateway_id: str | None = None,
) -> int:
    """One worker process, from start to end. Returns its exit code. ``gateway_id`` is the same for
    all workers."""
    is_supervised = slot.lifeline is not None
    launchers = partial(_new_launchers, slot.shared)
    app = App(config, launchers, gateway_id, runs_shipper=not is_supervised, shared=slot.shared)
    return Server(app, slot.lifeline, find_route).run(slot.listener)


def _new_launchers(shared: Path | None) -> dict[str, Launcher]:
    return composition.new_launchers(shared=shared, progress=log.info)


def _reload_supervisor(config: Config) -> Config | None:
    """What the process does that supervises workers."""
    new = reload_config(config)
    if new is not None:
        logs.configure(new.server.log)
    return new


def reload_config(config: Config, *, is_logged: bool = True) -> Config | None:
    """The configuration as its sources have it now; None, with the reason in the log, if it is
    wrong. Host, port, number of workers and ledger stay as they are, so a file that would open the
    host to everyone is refused. ``is_logged``: say that it was reloaded, and what stays."""
    at = config.server
    given = config.overrides or Overrides()
    overrides = replace(
        given,
        host=at.host,
        port=at.port,
        workers=at.workers,
        insecure=True if at.insecure else None,
    )
    try:
        loaded = load(config.source, os.environ, FACTS, overrides, find_fault)
    except Exception as error:
        _log_wrong(error)
        return None
    if is_logged:
        kept = _settings_kept(config)
        rest = f"; only a restart applies {', '.join(kept)}" if kept else ""
        log.log(logging.WARNING if kept else logging.INFO, "the configuration was reloaded%s", rest)
    ledger = _changed_ledger(config.ledger, loaded.ledger)
    return replace(loaded, ledger=ledger, overrides=config.overrides)


def _changed_ledger(old: Ledger, new: Ledger) -> Ledger:
    """``old`` with what a running server can change: what is kept of messages."""
    return replace(old, content=new.content, content_by_key=new.content_by_key, redact=new.redact)


def _settings_kept(config: Config) -> list[str]:
    """The settings whose new values have no effect on a running server."""
    try:
        new = load(config.source, os.environ, FACTS, config.overrides, find_fault)
    except ConfigError:  # the new host would be open to everyone
        return ["server.host"]
    names = [name for name in FIXED if getattr(new.server, name) != getattr(config.server, name)]
    old_ledger = asdict(_changed_ledger(config.ledger, new.ledger))
    new_ledger = asdict(new.ledger)
    ledger = [name for name, value in old_ledger.items() if new_ledger[name] != value]
    return [*(f"server.{name}" for name in names), *(f"ledger.{name}" for name in ledger)]


def _log_wrong(error: Exception) -> None:
    text = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
    log.error("the new configuration is wrong, so the old one stays in use")
    for line in text.splitlines():
        log.error("%s", line)


def _announce(config: Config, listener: socket.socket) -> None:
    """Say where the server listens, which file it read, what it ignored, and which environment
    variables redirect a provider, because they decide where its key is sent."""
    host, port = config.server.host, listener.getsockname()[1]
    printed_host = f"[{host}]" if ":" in host else host
    said = [
        f"Headway listening on http://{printed_host}:{port}",
        f"configuration: {config.source or 'no file, the defaults'}",
        *(
            f"{name} is at {provider.base_url}, as {provider.sources['base_url']} says"
            for name, provider in config.providers.items()
            if "base_url" in provider.sources
        ),
    ]
    warnings = [("WARNING", text) for text in config.warnings]
    logs.announce(config.server.log, [*(("INFO", text) for text in said), *warnings])
