"""The values of a configuration, frozen, with all defaults. None is unknown or not given. A secret
is never part of a ``repr``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol

from msgspec import Struct

from headway.config.route_schema import Route, Routing
from headway.config.secret import Secret
from headway.types import Timeouts

MIB = 1024 * 1024


class Variable(Protocol):
    """An environment variable that sets a key of a provider."""

    @property
    def name(self) -> str: ...
    @property
    def read(self) -> Callable[[str], str]:
        """Convert its text to the value of that key. Raises ValueError."""


class KindInfo(Protocol):
    """The facts of a provider kind that reading the configuration needs."""

    @property
    def name(self) -> str: ...
    @property
    def base_url(self) -> str | None:
        """None: the provider runs on this machine, or has no address before it is configured."""

    @property
    def key_env(self) -> str | None:
        """The standard environment variable of its key; None if it needs no key."""

    @property
    def options(self) -> Mapping[str, str]:
        """Further keys of this kind, with their meaning; they end up in ``Provider.options``."""

    @property
    def secrets(self) -> frozenset[str]:
        """Names of ``options`` whose values are secret texts."""

    @property
    def environ(self) -> Mapping[str, Variable]:
        """``base_url``, or a key of ``options``, to the variable that the vendor's own SDK reads
        for it."""


class TokenPrice(Struct, frozen=True, kw_only=True):
    """Dollars per million tokens, exact. None: not given."""

    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    input_image: Decimal | None = None
    input_video: Decimal | None = None
    cached_audio: Decimal | None = None
    cached_image: Decimal | None = None
    output_audio: Decimal | None = None
    output_image: Decimal | None = None
    output_video: Decimal | None = None
    citations: Decimal | None = None


class TierPrice(TokenPrice, frozen=True, kw_only=True):
    """The same, and what is billed by other units."""

    requests: Decimal | None = None
    """Dollars per thousand, like the next three."""
    web_searches: Decimal | None = None
    file_searches: Decimal | None = None
    search_units: Decimal | None = None
    characters: Decimal | None = None
    """Dollars per million."""
    audio_hours: Decimal | None = None
    """Dollars per hour."""
    above: Mapping[int, TokenPrice] = {}
    """Number of input tokens -> what is different above it, for all tokens of the request."""


class Price(TierPrice, frozen=True, kw_only=True):
    """The standard price, and those of tiers."""

    tiers: Mapping[str, TierPrice] = {}


class ProviderKey(Struct, frozen=True, kw_only=True):
    """One of several keys of a provider."""

    key: Secret
    weight: float = 1.0
    name: str = ""


class Provider(Struct, frozen=True, kw_only=True):
    """One configured provider, ready to be called."""

    name: str
    """The name in the route."""
    kind: str
    base_url: str | None = None
    """Without a trailing slash. None: the kind determines it (a model on this machine)."""
    is_configured: bool = False
    """The file names it, or an environment variable holds its address."""
    lacks_address: bool = False
    """It is a kind of server of one's own, and nothing says where one is: ``base_url`` is the
    address at which such servers listen by default. Only a call with an address can use it."""
    api_key: Secret | None = None
    api_keys: tuple[ProviderKey, ...] = ()
    """Where it has several; ``api_key`` is the first of them."""
    key_env: str | None = None
    """The standard variable of this provider's key, named in the error when there is no key."""
    needs_key: bool = False
    """False as well for a configured ``base_url`` without ``api_key``."""
    headers: Mapping[str, Secret] = {}
    """Sent on every request. Values may be keys, so they are hidden."""
    timeouts: Timeouts = Timeouts()
    models: tuple[str, ...] = ()
    """Model names to list in addition to, or instead of, those of the kind."""
    proxy: Secret | None = None
    """A proxy's URL, which may hold a password; "" uses no proxy, and None those of
    ``Config.proxy_environ``."""
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    verify: bool = True
    options: Mapping[str, Any] = {}
    """Further settings of this kind; secret ones are a ``Secret``."""

    sources: Mapping[str, str] = {}
    """``base_url`` and options that come from the environment: the variable of each."""

    def __repr__(self) -> str:
        """Options may contain keys under any name, so only their names are included."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["options"] = sorted(self.options)
        return f"Provider({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


class Log(Struct, frozen=True, kw_only=True):
    level: str = "info"
    format: str = "text"
    access: bool = False


class Server(Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    body_limit: int = 32 * MIB
    """Bytes."""
    json_limit: int = 200_000
    """Strings, objects and lists in a body."""
    api_keys: tuple[Secret, ...] = ()
    allow_base_url: bool | None = None
    """Clients may send a ``base_url``. None: only if there are no ``api_keys``."""
    base_url_keys: tuple[Secret, ...] = ()
    """Those of ``api_keys`` whose owners may send one in any case."""
    admin_keys: tuple[Secret, ...] = ()
    """Those of ``api_keys`` whose owners may read the records of all keys."""
    cors_origins: tuple[str, ...] = ()
    shutdown_grace: float = 30.0
    """Seconds."""
    keep_alive: float = 75.0
    """Seconds."""
    read_timeout: float = 60.0
    """Seconds."""
    stream_comment: float = 15.0
    """Seconds."""
    log: Log = Log()
    passthrough: bool = True
    """Pass requests through to the providers' own APIs."""
    page: bool = True
    """Serve the web page."""
    strict: bool = False
    """Refuse requests that a provider's adapter would have to transform."""
    insecure: bool = False


