"""Compares implementations of CEL: ``python tools/compare_cel.py`` in an environment with
``cel-expr-python``, ``common-expression-language`` and ``cel-python``.

Prints the CPU time of importing each, and of one evaluation of the same condition.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

CONDITION = 'tokens < 8000 && !("images" in needs) && headers["x-team"] == "red"'
VALUES: Mapping[str, Any] = {
    "tokens": 100,
    "needs": ["tools"],
    "headers": {"x-team": "red", "user-agent": "x"},
}
COUNT = 2000


def google() -> Callable[[], object]:
    from cel_expr_python import cel

    text = cel.Type.STRING
    types = {
        "tokens": cel.Type.INT,
        "needs": cel.Type.List(text),
        "headers": cel.Type.Map(text, text),
    }
    expression = cel.NewEnv(variables=types).compile(CONDITION)
    return lambda: expression.eval(data=VALUES).value()


def rust() -> Callable[[], object]:
    import cel

    program = cel.compile(CONDITION)
    return lambda: program.execute(VALUES)


def python() -> Callable[[], object]:
    import celpy

    environment = celpy.Environment()
    program = environment.program(environment.compile(CONDITION))
    return lambda: program.evaluate({name: celpy.json_to_cel(one) for name, one in VALUES.items()})


LIBRARIES = {
    "cel-expr-python": google,
    "common-expression-language": rust,
    "cel-python": python,
}


def measure(name: str) -> None:
    started = time.process_time()
    evaluate = LIBRARIES[name]()
    imported = time.process_time()
    for _ in range(COUNT):
        assert evaluate()
    each_us = (time.process_time() - imported) / COUNT * 1e6
    sys.stdout.write(f"{name}: import {(imported - started) * 1e3:.0f} ms, {each_us:.1f} us each\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        for library in LIBRARIES:
            subprocess.run([sys.executable, __file__, library], check=True)  # noqa: S603
