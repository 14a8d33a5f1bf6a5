"""Re-creates the libraries of the web page: ``python tools/vendor_page.py``, or with ``--check``.

Writes ``src/headway/page/vendor/`` from npm packages, in the versions that
``tools/page/package.json`` names under ``dependencies``: the modules as the page imports them, each
library's licence, and ``manifest.json``, which says where each file comes from. No bundler: what is
published as an ES module is copied, and what is smaller as a script gets the two lines that make it
one. With ``--check``, nothing is written; a difference from what is committed is printed, and the
exit code is 1.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
VERSIONS = ROOT / "tools/page/package.json"
FOLDER = ROOT / "src/headway/page/vendor"
MANIFEST = "manifest.json"
NOTICE = "/* Made an ES module by tools/vendor_page.py: this line and the last were added. */\n"
"""What Apache-2.0 (section 4b) asks of a changed file."""

Package = Mapping[str, bytes]
"""The files of an npm package, by their paths in it."""
Change = Callable[[str], str]


class File(NamedTuple):
    """``source`` in the package becomes ``name`` in the library's folder, changed by ``change``."""

    source: str
    name: str
    change: Change | None = None


class Library(NamedTuple):
    folder: str
    package: str
    files: tuple[File, ...]
    also: str | None = None
    """The beginning of the paths of further files, which keep the rest of their paths."""
    suffix: str = ""


def without_source_map(text: str) -> str:
    """A module without the comment that names a file which is not here."""
    return re.sub(r"\n?//# sourceMappingURL=\S+\s*$", "\n", text)


def export_global(name: str) -> Change:
    """Make a module of a script that declares one variable."""
    return lambda text: f"{NOTICE}{without_source_map(text).rstrip()}\nexport default {name};\n"


def export_default(text: str) -> str:
    """Make a module of a script that assigns ``module.exports``."""
    return f"{_as_module(text)}export default module.exports;\n"


def export_names(text: str) -> str:
    """Make a module of a script that assigns ``exports.<name>``."""
    names = ", ".join(sorted(set(re.findall(r"\bexports\.(\w+)=", text))))
    return f"{_as_module(text)}export const {{ {names} }} = exports;\n"


def _as_module(text: str) -> str:
    script = without_source_map(text).rstrip("\n")
    return f"{NOTICE.rstrip()} const exports = {{}}, module = {{ exports }};\n{script}\n"


def only_woff2(text: str) -> str:
    """A style sheet without the older formats of its fonts, which are not vendored."""
    return re.sub(r',url\([^)]*\) format\("(woff|truetype)"\)', "", text)


LIBRARIES = (
    Library(
        "preact",
        "preact",
        (
            File("dist/preact.mjs", "preact.js", without_source_map),
            File("hooks/dist/hooks.mjs", "hooks.js", without_source_map),
        ),
    ),
    Library("htm", "htm", (File("dist/htm.mjs", "htm.js"),)),
    Library(
        "signals-core",
        "@preact/signals-core",
        (File("dist/signals-core.mjs", "signals-core.js", without_source_map),),
    ),
    Library(
        "signals",
        "@preact/signals",
        (File("dist/signals.mjs", "signals.js", without_source_map),),
    ),
    Library(
        "uplot",
        "uplot",
        (
            File("dist/uPlot.iife.min.js", "uplot.js", export_global("uPlot")),
            File("dist/uPlot.min.css", "uplot.css"),
        ),
    ),
    Library("marked", "marked", (File("lib/marked.esm.js", "marked.js", without_source_map),)),
    Library(
        "speed-highlight",
        "@speed-highlight/core",
        (File("dist/index.js", "index.js"), File("dist/detect.js", "detect.js")),
        also="dist/languages/",
        suffix=".js",
    ),
    Library(
        "katex",
        "katex",
        (
            File("dist/katex.min.js", "katex.js", export_default),
            File("dist/katex.min.css", "katex.css", only_woff2),
        ),
        also="dist/fonts/",
        suffix=".woff2",
    ),
    Library("diff", "diff", (File("dist/diff.min.js", "diff.js", export_names),)),
)


