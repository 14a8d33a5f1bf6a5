"""``make check-openapi``: hold a running gateway to its own OpenAPI document with Schemathesis.

Requests are generated from ``/openapi.json``, right and wrong ones. No answer may have a status of
5xx, a status, a media type or a header that the document does not name, or a body outside of its
schema, which includes each event of a stream. Whether a value is accepted is left out: it is the
provider behind the gateway that decides what it takes. So is the live tail of the logs, which has
no end.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
CONFIG = "providers: {only: [echo], echo: {kind: echo}}\n"
LISTENING = re.compile(r"listening on (http://\S+)")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
EVENTS, LINES = "text/event-stream", "application/x-ndjson"
HOOKS = """
import json
import schemathesis

@schemathesis.deserializer("application/x-ndjson")
def read_lines(context, response):
    return [json.loads(line) for line in response.content.splitlines()]
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        config, log = Path(directory) / "headway.yaml", Path(directory) / "log"
        config.write_text(CONFIG)
        command = [sys.executable, "-m", "headway", "serve", "--config", str(config), "--port", "0"]
        environ = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
        environ |= {"XDG_STATE_HOME": directory, "PYTHONUNBUFFERED": "1"}
        with (
            log.open("w") as output,
            subprocess.Popen(command, env=environ, stdout=output, stderr=output) as gateway,  # noqa: S603
        ):
            try:
                return check(wait_for_address(gateway, log), Path(directory), sys.argv[1:])
            finally:
                gateway.terminate()


def wait_for_address(gateway: subprocess.Popen[bytes], log: Path) -> str:
    """Raises RuntimeError if the gateway ends before it listens."""
    while gateway.poll() is None:
        if found := LISTENING.search(log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise RuntimeError(f"headway serve did not start: {log.read_text()}")


def check(url: str, directory: Path, options: list[str]) -> int:
    """The exit status of Schemathesis."""
    with urllib.request.urlopen(f"{url}/openapi.json", timeout=30) as reply:  # noqa: S310
        document = describe_streams(without_tail(json.load(reply)))
    (directory / "openapi.json").write_text(json.dumps(document))
    (directory / "hooks.py").write_text(HOOKS)
    command = [str(ROOT / ".venv-clients" / "bin" / "schemathesis"), "run", "openapi.json"]
    command += ["--url", url, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"]
    command += ["--max-examples", "10", "--seed", "1", "--continue-on-failure", *options]
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks"}
    return subprocess.run(command, cwd=directory, env=environ, check=False).returncode  # noqa: S603


def without_tail(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the parameter that makes the reply a stream until the client leaves."""
    logs = document["paths"]["/api/logs"]["get"]
    logs["parameters"] = [each for each in logs["parameters"] if each["name"] != "follow"]
    return document


def describe_streams(document: dict[str, Any]) -> dict[str, Any]:
    """The document with streams as OpenAPI 3.2 describes them (Media Type Object, itemSchema): our
    document is OpenAPI 3.1, which can only give the schema of one event's data."""
    for path in document["paths"].values():
        for operation in path.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if (events := content.get(EVENTS)) is not None:
                encoded = {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": events.pop("schema"),
                }
                data = {"anyOf": [{"const": "[DONE]"}, encoded]}
                events["itemSchema"] = {"type": "object", "properties": {"data": data}}
            if (lines := content.get(LINES)) is not None:
                lines["schema"] = {"type": "array", "items": lines["schema"]}
    return document


if __name__ == "__main__":
    raise SystemExit(main())
