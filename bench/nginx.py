"""nginx as a provider with responses in memory, and as a plain reverse proxy, with which every
gateway is compared."""

from __future__ import annotations

import http.client
import subprocess
from collections.abc import Iterable
from pathlib import Path

from bench import canned, machine

MAIN = """worker_processes 1; daemon off; pid {folder}/{name}.pid; error_log {folder}/{name}.err;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600; client_body_buffer_size 64k;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
{servers}
}}
"""
PROVIDER = """  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /status {{ stub_status; }}
    location / {{ default_type application/json; {whole} }}
    location /events/ {{ default_type text/event-stream; {streamed} }}
    location /long/ {{ default_type text/event-stream; {long} }}
  }}"""
TLS_FRONT = """  server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.3; ssl_session_cache shared:front:1m;
    location / {{
      proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Connection '';
    }}
  }}"""
TLS_PROXY = """  upstream remote_{port} {{
    server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass https://remote_{port}; proxy_http_version 1.1; proxy_set_header Connection '';
      proxy_buffering off; proxy_ssl_server_name on; proxy_ssl_name localhost; proxy_ssl_verify on;
      proxy_ssl_trusted_certificate {folder}/ca.pem; proxy_ssl_protocols TLSv1.3;
      proxy_ssl_session_reuse on;
    }}
  }}"""
PROXY = """  upstream behind_{port} {{
    server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://behind_{port}; proxy_http_version 1.1; proxy_set_header Connection '';
      proxy_buffering off;
    }}
  }}"""
LONGEST_WORD = 3000
"""Bytes of one quoted word in what follows; nginx takes 4096 with its escapes."""


def provider(folder: Path, port: int, on: Iterable[int]) -> subprocess.Popen[bytes]:
    """POST to /v1/... gives a whole answer, to /events/v1/... the 28 events of a stream at once,
    to /long/v1/... the 292 of a longer one."""
    server = PROVIDER.format(
        port=port,
        whole=_returning(canned.whole_answer()),
        streamed=_returning(b"".join(canned.events(canned.TOKENS))),
        long=_returning(b"".join(canned.events(canned.LONG))),
    )
    return _start(folder, "provider", [server], on)


def count_requests(port: int) -> int:
    """The requests that the provider at ``port`` has received so far (ngx_http_stub_status)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/status")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return int(lines[2].split()[2])


def proxy(
    folder: Path, upstream_of: dict[int, int], tls_upstream_of: dict[int, int], on: Iterable[int]
) -> subprocess.Popen[bytes]:
    """A reverse proxy from each port to an upstream port, over HTTP or over HTTPS. Upstream
    connections are kept, certificates verified (``ca.pem`` in ``folder``)."""
    servers = [PROXY.format(port=port, upstream=to) for port, to in upstream_of.items()]
    servers += [
        TLS_PROXY.format(port=port, upstream=to, folder=folder)
        for port, to in tls_upstream_of.items()
    ]
    return _start(folder, "proxy", servers, on)


def tls_front(
    folder: Path, upstream_of: dict[int, int], on: Iterable[int]
) -> subprocess.Popen[bytes]:
    """Terminates TLS 1.3 on each port, with keep-alive, in front of a provider's port. The
    certificate is ``server.pem`` with ``server.key`` in ``folder``."""
    servers = [
        TLS_FRONT.format(port=port, upstream=to, folder=folder) for port, to in upstream_of.items()
    ]
    return _start(folder, "tls", servers, on)


def _start(
    folder: Path, name: str, servers: list[str], on: Iterable[int]
) -> subprocess.Popen[bytes]:
    path = folder / f"{name}.conf"
    path.write_text(MAIN.format(folder=folder, name=name, servers="\n".join(servers)))
    argv = ["nginx", "-e", f"{folder}/{name}.err", "-c", str(path)]
    return machine.spawn(argv, on, cwd=folder)


def _returning(body: bytes) -> str:
    """Directives that answer with ``body``: words of bounded length, joined by their variables."""
    text = body.decode()
    words = [text[at : at + LONGEST_WORD] for at in range(0, len(text), LONGEST_WORD)]
    lines = [f"set $word_{at} {_quoted(word)};" for at, word in enumerate(words)]
    joined = "".join(f"${{word_{at}}}" for at in range(len(words)))
    return " ".join([*lines, f'return 200 "{joined}";'])


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
