"""Real servers for the tests of the web page: each configuration is started once, when first used.

The models of a server are the local model, and routes to the echo provider that are scripted to be
steady, slow, broken and so on (``SCRIPTS``); a test chooses one by its name like a user.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from page.filled_ledger import fill
from support.gateway_process import GATE_KEY, Gateway
from support.ports import free_port
from support.waiting import until

Script = Mapping[str, Any]
LOCAL = "local/smollm2-135m-instruct"
LEDGER = "ledger.db"
DAYS = 14.0

SENTENCES = "The quick brown fox jumps over the lazy dog. " * 8
MARKDOWN = """\
## A heading

A list:

- **bold** and *italic*, `code`
- a [link](https://example.org/)

| model | ms |
|---|---:|
| a | 12 |

```python
def f(x: int) -> str:
    return f"{x}"
```

The mean is $\\frac{1}{n}\\sum_i x_i$.
"""
HOSTILE = """\
<script>window.hacked = 1</script>
<img src="https://example.org/pixel.png" onerror="window.hacked = 1">
<a href="javascript:window.hacked = 1" style="position: fixed; inset: 0">all of it</a>
<iframe src="https://example.org/"></iframe>

[click](javascript:window.hacked=1) ![pixel](https://example.org/pixel.png)
[data](data:text/html,<script>window.hacked=1</script>)

```html
</code></pre><script>window.hacked = 1</script>
```

$\\href{javascript:window.hacked=1}{x} \\includegraphics{https://example.org/pixel.png}$
"""
SCRIPTS: dict[str, Script] = {
    "quick": {"text": "A short answer.", "tokens_per_second": 500},
    "steady": {"text": SENTENCES, "tokens_per_second": 40, "first_token": 0.1},
    "slow": {"text": SENTENCES, "tokens_per_second": 8, "first_token": 0.4},
    "thinking": {"reasoning": "First this, then that.", "text": "So: 42.", "tokens_per_second": 50},
    "markdown": {"text": MARKDOWN, "tokens_per_second": 500},
    "hostile": {"text": HOSTILE, "tokens_per_second": 500},
    "tools": {"tools": [{"name": "weather", "arguments": {"city": "Paris"}}]},
    "stalls": {"text": SENTENCES, "tokens_per_second": 40, "fault": "stall", "fault_after": 8},
    "breaks": {"text": SENTENCES, "tokens_per_second": 40, "fault": "cut", "fault_after": 8},
    "limited": {"fault": "rate_limit", "retry_after": 7},
    "fails": {"fault": "error"},
}
"""The name of a model here, and how it answers (docs/echo.md)."""
NGINX = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err; worker_processes 1;
events {{ }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port};
    location /gateway/ {{
      proxy_pass {target}/; proxy_http_version 1.1; proxy_set_header Connection '';
      proxy_buffering off;
    }}
  }}
}}
"""


def route_to(script: Script) -> dict[str, Any]:
    return {"targets": [{"model": "echo/echo", "parameters": {"echo": script}}]}


def configuration(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """``changes`` replace whole sections."""
    return {
        "providers": {
            "local": {"kind": "local"},
            "echo": {
                "kind": "echo",
                "timeouts": {"idle": "2s"},
                "prices": {"echo": {"input": 0.5, "output": 1.5}},
            },
        },
        "models": {name: route_to(script) for name, script in SCRIPTS.items()},
        "ledger": {"content": "full", "url": f"sqlite:///{LEDGER}"},
        **(changes or {}),
    }


def numbered_models(count: int, script: Script = SCRIPTS["steady"]) -> dict[str, Any]:
    """``model-1``, ``model-2``, ...: for tests with many models, as ``{"models": ...}``."""
    return {f"model-{number}": route_to(script) for number in range(1, count + 1)}


class Servers:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Gateway] = {}
        self._proxy: subprocess.Popen[bytes] | None = None
        self._prefixed = ""

    def start(self, changes: Mapping[str, Any] | None = None) -> Gateway:
        """The server with these changes to ``configuration()``, which tests share. One that needs
        a ledger of its own gives the fixture ``launch`` the changes."""
        key = json.dumps(changes, sort_keys=True)
        if key not in self._running:
            self._running[key] = self.launch(changes)
        return self._running[key]

    def launch(self, changes: Mapping[str, Any] | None = None, records: int = 0) -> Gateway:
        """A server of the caller's own, with ``records`` of the last two weeks in its ledger."""
        folder = self._folder / f"server-{len(list(self._folder.iterdir()))}"
        folder.mkdir()
        if records:
            fill(folder / LEDGER, records, DAYS)
        return Gateway.start(folder, configuration(changes))

    def with_records(self, records: int = 3000) -> Gateway:
        """A server with so many records, which tests share."""
        key = f"{records} records"
        if key not in self._running:
            self._running[key] = self.launch(records=records)
        return self._running[key]

    def with_key(self) -> Gateway:
        """A server that requires ``GATE_KEY``."""
        return self.start({"server": {"api_keys": [GATE_KEY]}})

    def behind_prefix(self) -> str:
        """The address of the shared server behind a proxy that strips ``/gateway/``."""
        if self._proxy is None:
            port, target = free_port(), self.start().base_url
            self._proxy = self._start_nginx(port, target)
            self._prefixed = f"http://127.0.0.1:{port}/gateway"
        return self._prefixed

    def _start_nginx(self, port: int, target: str) -> subprocess.Popen[bytes]:
        program = shutil.which("nginx")
        if program is None:
            pytest.skip("no nginx on PATH")
        folder = self._folder / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, target=target))
        process = subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf"])
        until(lambda: (folder / "nginx.pid").exists())
        return process

    def stop(self) -> None:
        for gateway in self._running.values():
            gateway.stop()
        if self._proxy is not None:
            self._proxy.terminate()
            self._proxy.wait()
