"""The gateways: how each is installed, started and called. ``Unavailable`` if it cannot be
installed."""

# ruff: noqa: S603  our own commands

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from tests.support.ports import free_port

from bench import canned, machine, nginx
from bench.wrk import Request

CHAT = "/v1/chat/completions"
CLIENT_KEY = {"authorization": f"Bearer {canned.KEY}"}
HEADWAY = [sys.executable, "-m", "headway"]


class Unavailable(Exception):  # noqa: N818  it is no defect
    """The gateway cannot be installed or run here; the message has the reason."""


class Rig(Struct, frozen=True):
    """The environment of a gateway: a folder for files, and the ports of two providers."""

    folder: Path
    instant: int
    """Answers at once, from memory."""
    paced: int
    """Streams 100 tokens, one every 20 ms."""
    remote_instant: int = 0
    remote_paced: int = 0
    """The same two providers behind TLS and a delay, as ``https://localhost``; 0 where there are
    none."""


class Remote(Struct, frozen=True):
    relay: Request
    stream: Request
    engine: Request | None = None


class Peer(Struct, frozen=True):
    """``engine`` is None where a gateway has no such route; ``most_streams`` is how many at once it
    is asked for where more would only measure how it drowns."""

    start: Callable[[], subprocess.Popen[bytes]]
    relay: Request
    stream: Request
    engine: Request | None = None
    most_streams: int | None = None
    remote: Remote | None = None
    """The same three workloads with the provider behind TLS, 5 ms away."""


def nginx_peer(rig: Rig) -> Peer:
    relay, stream = free_port(), free_port()
    remote_relay, remote_stream = free_port(), free_port()
    wiring = {relay: rig.instant, stream: rig.paced}
    remote = {remote_relay: rig.remote_instant, remote_stream: rig.remote_paced}
    whole, streamed = canned.chat(canned.MODEL), canned.chat("paced", stream=True)
    return Peer(
        lambda: nginx.proxy(rig.folder, wiring, remote, machine.cores().gateway),
        Request(relay, CHAT, {}, whole),
        Request(stream, CHAT, {}, streamed),
        remote=Remote(
            Request(remote_relay, CHAT, {}, whole), Request(remote_stream, CHAT, {}, streamed)
        ),
    )


# --- Headway --------------------------------------------------------------------------------------


ROUTE = "routed"
"""A name for three models, of which the first answers."""
KEPT = "kept"
"""A name for one whose answers are kept."""


def configure(rig: Rig, name: str = "headway", more: Sequence[str] = ()) -> Path:
    """Metering, authentication and the spool of records are on, as in production. ``more`` are
    lines of further providers."""
    instant, paced = f"http://127.0.0.1:{rig.instant}", f"http://127.0.0.1:{rig.paced}"
    urls = {
        "plain": f"{instant}/v1",
        "joined": f"{instant}/events/v1",
        "long": f"{instant}/long/v1",
        "paced": f"{paced}/v1",
    }
    lines = [f"  {key}: {{kind: openai, base_url: '{urls[key]}', api_key: sk-x}}" for key in urls]
    lines += [*(_remote_lines(rig) if rig.remote_instant else []), *more]
    path = rig.folder / f"{name}.yaml"
    ledger = f"ledger: {{url: 'sqlite:///{rig.folder}/{name}.db'}}"
    server = f"server: {{api_keys: ['{canned.KEY}']}}"
    targets = ", ".join(f"{provider}/{canned.MODEL}" for provider in ("plain", "joined", "long"))
    kept = f"{{targets: [plain/{canned.MODEL}], cache: {{ttl: 3600}}}}"
    models = f"models: {{{ROUTE}: [{targets}], {KEPT}: {kept}}}"
    path.write_text("\n".join(["providers:", *lines, models, ledger, server, ""]))
    return path


def _remote_lines(rig: Rig) -> list[str]:
    instant, paced = (
        f"https://localhost:{port}" for port in (rig.remote_instant, rig.remote_paced)
    )
    urls = {
        "remote-plain": f"{instant}/v1",
        "remote-joined": f"{instant}/events/v1",
        "remote-paced": f"{paced}/v1",
    }
    settings = f"kind: openai, api_key: sk-x, ca_file: '{rig.folder}/ca.pem'"
    return [f"  {key}: {{base_url: '{url}', {settings}}}" for key, url in urls.items()]


def serve(config: Path, port: int, *more: str) -> list[str]:
    return [*HEADWAY, "serve", "--config", str(config), "--port", str(port), *more]


