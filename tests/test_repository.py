"""What the repository promises about itself: pins, documents, sizes, and names in their place."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import headway
from headway.providers import KINDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "headway"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
REQUIREMENTS = sorted((ROOT / "requirements").iterdir())

PAGE_PACKAGES = json.loads((ROOT / "tools/page/package.json").read_text())
PAGE_LIBRARIES: dict[str, str] = PAGE_PACKAGES["dependencies"]
VENDORED = PACKAGE / "page/vendor"

# Brackets keep these patterns from finding themselves.
UNWANTED = {
    "a package registry's host": r"py[p]i[.]org|python[h]osted[.]|registry[.]np[m]js",
    "a distribution's host": r"deb[.]deb[i]an[.]org|archive[.]ub[u]ntu",
    "a path of one machine": r"(?<![\w.])/([w]ork|[r]oot|tmp/[b]ash_jobs)/",
}

Sources = list[tuple[str, list[ast.AST]]]
"""Path and nodes of each module. Kept for this module's tests alone: as long as there are so many
objects, each look for garbage takes a tenth of a second."""

LONGEST_FILE = 600
LONGEST_FUNCTION = 40

# Words of names in src/ that do not say what is meant; docs/glossary.md has the terms that do.
BANNED_WORDS = frozenset(
    [
        "anew",
        "begun",
        "beside",
        "bury",
        "chores",
        "conceal",
        "deaf",
        "endings",
        "glance",
        "glimpse",
        "greeter",
        "harmless",
        "heard",
        "mends",
        "news",
        "others",
        "ours",
        "patience",
        "quirks",
        "shelf",
        "shelves",
        "shown",
        "spare",
        "standin",
        "stranger",
        "strangers",
        "takers",
        "theirs",
        "told",
        "whereabouts",
        "wish",
        "witness",
    ]
)

# Where a provider's name is shown, not acted on: examples of the documentation, a default that the
# user sees. Anywhere else it would be a special case in shared code.
NAMES_SHOWN = {
    "cli/chat.py": {"local"},
    "cli/first_call.py": {"local"},
    "dialects/gemini/generate.py": {"gemini"},  # the name of a wire format too
    "dialects/input_items/convert.py": {"openai_responses"},  # the name of a wire format too
    "dialects/openai/completion_request.py": {"echo"},  # a parameter of OpenAI's
    "dialects/openai/completions.py": {"echo"},
    "metering/tokens.py": {"deepseek", "gemini", "mistral"},  # families of models
    "record.py": {"openai_responses"},  # the name of a dialect too
    "server/api/explain_route.py": {"gemini", "ollama", "openai_responses"},  # wire formats too
    "server/openapi/examples/anthropic.py": {"anthropic"},
    "server/openapi/examples/base.py": {"openai"},
    "server/openapi/examples/completions.py": {"local"},
    "server/openapi/examples/explain.py": {"anthropic", "openai"},
    "server/openapi/examples/info.py": {"local", "openai"},
    "server/openapi/examples/openai.py": {"local"},
    "server/openapi/examples/relayed.py": {"echo"},
    "server/openapi/examples/responses.py": {"anthropic", "local"},
    "server/openapi/operations.py": {"local", "openai"},
}


def distribution(requirement: str) -> str:
    """``uvloop; sys_platform != 'win32'`` -> ``uvloop``."""
    name = re.match(r"(@[\w.-]+/)?[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def direct_dependencies() -> set[str]:
    lists = [RUNTIME, *EXTRAS.values(), *GROUPS.values()]
    return {distribution(requirement) for several in lists for requirement in several}


def pins(path: Path) -> dict[str, str]:
    """Name to the rest of its requirement: the version, its marker and its hashes."""
    lines = re.sub(r"(?m)^ *#.*\n?", "", path.read_text()).replace("\\\n", " ").splitlines()
    return {distribution(line): line[len(distribution(line)) :].strip() for line in lines if line}


def tracked_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return (path for path in paths if path.is_file())


@pytest.fixture(scope="module")
def sources() -> Sources:
    return [
        (path.relative_to(PACKAGE).as_posix(), list(ast.walk(ast.parse(path.read_text()))))
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


# --- Pins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_every_requirement_is_one_version_with_its_hashes(path: Path) -> None:
    wrong = {
        name: pin
        for name, pin in pins(path).items()
        if not re.fullmatch(r"==\S+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+", pin)
    }

    assert pins(path)
    assert wrong == {}


def test_every_direct_dependency_is_pinned() -> None:
    pinned = {name for path in REQUIREMENTS for name in pins(path)}

    assert direct_dependencies() - pinned == set()


def test_the_gateway_is_tested_with_the_versions_that_it_runs_with() -> None:
    assert (
        pins(ROOT / "requirements/run.txt").items() <= pins(ROOT / "requirements/dev.txt").items()
    )


def test_every_imported_distribution_is_a_declared_dependency(sources: Sources) -> None:
    optional = [name for names in EXTRAS.values() for name in names]
    declared = {distribution(name) for name in [*RUNTIME, *optional]}
    owners = importlib.metadata.packages_distributions()
    undeclared = {
        f"{path}: {name}"
        for path, nodes in sources
        for name in imported(nodes)
        if name not in sys.stdlib_module_names | {"headway"}
        and not declared & {distribution(owner) for owner in owners.get(name, [name])}
    }

    assert undeclared == set()


def imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The top-level packages that a module imports, anywhere in it."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def test_every_vendored_file_is_as_its_manifest_says() -> None:
    manifest = json.loads((VENDORED / "manifest.json").read_text())
    stated = {
        path: file["sha256"] for entry in manifest.values() for path, file in entry["files"].items()
    }
    present = {
        path.relative_to(VENDORED).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDORED.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }

    assert present == stated
    assert {name: entry["version"] for name, entry in manifest.items()} == PAGE_LIBRARIES
    for name, entry in manifest.items():
        assert any(path.endswith("/LICENSE") for path in entry["files"]), name


# --- Documents ----------------------------------------------------------------------------------


def test_the_changelog_has_the_current_version() -> None:
    assert f"## [{headway.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_has_its_paragraph_and_every_paragraph_its_dependency() -> None:
    headings = re.findall(r"(?m)^### (.+)$", (ROOT / "docs/dependencies.md").read_text())
    described = {distribution(name) for heading in headings for name in heading.split(", ")}

    of_page = {*PAGE_LIBRARIES, *PAGE_PACKAGES["devDependencies"]}
    assert described == direct_dependencies() | of_page


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    broken = {
        f"{path.name}: {link}"
        for path in documents
        for link in re.findall(r"\]\(([^)#\s]+)", path.read_text())
        if "://" not in link and not (path.parent / link).exists()
    }

    assert documents
    assert broken == set()


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"(?m)^\.PHONY: (.+)$", makefile)
    assert phony is not None
    targets = {name for name in phony[1].split() if not name.startswith("setup-")}

    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert set(re.findall(r"(?m)^ +make (\S+) +\S", shown.stdout)) == targets


# --- Names and sizes ----------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", UNWANTED.values(), ids=UNWANTED)
def test_no_tracked_file_holds(pattern: str) -> None:
    wanted = re.compile(pattern.encode())

    assert [path for path in tracked_files() if wanted.search(path.read_bytes())] == []


def test_no_file_is_longer_than_one_concept_needs() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}

    assert {path.name: n for path, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_function_is_longer_than_one_thing_needs(sources: Sources) -> None:
    # The body alone counts: a command's signature declares its options.
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, nodes in sources
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.body[0].lineno >= LONGEST_FUNCTION
    ]

    assert long == []


def test_no_name_in_the_source_has_a_banned_word(sources: Sources) -> None:
    found = {
        f"{path}: {name}"
        for path, nodes in sources
        for name in [*Path(path).with_suffix("").parts, *identifiers(nodes)]
        if BANNED_WORDS.intersection(words(name))
    }

    assert found == set()


def identifiers(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def words(name: str) -> list[str]:
    """``_is_cutOff`` -> is, cut, off."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]