class Ledger(Struct, frozen=True, kw_only=True):
    """Where records are kept, and for how long."""

    url: Secret
    """``sqlite:////absolute/path`` (relative paths are resolved), or
    ``postgresql://user:password@host:port/database``."""
    spool: str
    """The absolute path of the directory of records that are not in the database yet."""
    content: Literal["off", "hash", "full"] = "off"
    content_by_key: Mapping[str, Literal["off", "hash", "full"]] = {}
    """Id of a gateway key -> what is kept for its owner."""
    redact: str | None = None
    """``module:function``, which is given each text and returns what is kept."""
    fsync: Literal["off", "interval", "always"] = "off"
    on_failure: Literal["continue", "refuse"] = "continue"
    spool_limit: int = 10 * 1000**3
    """Bytes."""
    retention: float | None = None
    """Seconds; None keeps records for ever."""
    content_retention: float | None = None
    """Seconds; None keeps content as long as its record."""
    archive: str | None = None
    """An absolute directory, or ``s3://bucket/prefix``."""
    drain_on_disconnect: bool = False
    drain_bytes: int = 8 * MIB
    drain_seconds: float = 60.0
    drain_usd: Decimal = Decimal(1)


class SemanticCache(Struct, frozen=True, kw_only=True):
    """When a request is answered with the response to a similar one."""

    model: str
    """``provider/model``."""
    threshold: float
    mode: Literal["shadow", "serve"] = "shadow"
    entries: int = 10_000


class Cache(Struct, frozen=True, kw_only=True):
    """Which responses are kept for identical requests."""

    ttl: float | None = None
    """Seconds for the requests of all models; None: only of routes and requests that say so."""
    tenant: Literal["key", "gateway"] = "key"
    memory: int = 64 * MIB
    """Bytes in each worker."""
    file: str | None = None
    """An absolute path."""
    file_limit: int = 1024 * MIB
    response_limit: int = 4 * MIB
    tools: bool = False
    pace: Literal["instant", "recorded"] = "instant"
    coalesce: Literal["off", "deterministic", "all"] = "deterministic"
    semantic: SemanticCache | None = None


class Config(Struct, frozen=True, kw_only=True):
    """The whole configuration, resolved."""

    ledger: Ledger
    server: Server = Server()
    cache: Cache = Cache()
    providers: Mapping[str, Provider] = {}
    """Providers by name; every shipped kind is included under its own name, with servers of one's
    own that nobody configured."""
    models: Mapping[str, str | Route] = {}
    """Other names for models -> ``provider/model`` or a route, in the file's order; ``unknown`` for
    any."""
    routing: Routing = Routing()
    timeouts: Timeouts = Timeouts()
    """The defaults; ``Provider.timeouts`` already includes them."""
    prices: Mapping[str, Mapping[str, Price]] = {}
    """Provider name, model, price."""
    overrides: Overrides | None = None
    """What the command line said."""
    warnings: tuple[str, ...] = ()
    """What was ignored, one line each. They contain no values."""
    proxy_environ: Mapping[str, str] = {}
    """HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as the environment has them, names in upper
    case. URLs among them may hold a password and are hidden."""
    credential_environ: Mapping[str, Secret] = {}
    """The environment variables that cloud SDKs read. Any of them may be a secret, so all are
    hidden."""
    source: str | None = None
    """The file that was read; None if there was none."""


class Overrides(Struct, frozen=True, kw_only=True):
    """Options of the command line; None where not given."""

    host: str | None = None
    port: int | None = None
    workers: int | None = None
    insecure: bool | None = None
    log_level: str | None = None
    log_format: str | None = None
    log_access: bool | None = None