def headway_peer(rig: Rig) -> Peer:
    port, config = free_port(), configure(rig)
    argv = serve(config, port)
    log = rig.folder / "headway.log"
    body = canned.chat(f"plain/{canned.MODEL}")
    return Peer(
        lambda: machine.spawn(argv, machine.cores().gateway, log=log, cwd=rig.folder),
        Request(port, CHAT, CLIENT_KEY, body),
        Request(port, CHAT, CLIENT_KEY, canned.chat("paced/paced", stream=True)),
        Request(port, "/api/engine/chat/joined", CLIENT_KEY, canned.engine()),
        remote=Remote(
            Request(port, CHAT, CLIENT_KEY, canned.chat(f"remote-plain/{canned.MODEL}")),
            Request(port, CHAT, CLIENT_KEY, canned.chat("remote-paced/paced", stream=True)),
            Request(port, "/api/engine/chat/remote-joined", CLIENT_KEY, canned.engine()),
        ),
    )


# --- Portkey --------------------------------------------------------------------------------------


PORTKEY = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": "1.15.2"},
    # with the later ones that it would get, it answers every stream with 500: they hand it the
    # provider's own headers, which fetch made immutable, and it adds to them
    "overrides": {"@hono/node-server": "1.13.8"},
}


def portkey_peer(rig: Rig) -> Peer:
    home = _cache() / "portkey"
    package = home / "node_modules/@portkey-ai/gateway"
    if not (package / "build/start-server.js").exists():
        _need("node", "npm")
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_bytes(canned.dump(PORTKEY))
        _run(["npm", "install", "--no-audit", "--no-fund"], home)
    port = free_port()
    argv = ["node", "build/start-server.js", "--headless", f"--port={port}"]
    log = rig.folder / "portkey.log"

    def headers(upstream: int) -> Mapping[str, str]:
        return {
            "authorization": "Bearer sk-x",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{upstream}/v1",
        }

    gateway, env = machine.cores().gateway, {"NODE_ENV": "production"}
    return Peer(
        lambda: machine.spawn(argv, gateway, env, log, cwd=package),
        Request(port, CHAT, headers(rig.instant), canned.chat(canned.MODEL)),
        Request(port, CHAT, headers(rig.paced), canned.chat("paced", stream=True)),
    )


# --- LiteLLM --------------------------------------------------------------------------------------

LITELLM_ENV = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}


def litellm_peer(rig: Rig) -> Peer:
    home = _cache() / "litellm"
    if not (home / "bin/litellm").exists():
        _install_litellm(home)
    config = rig.folder / "litellm.yaml"
    entry = (
        "  - {{model_name: {name}, litellm_params: {{model: openai/{model}, api_key: sk-x,"
        " api_base: 'http://127.0.0.1:{port}/v1'}}}}"
    )
    models = [
        entry.format(name="plain", model=canned.MODEL, port=rig.instant),
        entry.format(name="paced", model="paced", port=rig.paced),
    ]
    settings = f"general_settings: {{master_key: {canned.KEY}}}"
    config.write_text("\n".join(["model_list:", *models, settings, ""]))
    port = free_port()
    argv = [str(home / "bin/litellm"), "--config", str(config), "--port", str(port)]
    argv += ["--num_workers", "1", "--telemetry", "False"]
    log = rig.folder / "litellm.log"
    return Peer(
        lambda: machine.spawn(argv, machine.cores().gateway, LITELLM_ENV, log, cwd=rig.folder),
        Request(port, CHAT, CLIENT_KEY, canned.chat("plain")),
        Request(port, CHAT, CLIENT_KEY, canned.chat("paced", stream=True)),
        most_streams=20,
    )


def _install_litellm(home: Path) -> None:
    beside = Path(sys.executable).parent / "uv"
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise Unavailable("uv is missing: make test installs it into .venv")
    _run([uv, "venv", "--quiet", "--clear", str(home)], Path.cwd())
    python = str(home / "bin/python")
    _run([uv, "pip", "install", "--quiet", "--python", python, "litellm[proxy]"], Path.cwd())


# --- Having them ----------------------------------------------------------------------------------


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "headway" / "bench"


def _need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise Unavailable(f"{tool} is missing")


def _run(argv: Sequence[str], cwd: Path) -> None:
    # uv reads no setting of pip's; a certificate that pip was given is needed by it just as much
    cert = os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT")
    env = {**os.environ, **({"SSL_CERT_FILE": cert} if cert else {})}
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise Unavailable(f"{' '.join(argv[:3])} failed: {said[-1]}")


PEERS: Mapping[str, Callable[[Rig], Peer]] = {
    "nginx": nginx_peer,
    "headway": headway_peer,
    "portkey": portkey_peer,
    "litellm": litellm_peer,
}
