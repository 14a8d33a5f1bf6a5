"""Whether two names mean the same model: providers answer with a dated snapshot of an alias, with
or without the path, vendor or region that a request has before it."""

from __future__ import annotations

import re
from functools import lru_cache

ROUTING_SUFFIXES = ("nitro", "floor", "exacto", "online", "latest")
"""What routers accept after a colon to choose among the servers of one model, and the tag that
servers of one's own add (openrouter.ai/docs/guides/routing/model-variants,
docs.ollama.com/api, "Model names")."""
MAX_CACHED_NAMES = 1024

_ROUTING_SUFFIX = re.compile(rf":(?:{'|'.join(ROUTING_SUFFIXES)})$")
_PATH = re.compile(r"^.*/")
_VENDOR = re.compile(r"^(?:[a-z-]+\.)+(?=[a-z])")
"""``us.anthropic.`` of an inference profile."""
_REVISION = re.compile(r"[-@](?:v1|v?\d+:\d+|00\d|latest|default|high|low)$")
"""Among them the effort of reasoning, which some vendors add to a name."""
_DATE = re.compile(
    r"[-@.:](?:"
    r"(?:20\d\d-\d\d-\d\d|20\d{6})(?:-v\d+)?|\d{6}"  # 2025-08-07, 20230824-v2, 121024
    r"|(?:preview|exp)-\d\d-\d\d"  # preview-05-20
    r"|(?:(?:preview|exp)-)?(?:0[1-9]|1[0-2])-20\d\d"  # preview-09-2025, 08-2024
    r"|(?:0[1-9]|1[0-2])[0-3]\d|2[3-9](?:0[1-9]|1[0-2])"  # 0613, 2512
    r"|preview|exp)(?=$|[-:@])"
)
_WORD = re.compile(r"[a-z]+|\d+")


def strip_routing(name: str) -> str:
    """A model's name without a suffix that only says how to route the call."""
    return _ROUTING_SUFFIX.sub("", name)


def is_same_model(name: str, other: str, vendor: str) -> bool:
    """Whether both names mean one model, apart from its date or revision, and whoever serves it.
    ``vendor`` is a word that one of them may begin with."""
    return essence(name, vendor) == essence(other, vendor)


def is_more_exact(name: str, other: str, vendor: str) -> bool:
    """Whether ``name`` says all that ``other`` says of a model, and more: a date, the region in
    which it runs, or a variant such as ``:free``."""
    name, other = name.lower(), other.lower()
    return name.startswith(f"{other}:") or (other in name and is_same_model(name, other, vendor))


@lru_cache(maxsize=MAX_CACHED_NAMES)
def essence(name: str, vendor: str) -> tuple[str, ...]:
    """The words and numbers of a name without its date, revision, path and region, sorted, because
    vendors order them differently (``claude-sonnet-4.5``, ``claude-4.5-sonnet``). ``vendor`` is a
    word that the name may begin with."""
    short = _VENDOR.sub("", _PATH.sub("", strip_routing(name.lower()))).removeprefix(f"{vendor}-")
    while True:
        stripped = _DATE.sub("", _REVISION.sub("", short))
        if stripped == short:
            return tuple(sorted(_WORD.findall(short)))
        short = stripped
