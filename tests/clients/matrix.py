"""Run every client against a gateway, over every wire format of providers, and print the matrix.

    make clients
    make clients ARGS="--only openai --wire gemini --verbose"

Exits with 1 if a cell fails. README.md describes how to add a client.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))  # for `support`

from client import ROOT, Client  # noqa: E402
from offline import client_environment, describe_network, enter_namespace  # noqa: E402
from servers import WIRES, running  # noqa: E402

OK, FAILED, IMPOSSIBLE = "ok", "FAIL", "-"
SHORT = {
    "openai_responses": "responses",
    "vertex_anthropic": "vertex-a",
    "bedrock_invoke": "bedr-inv",
}


@dataclass
class Outcome:
    """What one client program said."""

    client: Client
    versions: str = ""
    cells: dict[tuple[str, str], str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0


def read_clients() -> Iterator[tuple[str, Client]]:
    for path in sorted((HERE / "programs").glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"programs_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if hasattr(module, "CLIENT"):
            yield path.stem, module.CLIENT
        for number, client in enumerate(getattr(module, "CLIENTS", ())):
            yield f"{path.stem}_{number}", client


def run_client(client: Client, url: str, wires: list[str], home: Path) -> Outcome:
    outcome = Outcome(client)
    pending: list[dict[str, str]] = []
    for case in client.cases:
        for wire in wires:
            if client.wires and wire not in client.wires:
                continue
            outcome.cells[case, wire] = IMPOSSIBLE if client.reason(case, wire) else FAILED
            if outcome.cells[case, wire] == FAILED:
                pending.append({"case": case, "wire": wire, "model": WIRES[wire].full_model})
    if not pending:
        return outcome
    home.mkdir()
    environment = {
        **client_environment(home),
        "PYTHONPATH": str(HERE),
        "CLIENT_ROOT": str(ROOT),
        "CLIENT_URL": url,
        "CLIENT_CELLS": json.dumps(pending),
        **{name: value.format(url=url) for name, value in (client.environment or {}).items()},
    }
    began = time.monotonic()
    output, ending = run_program(client, environment, home)
    outcome.seconds = time.monotonic() - began
    rest = read_output(outcome, output, pending)
    if rest:
        missing = ", ".join(f"{each['case']} / {each['wire']}" for each in rest[:3])
        more = f" and {len(rest) - 3} more" if len(rest) > 3 else ""
        outcome.failures.append(
            f"{client.title}: {ending} without a result for {missing}{more}\n{output[-3000:]}"
        )
    return outcome


def run_program(client: Client, environment: dict[str, str], home: Path) -> tuple[str, str]:
    """Its output, and how it ended."""
    try:
        done = subprocess.run(
            client.command,
            cwd=home,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=client.timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        return (
            output if isinstance(output, str) else output.decode(errors="replace"),
            f"was stopped after {client.timeout_s:.0f} s",
        )
    except OSError as error:
        return "", f"could not start ({error})"
    return done.stdout, f"ended with {done.returncode}"


def read_output(
    outcome: Outcome, output: str, pending: list[dict[str, str]]
) -> list[dict[str, str]]:
    """Fills the outcome, and returns the cells without a result."""
    rest = {(each["case"], each["wire"]): each for each in pending}
    for line in output.splitlines():
        try:
            said: Any = json.loads(line) if line.startswith("{") else {}
        except ValueError:
            continue
        outcome.versions = ", ".join(said.get("versions", ())) or outcome.versions
        cell = (said.get("case", ""), said.get("wire", ""))
        if rest.pop(cell, None) is None:
            continue
        failure = said.get("error")
        if failure is None and said.get("expected", ...) != said.get("got", ...):
            failure = f"expected {said.get('expected')!r}\n     got {said.get('got')!r}"
        if failure is None:
            outcome.cells[cell] = OK
        else:
            outcome.failures.append(f"{outcome.client.title} / {' / '.join(cell)}:\n  {failure}")
    return list(rest.values())


# --- What is printed ------------------------------------------------------------------------------


def print_matrix(outcomes: list[Outcome], wires: list[str]) -> None:
    names = [SHORT.get(wire, wire) for wire in wires]
    width = max((len(case) for each in outcomes for case in each.client.cases), default=0) + 4
    print(" " * width + " ".join(f"{name:>9}" for name in names))
    for outcome in outcomes:
        client = outcome.client
        versions = f" ({outcome.versions})" if outcome.versions else ""
        print(f"{client.title}, {client.dialect}{versions}, {outcome.seconds:.1f} s")
        for case in client.cases:
            cells = [outcome.cells.get((case, wire), "") for wire in wires]
            print(f"  {case:<{width - 2}}" + " ".join(f"{cell:>9}" for cell in cells))


def print_reasons(outcomes: list[Outcome]) -> None:
    reasons: dict[str, dict[tuple[str, ...], list[str]]] = {}
    for outcome in outcomes:
        for case in outcome.client.cases:
            by_reason: dict[str, list[str]] = {}
            for (name, wire), cell in outcome.cells.items():
                if name == case and cell == IMPOSSIBLE:
                    by_reason.setdefault(outcome.client.reason(case, wire) or "", []).append(wire)
            for reason, several in by_reason.items():
                places = reasons.setdefault(reason, {}).setdefault(tuple(several), [])
                places.append(f"{outcome.client.title} {case}")
    if reasons:
        print("\n-  cannot exist:")
    for reason, groups in reasons.items():
        print(f"   {reason}")
        for several, places in groups.items():
            print(f"      {', '.join(places)}: over {', '.join(several)}")


def print_omitted(outcomes: list[Outcome]) -> None:
    """What the empty cells are: a client that takes long runs over some wire formats only."""
    limited = [each.client.title for each in outcomes if each.client.wires]
    if limited:
        print("\nEmpty: not run, to save time; the other rows run each of these wire formats.")
        print(f"   {', '.join(dict.fromkeys(limited))}")


def print_results(outcomes: list[Outcome], wires: list[str], network: str, seconds: float) -> bool:
    """Whether all cells are green."""
    print_matrix(outcomes, wires)
    print_reasons(outcomes)
    print_omitted(outcomes)
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    for failure in failures:
        print(f"\nFAIL {failure}")
    cells = [cell for outcome in outcomes for cell in outcome.cells.values()]
    print(
        f"\n{len(outcomes)} clients, {cells.count(OK)} cells ok, {cells.count(FAILED)} failed,"
        f" {cells.count(IMPOSSIBLE)} that cannot exist, {seconds:.0f} s. Network: {network}."
    )
    return bool(outcomes) and not failures and FAILED not in cells


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", help="names of programs, or their beginnings: a,b")
    parser.add_argument("--wire", default="", help="names of wire formats: a,b")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--verbose", action="store_true", help="print what the gateway logged")
    arguments = parser.parse_args()
    enter_namespace()
    network = describe_network()
    wires = arguments.wire.split(",") if arguments.wire else list(WIRES)
    only = tuple(filter(None, arguments.only.split(",")))
    clients = [(name, client) for name, client in read_clients() if name.startswith(only or "")]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="clients-") as scratch:
        directory = Path(scratch)
        with running(directory / "gateway") as (gateway, provider):

            def run(named: tuple[str, Client]) -> Outcome:
                return run_client(named[1], gateway.base_url, wires, directory / named[0])

            with ThreadPoolExecutor(arguments.jobs) as pool:
                outcomes = list(pool.map(run, clients))
        if arguments.verbose:
            print("".join(gateway.output))
            for request in provider.requests:
                print(request.method, request.target, request.body.decode(errors="replace")[:2000])
        leaks = gateway.leaks()
    for leak in leaks:
        print(f"LEAK {leak}")
    is_green = print_results(outcomes, wires, network, time.monotonic() - began)
    return 0 if is_green and not leaks else 1


if __name__ == "__main__":
    sys.exit(main())
