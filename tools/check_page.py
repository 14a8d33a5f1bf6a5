"""Checks the web page: ``make page-check``, or ``python tools/check_page.py --fix`` to format it.

Formatting and lint by Biome, types by tsc from the JSDoc, the vendored libraries against their npm
packages, and here: the length of files, that each module is imported and each import is there, and
what a browser loads before the first page is shown, after compression.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "src/headway/page"
CONFIGURATION = ROOT / "tools/page"
PROGRAMS = CONFIGURATION / "node_modules/.bin"
INDEX = PAGE / "index.html"
FIRST_PAGE = PAGE / "app/playground/page.js"
PAGES = sorted(PAGE.glob("app/*/page.js"))

LONGEST_FILE = 300
BUDGET = 150_000
"""Bytes that the first page may load."""

IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*"([^"]+)"')
DYNAMIC_IMPORT = re.compile(r'\bimport\(\s*["`]([^"`$]+)["`]\s*\)')
ADDRESS = re.compile(r'(?:href|src)="ui/dev/([^"]+)"')
IMPORT_MAP = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


def run_biome(*, fix: bool) -> bool:
    mode = ["--write"] if fix else ["--error-on-warnings"]
    return _run("biome", "check", f"--config-path={CONFIGURATION / 'biome.json'}", *mode, PAGE)


def run_tsc() -> bool:
    return _run("tsc", "--project", CONFIGURATION, "--pretty", "false")


def check_vendored() -> bool:
    return _run_python("vendor_page.py", "--check")


def check_lengths() -> bool:
    lengths = {path: len(path.read_text().splitlines()) for path in PAGE.glob("app/**/*.js")}
    return _report(
        f"{_name(path)} has {count} lines; {LONGEST_FILE} is the ceiling"
        for path, count in lengths.items()
        if count > LONGEST_FILE
    )


def check_imports() -> bool:
    """Each import leads to a file, and each module and style sheet is reached from the index."""
    missing, reached = [], set()
    waiting = list(_named_by_index())
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        if not path.is_file():
            missing.append(f"{_name(path)} is imported and is not there")
        elif path.suffix == ".js":
            waiting += [*_imports(path, IMPORT), *_imports(path, DYNAMIC_IMPORT)]
    present = {*PAGE.glob("app/**/*.js"), *PAGE.glob("styles/**/*.css")}
    unused = [f"{_name(path)} is loaded by nothing" for path in sorted(present - reached)]
    return _report([*missing, *unused])


def check_budget() -> bool:
    """Print what the first page loads, and what each other page adds."""
    first = _eager([*_named_by_index(), FIRST_PAGE])
    total = 0
    for title, paths in _groups([INDEX, *sorted(first)]):
        total += _print_sizes(title, paths)
    print(f"{'first page':32}{'':10}{total:10,}  of {BUDGET:,}")  # noqa: T201
    for page in PAGES:
        if page != FIRST_PAGE and page.is_file():
            _print_sizes(f"+ {page.parent.name}", sorted(_eager([page]) - first))
    return _report([f"The first page loads {total - BUDGET:,} bytes too many"] * (total > BUDGET))


def _groups(paths: list[Path]) -> Iterator[tuple[str, list[Path]]]:
    """By folder, each library on its own."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        first, *rest = path.relative_to(PAGE).parts
        groups.setdefault(f"{first}/{rest[0]}" if first == "vendor" else first, []).append(path)
    yield from sorted(groups.items())


def _print_sizes(title: str, paths: list[Path]) -> int:
    contents = [path.read_bytes() for path in paths]
    plain = sum(len(content) for content in contents)
    packed = sum(len(gzip.compress(content, 9)) for content in contents)
    print(f"{title:32}{plain:10,}{packed:10,}")  # noqa: T201
    return packed


def _eager(roots: list[Path]) -> set[Path]:
    """The files that are loaded with these, without those of ``import()``."""
    found: set[Path] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file():
            found.add(path)
            waiting += _imports(path, IMPORT) if path.suffix == ".js" else []
    return found


def _named_by_index() -> Iterator[Path]:
    return (PAGE / address for address in ADDRESS.findall(INDEX.read_text()))


def _imports(path: Path, pattern: re.Pattern[str]) -> Iterator[Path]:
    bare = _import_map()
    for name in pattern.findall(path.read_text()):
        if name.startswith("."):
            yield (path.parent / name).resolve()
        elif name in bare:
            yield bare[name]
        elif PAGE / "vendor" not in path.parents:  # minified files have strings that look like some
            yield path.parent / name


def _import_map() -> dict[str, Path]:
    found = IMPORT_MAP.search(INDEX.read_text())
    assert found is not None
    imports = json.loads(found[1])["imports"]
    return {name: PAGE / address.removeprefix("./ui/dev/") for name, address in imports.items()}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _report(faults: Iterator[str] | list[str]) -> bool:
    found = list(faults)
    for fault in found:
        print(fault, file=sys.stderr)  # noqa: T201
    return not found


def _run(program: str, *arguments: str | Path) -> bool:
    return subprocess.run([PROGRAMS / program, *arguments], check=False).returncode == 0  # noqa: S603


def _run_python(script: str, *arguments: str) -> bool:
    command = [sys.executable, Path(__file__).with_name(script), *arguments]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603


CHECKS: tuple[Callable[[], bool], ...] = (
    lambda: run_biome(fix=False),
    run_tsc,
    check_vendored,
    check_lengths,
    check_imports,
    check_budget,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fix", action="store_true", help="format, and mend what the linter can")
    if parser.parse_args().fix:
        sys.exit(not run_biome(fix=True))
    results = [check() for check in CHECKS]  # all of them, also after a failure
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