def test_no_providers_name_stands_in_shared_code(sources: Sources) -> None:
    named = {
        f"{path}:{line} {name}"
        for path, nodes in sources
        if not path.startswith(("providers/", "local/"))
        for line, name in provider_names(nodes)
        if name not in NAMES_SHOWN.get(path, ())
    }

    assert named == set()


def provider_names(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """Where a module spells a provider's name, alone or in ``name/model``, or imports it."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition("/")[0]
            if name in KINDS:
                yield node.lineno, name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None) or ""
            for alias in node.names:
                parts = f"{module}.{alias.name}".split(".")
                if "providers" in parts and parts[-1] in KINDS:
                    yield node.lineno, parts[-1]


# --- Nothing left out ---------------------------------------------------------------------------

SKIPPING = """\
import pytest
pytestmark = pytest.mark.{mark}
def test_needs_a_service(): pytest.skip("no such service here")
"""


@pytest.mark.parametrize(
    ("ci", "mark", "code", "says"),
    [
        ("", "usefixtures", 0, "1 skipped"),
        ("true", "usefixtures", 1, "1 failed"),
        ("true", "skip(reason='no such service here')", 1, "1 error"),
        ("true", "skip(reason='recordings are absent: no such service here')", 0, "1 skipped"),
    ],
)
def test_a_skip_is_a_failure_where_nothing_may_be_left_out(
    tmp_path: Path, ci: str, mark: str, code: int, says: str
) -> None:
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(SKIPPING.format(mark=mark))

    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", "-c", os.devnull]
        + [f"--rootdir={tmp_path}", str(tmp_path)],
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == code
    assert says in result.stdout
    assert "no such service here" in result.stdout
