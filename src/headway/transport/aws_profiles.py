"""The shared configuration and credentials files of AWS's tools, as profiles
(docs.aws.amazon.com/sdkref/latest/guide/file-format.html)."""

from __future__ import annotations

from collections.abc import Mapping
from configparser import Error, RawConfigParser
from pathlib import Path

from headway.errors import UpstreamAuth

Profile = Mapping[str, str]
"""Names in lower case; a nested section is one value of several lines, which nobody here reads."""

FILES = (
    ("AWS_CONFIG_FILE", "config", "profile "),
    ("AWS_SHARED_CREDENTIALS_FILE", "credentials", ""),
)
"""Variable, usual name in ~/.aws, and what stands before a profile's name. The later one wins."""
DEFAULT = "default"


def read_profiles(environ: Mapping[str, str]) -> dict[str, Profile]:
    """All profiles of both files; a file that is not there holds none. Blocks: call it in a thread.
    Raises UpstreamAuth for a file that cannot be read."""
    profiles: dict[str, dict[str, str]] = {}
    for variable, name, prefix in FILES:
        path = _path(environ, variable, name)
        if path is None or not path.is_file():
            continue
        for section, values in _sections(path).items():
            if section == DEFAULT or section.startswith(prefix):
                profiles.setdefault(section.removeprefix(prefix).strip(), {}).update(values)
    return dict(profiles)


def _path(environ: Mapping[str, str], variable: str, name: str) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    given = environ.get(variable) or (f"~/.aws/{name}" if home else None)
    if given is None:
        return None
    if given.startswith("~/") and home:
        return Path(home) / given[2:]
    return Path(given)


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, Error) as error:
        what = type(error).__name__  # its text may quote the file, and the file holds secrets
        message = f"AWS's file {path} cannot be read ({what}): check its rights and its syntax."
        raise UpstreamAuth(message, code="aws_file_unreadable") from None
    return {
        name: {key: value for key, value in parser.items(name) if value is not None}
        for name in parser.sections()
    }
