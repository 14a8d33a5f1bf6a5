"""The blocks of docs/clients.md, for clients whose programs run what is printed there."""

from __future__ import annotations

import re

from cells import URL
from client import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


def documented_block(heading: str, language: str) -> str:
    """With the address of the gateway that runs. Raises LookupError if there is none."""
    pattern = rf"^### {re.escape(heading)}\n.*?^```{language}\n(.*?)^```$"
    found = re.search(pattern, PAGE, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"docs/clients.md has no block of {language} below {heading!r}")
    return found[1].replace(ADDRESS, URL)
