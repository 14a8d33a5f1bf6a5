from __future__ import annotations

import sys

import pytest

from headway.local.process import LOG_LINES, ChildProcess, is_healthy

SCRIPT = "import sys, os, signal; {}"


def run(script: str) -> tuple[str, ChildProcess]:
    child = ChildProcess([sys.executable, "-c", SCRIPT.format(script)])
    return child.run(lambda url: None, 20.0), child


@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("pass", "it ended with exit code 0"),
        ("sys.exit(5)", "it ended with exit code 5"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was ended by SIGSEGV"),
        ("os.kill(os.getpid(), 40)", "it was ended by signal 40"),
        ("sys.exit('no luck')", "it ended with exit code 1; its last words: no luck"),
        (
            "sys.stderr.write('one\\n\\ntwo\\nthree\\nfour\\n')",
            "it ended with exit code 0; its last words: two | three | four",
        ),
        ("sys.stderr.buffer.write(b'\\xff')", "it ended with exit code 0; its last words: \ufffd"),
    ],
)
def test_an_end_is_told_with_its_last_words(script: str, how: str) -> None:
    assert run(script)[0] == how


def test_its_log_is_kept_in_bounds_and_never_blocks_it() -> None:
    how, child = run("[sys.stderr.write('x' * 99 + '\\n') for _ in range(5000)]")
    assert how.startswith("it ended with exit code 0")
    assert len(child.log) == LOG_LINES


def test_other_output_is_not_mistaken_for_readiness() -> None:
    seen: list[str] = []
    script = "print('hello'); print('not READY')"
    child = ChildProcess([sys.executable, "-c", script])
    child.run(seen.append, 20.0)
    assert seen == []


def test_one_that_dies_as_it_says_it_is_ready_is_not_ready() -> None:
    seen: list[str] = []
    child = ChildProcess([sys.executable, "-c", "print('READY http://127.0.0.1:1')"])
    child.run(seen.append, 20.0)
    assert seen == []


def test_nobody_there_is_not_healthy() -> None:
    assert not is_healthy("http://127.0.0.1:1")
