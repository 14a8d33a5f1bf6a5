"""What models can do, by the data that ships.

The data (``model_abilities.json``) is that of models.dev, compiled by
``tools/model_abilities.py``. It is read when it is asked for first.
"""

from __future__ import annotations

from functools import lru_cache
from pkgutil import get_data

import msgspec
from msgspec import Raw, Struct

from headway.metering.model_names import essence

MAX_NAME_LENGTH = 256
"""Characters. Nothing is known of a longer name."""
NOTHING: frozenset[str] = frozenset()


ABILITIES = ("images", "audio", "tools", "json_schema", "reasoning")


class ModelAbilities(Struct, frozen=True):
    context_window: int | None = None
    """The longest input in tokens; None: unknown."""
    max_output: int | None = None
    """The longest output in tokens; None: unknown."""
    lacks: frozenset[str] = NOTHING
    """Of ``ABILITIES`` what it cannot do."""
    has: frozenset[str] = NOTHING
    """What it can do. Of what is in neither it is unknown."""


UNKNOWN = ModelAbilities()


class _Data(Struct):
    source: str
    version: str
    kinds: dict[str, str]
    """Kind of provider -> name of the provider in the source."""
    providers: dict[str, Raw]


class AbilityBook:
    """Created by ``load``."""

    __slots__ = ("_data", "_providers", "source")

    def __init__(self, data: _Data) -> None:
        self._data = data
        self._providers: dict[str, _ProviderModels] = {}
        self.source = f"{data.source} {data.version}"
        """The source with the date and the version of the data."""

    @classmethod
    def load(cls, data: bytes) -> AbilityBook:
        """Raises msgspec.DecodeError if ``data`` is invalid."""
        return cls(msgspec.json.decode(data, type=_Data))

    def find(self, kind: str, model: str) -> ModelAbilities:
        """Of a model at a provider of this kind, by any of its names. Of several models that the
        name may mean, only what all of them lack."""
        name = self._data.kinds.get(kind)
        if name is None or len(model) > MAX_NAME_LENGTH:
            return UNKNOWN
        models = self._providers.get(name)
        if models is None:
            models = self._providers[name] = _ProviderModels(name, self._data.providers[name])
        return models.find(model)


class _Row(Struct, frozen=True, array_like=True):
    context_window: int | None
    max_output: int | None
    marks: str
    """``+``, ``-`` or ``?`` for each of ``ABILITIES``."""


class _ProviderModels:
    def __init__(self, vendor: str, data: Raw) -> None:
        self._vendor = vendor
        rows = msgspec.json.decode(data, type=dict[str, _Row])
        self._by_name = {name: _read(row) for name, row in rows.items()}
        self._by_essence: dict[tuple[str, ...], ModelAbilities] = {}
        for name, abilities in self._by_name.items():
            key = essence(name, vendor)
            known = self._by_essence.get(key)
            self._by_essence[key] = abilities if known is None else _common(known, abilities)

    def find(self, model: str) -> ModelAbilities:
        found = self._by_name.get(model.lower())
        return found or self._by_essence.get(essence(model, self._vendor), UNKNOWN)


def _read(row: _Row) -> ModelAbilities:
    marks = tuple(zip(ABILITIES, row.marks, strict=True))
    lacks, has = (frozenset(name for name, mark in marks if mark == one) for one in "-+")
    return ModelAbilities(row.context_window, row.max_output, lacks, has)


def _common(one: ModelAbilities, other: ModelAbilities) -> ModelAbilities:
    """What holds for both. Of the windows the longest, which refuses no request too early."""
    windows = one.context_window, other.context_window
    longest = None if None in windows else max(filter(None, windows))
    output = one.max_output if one.max_output == other.max_output else None
    return ModelAbilities(longest, output, one.lacks & other.lacks, one.has & other.has)


@lru_cache(maxsize=1)
def shipped_abilities() -> AbilityBook:
    found = get_data(__package__, "model_abilities.json")
    assert found is not None  # None only from a loader without get_data
    return AbilityBook.load(found)