def create() -> dict[str, bytes]:
    """The whole folder, as bytes by path."""
    versions = json.loads(VERSIONS.read_text())["dependencies"]
    assert sorted(versions) == sorted(library.package for library in LIBRARIES)
    created: dict[str, bytes] = {}
    manifest = {}
    with tempfile.TemporaryDirectory() as folder:
        for library in LIBRARIES:
            version = versions[library.package]
            archive = _download(f"{library.package}@{version}", Path(folder))
            _check_integrity(library, version, integrity := _integrity(archive))
            package = _unpack(archive)
            files = dict(_vendored(library, package))
            created |= {path: content for path, (_, content) in files.items()}
            manifest[library.package] = _entry(version, integrity, package, files)
    created[MANIFEST] = (json.dumps(manifest, indent=2) + "\n").encode()
    return created


def _download(spec: str, folder: Path) -> bytes:
    """npm compares what it gets with the integrity that the registry states."""
    packed = subprocess.run(  # noqa: S603
        ["npm", "pack", "--silent", "--prefer-offline", f"--pack-destination={folder}", spec],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    return (folder / packed.stdout.split()[-1]).read_bytes()


def _integrity(archive: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()


def _check_integrity(library: Library, version: str, integrity: str) -> None:
    """A version that was vendored before must still be the same package."""
    path = FOLDER / MANIFEST
    known = json.loads(path.read_text()).get(library.package, {}) if path.exists() else {}
    if known.get("version") == version and known["integrity"] != integrity:
        sys.exit(f"{library.package} {version} is not the package that was vendored before")


def _unpack(archive: bytes) -> Package:
    with tempfile.TemporaryFile() as file:
        file.write(archive)
        file.seek(0)
        with tarfile.open(fileobj=file) as tar:
            members = [member for member in tar if member.isfile()]
            return {
                member.name.partition("/")[2]: reader.read()
                for member in members
                if (reader := tar.extractfile(member)) is not None
            }


def _vendored(library: Library, package: Package) -> Iterator[tuple[str, tuple[str, bytes]]]:
    """The paths in the folder of one library's files, their paths in the package, and bytes."""
    for source, name, change in [*library.files, *_further_files(library, package)]:
        content = package[source]
        if change is not None:
            content = change(content.decode()).encode()
        yield f"{library.folder}/{name}", (source, content)
    source = next(path for path in sorted(package) if re.fullmatch(r"LICEN[CS]E(\.\w+)?", path))
    yield f"{library.folder}/LICENSE", (source, package[source])


def _further_files(library: Library, package: Package) -> Iterator[File]:
    if library.also is None:
        return
    kept = library.also.removeprefix("dist/")
    for path in sorted(package):
        if path.startswith(library.also) and path.endswith(library.suffix):
            yield File(path, kept + path.removeprefix(library.also))


def _entry(
    version: str, integrity: str, package: Package, files: Mapping[str, tuple[str, bytes]]
) -> dict[str, Any]:
    return {
        "version": version,
        "licence": json.loads(package["package.json"])["license"],
        "integrity": integrity,
        "files": {
            path: {"source": source, "sha256": hashlib.sha256(content).hexdigest()}
            for path, (source, content) in files.items()
        },
    }


def differences(created: Mapping[str, bytes]) -> Iterator[str]:
    """What in the folder is not as created."""
    present = {
        path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*") if path.is_file()
    }
    for name in sorted(present.keys() | created.keys()):
        if name not in created:
            yield f"{name} belongs to no library"
        elif name not in present:
            yield f"{name} is missing"
        elif present[name].read_bytes() != created[name]:
            yield f"{name} is not as its package has it"


def write(created: Mapping[str, bytes]) -> None:
    for path in [path for path in FOLDER.rglob("*") if path.is_file()]:
        if path.relative_to(FOLDER).as_posix() not in created:
            path.unlink()
    for name, content in created.items():
        (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / name).write_bytes(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    is_check = parser.parse_args().check
    created = create()
    if not is_check:
        write(created)
    elif found := list(differences(created)):
        sys.exit("\n".join([f"{FOLDER.relative_to(ROOT)} is not as re-created:", *found]))
    size = sum(len(content) for content in created.values())
    print(f"{len(created)} files of {len(LIBRARIES)} libraries, {size} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
