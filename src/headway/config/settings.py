"""The declaration of every key: its type, its meaning, its variable and its flag.

Reading, help texts and docs/configuration.md all come from these tables; names and defaults are
those of the structs in schema.py.
"""

from __future__ import annotations

from headway.config import value_types
from headway.config.route_settings import ROUTE, ROUTING
from headway.config.schema import (
    Cache,
    Ledger,
    Log,
    Price,
    Provider,
    ProviderKey,
    SemanticCache,
    Server,
    TierPrice,
    TokenPrice,
)
from headway.config.specs import Forms, Key, ListType, Section, Table
from headway.types import Timeouts

LOG = Section(
    {
        "level": Key(
            value_types.LOG_LEVEL,
            "What is logged. Failures of requests are: `info` where the client is at fault, "
            "`warning` where the provider is, `error` where the gateway is.",
            "HEADWAY_LOG_LEVEL",
            "--log-level",
        ),
        "format": Key(
            value_types.LOG_FORMAT,
            "Lines of text, or one JSON object a line with `ts`, `level`, `msg` and fields.",
            "HEADWAY_LOG_FORMAT",
            "--log-format",
        ),
        "access": Key(
            value_types.FLAG,
            "Logs each request, whatever `level` is: method, path, status, seconds, id and bytes.",
            "HEADWAY_LOG_ACCESS",
            "--log-access",
        ),
    },
    Log,
)

SERVER = Section(
    {
        "host": Key(
            value_types.HOST,
            "Address to listen on. One that other machines can reach needs `server.api_keys`.",
            "HEADWAY_HOST",
            "--host",
        ),
        "port": Key(
            value_types.PORT, "TCP port to listen on; 0 takes a free one.", "HEADWAY_PORT", "--port"
        ),
        "workers": Key(
            value_types.COUNT, "Processes that serve requests.", "HEADWAY_WORKERS", "--workers"
        ),
        "body_limit": Key(value_types.SIZE, "Largest request body; a larger one gets a 413."),
        "json_limit": Key(
            value_types.ITEMS,
            "Most strings, names of fields, objects and lists in a JSON body; one with more gets a "
            "413. A conversation of a thousand turns has about twenty thousand.",
        ),
        "api_keys": Key(
            ListType(value_types.KEY),
            "The gateway keys. With any set, every route but `/` with its page, `/health` and "
            "the documentation requires one, as `Authorization: Bearer` or `x-api-key`.",
            "HEADWAY_API_KEYS",
        ),
        "allow_base_url": Key(
            value_types.FLAG,
            "Whether clients may send a `base_url`, so that the gateway calls any address.",
            default="`true` without `server.api_keys`, `false` with them",
        ),
        "base_url_keys": Key(
            ListType(value_types.KEY),
            "Those of `server.api_keys` whose owners may send a `base_url` in any case.",
        ),
        "admin_keys": Key(
            ListType(value_types.KEY),
            "Those of `server.api_keys` whose owners may read the records of all keys; others read "
            "their own.",
            "HEADWAY_ADMIN_KEYS",
        ),
        "cors_origins": Key(
            ListType(value_types.ORIGIN),
            "Origins whose pages may call the gateway; `*` allows all.",
        ),
        "shutdown_grace": Key(
            value_types.DURATION, "Time for replies in progress after SIGTERM, in seconds."
        ),
        "keep_alive": Key(
            value_types.DURATION,
            "Time for which an idle client connection is kept open, in seconds.",
        ),
        "read_timeout": Key(
            value_types.TIMEOUT,
            "Seconds that a client may take to send its request; then it gets a 408.",
        ),
        "stream_comment": Key(
            value_types.TIMEOUT,
            "Seconds of silence after which a stream of server-sent events gets a comment, so that "
            "no proxy closes the connection.",
        ),
        "log": Key(
            LOG,
            "The log, on stderr: it has no prompts, answers or keys. SIGHUP applies changes.",
            default="see `server.log`",
        ),
        "passthrough": Key(
            value_types.FLAG,
            "Whether `/providers/{name}/...` passes requests through to a provider's own API, with "
            "all that the provider's key allows.",
        ),
        "page": Key(
            value_types.FLAG,
            "Whether browsers get the web page at `/`. It needs no key; what it shows does.",
            "HEADWAY_PAGE",
        ),
        "strict": Key(
            value_types.FLAG,
            "Refuses every request that needs a transformation for its provider (a parameter "
            "dropped, renamed, clamped or emulated), like `strict: true` in a request.",
        ),
        "insecure": Key(
            value_types.FLAG,
            "Allows a host that other machines can reach without `server.api_keys`.",
            flag="--insecure",
        ),
    },
    Server,
)

LEDGER = Section(
    {
        "url": Key(
            value_types.LEDGER_URL,
            "The database of the records of all requests: SQLite, or PostgreSQL as "
            "`postgresql://user:${PASSWORD}@host/database`.",
            "HEADWAY_LEDGER_URL",
            default="`headway/headway.db` in `$XDG_STATE_HOME` or `~/.local/state`",
        ),
        "spool": Key(
            value_types.TEXT,
            "Directory of the records that are not in the database yet, on a local disk.",
            "HEADWAY_LEDGER_SPOOL",
            default="next to the SQLite file; for PostgreSQL next to where that would be",
        ),
        "content": Key(
            value_types.CONTENT,
            "What is kept of prompts and answers: `off` nothing, `hash` the SHA-256 of each "
            "message, `full` all of them, each message once.",
            "HEADWAY_LEDGER_CONTENT",
        ),
        "content_by_key": Key(
            Table("key id", value_types.TEXT, value_types.CONTENT),
            "What is kept for the owner of a gateway key, by the id that its records have: the "
            "first eight hex digits of the key's SHA-256.",
            default="`ledger.content`",
        ),
        "redact": Key(
            value_types.FUNCTION,
            "A Python function that is given each text of a request and of its answer before they "
            "are kept, and returns the text to keep.",
        ),
        "fsync": Key(
            value_types.FSYNC,
            "When records are forced to the disk: `off` leaves it to the operating system, "
            "`interval` does it each second, `always` before each reply ends. A killed process "
            "loses nothing in any case; a power failure does.",
        ),
        "on_failure": Key(
            value_types.ON_FAILURE,
            "What happens while no record can be written, or `spool_limit` is reached: `continue` "
            "serves requests without a record, `refuse` answers with 503.",
        ),
        "spool_limit": Key(
            value_types.SIZE, "Size of the spool above which records count as not writable."
        ),
        "retention": Key(
            value_types.AGE, "Age at which records are deleted.", default="kept for ever"
        ),
        "content_retention": Key(
            value_types.AGE,
            "Age at which prompts and answers are deleted; their records stay.",
            default="`retention`",
        ),
        "archive": Key(
            value_types.ARCHIVE,
            "Directory or `s3://bucket/prefix` to which the records of each past hour are written "
            "as Parquet.",
        ),
        "drain_on_disconnect": Key(
            value_types.FLAG,
            "Reads the rest of a provider's response when the client disconnects, to get its true "
            "usage. The provider generates it, and bills for it, in full then.",
        ),
        "drain_bytes": Key(value_types.SIZE, "Most bytes that are read then."),
        "drain_seconds": Key(value_types.TIMEOUT, "Longest time for which it is read."),
        "drain_usd": Key(
            value_types.DOLLARS,
            "Estimated cost of the output at which reading stops, in dollars.",
            default="`1`",
        ),
    },
    Ledger,
)

SEMANTIC = Section(
    {
        "model": Key(
            value_types.MODEL,
            "The embedding model that says how similar two texts are. Each new text is sent to it.",
        ),
        "threshold": Key(
            value_types.SIMILARITY,
            "The least similarity (cosine) at which a kept answer counts. What is right depends on "
            "the model and the questions: find it in the `shadow` mode.",
        ),
        "mode": Key(
            value_types.SEMANTIC_MODE,
            "`shadow` serves nothing, and puts on record what it would have served and how similar "
            "that was to the provider's own answer; `serve` serves it.",
        ),
        "entries": Key(value_types.ENTRIES, "Most vectors that each worker keeps in memory."),
    },
    SemanticCache,
)

CACHE = Section(
    {
        "ttl": Key(
            value_types.TIMEOUT,
            "Keeps the complete response to each request for that long, to answer identical "
            "requests with it. Without it only routes with `cache` do so, and requests with the "
            "header `x-headway-cache-ttl`.",
            default="nothing is kept",
        ),
        "tenant": Key(
            value_types.TENANT,
            "Who may get a response again: `key` requests with the same gateway key, `gateway` "
            "all. A client's own provider key keeps its responses apart in any case.",
        ),
        "memory": Key(value_types.SIZE, "Size of the cache in the memory of each worker."),
        "file": Key(
            value_types.TEXT,
            "SQLite file in which all workers keep responses, also over a restart.",
            default="memory only",
        ),
        "file_limit": Key(value_types.SIZE, "Size of that file's responses."),
        "response_limit": Key(value_types.SIZE, "Largest response that is kept."),
        "tools": Key(
            value_types.FLAG,
            "Also answers requests that offer tools. An agent that repeats a step wants a new "
            "result, so that they are left out by default.",
        ),
        "pace": Key(
            value_types.PACE,
            "How streams are replayed: `instant` all at once, or in their `recorded` rhythm.",
        ),
        "coalesce": Key(
            value_types.COALESCE,
            "Whether identical requests that arrive while the first is being answered share its "
            "response: `deterministic` those with temperature 0, `all`, or `off`.",
        ),
        "semantic": Key(
            SEMANTIC,
            "Requests that differ in the last text of the user only, and mean the same.",
            default="none: only identical requests",
        ),
    },
    Cache,
)

TIMEOUTS = Section(
    {
        "connect": Key(value_types.TIMEOUT, "Seconds until connected, TLS included."),
        "first_byte": Key(
            value_types.TIMEOUT, "Seconds from sending to the response's first byte."
        ),
        "idle": Key(value_types.TIMEOUT, "Seconds between two reads of a response."),
        "total": Key(value_types.TIMEOUT, "Seconds from sending to the response's last byte."),
    },
    Timeouts,
)

TOKEN_RATES: dict[str, Key] = {
    "input": Key(value_types.PRICE, "Dollars per million input tokens."),
    "output": Key(value_types.PRICE, "Dollars per million output tokens."),
    "cached": Key(
        value_types.PRICE,
        "Dollars per million input tokens read from a cache.",
        default="`input`",
    ),
    "cache_write": Key(
        value_types.PRICE,
        "Dollars per million input tokens written to a cache.",
        default="`input`",
    ),
    "cache_write_1h": Key(
        value_types.PRICE, "Dollars per million input tokens written to a cache for an hour."
    ),
    "reasoning": Key(
        value_types.PRICE, "Dollars per million reasoning tokens.", default="`output`"
    ),
    "input_audio": Key(value_types.PRICE, "Dollars per million audio tokens of the input."),
    "input_image": Key(
        value_types.PRICE, "Dollars per million image tokens of the input.", default="`input`"
    ),
    "input_video": Key(
        value_types.PRICE, "Dollars per million video tokens of the input.", default="`input`"
    ),
    "cached_audio": Key(value_types.PRICE, "Dollars per million audio tokens read from a cache."),
    "cached_image": Key(value_types.PRICE, "Dollars per million image tokens read from a cache."),
    "output_audio": Key(value_types.PRICE, "Dollars per million audio tokens of the output."),
    "output_image": Key(value_types.PRICE, "Dollars per million image tokens of the output."),
    "output_video": Key(value_types.PRICE, "Dollars per million video tokens of the output."),
    "citations": Key(value_types.PRICE, "Dollars per million tokens of cited sources."),
}

TOKEN_PRICE = Section(TOKEN_RATES, TokenPrice)

TIER_RATES: dict[str, Key] = {
    **TOKEN_RATES,
    "requests": Key(value_types.PRICE_PER_THOUSAND, "Dollars per thousand requests."),
    "web_searches": Key(
        value_types.PRICE_PER_THOUSAND, "Dollars per thousand searches by the provider."
    ),
    "file_searches": Key(
        value_types.PRICE_PER_THOUSAND, "Dollars per thousand searches of stored files."
    ),
    "search_units": Key(
        value_types.PRICE_PER_THOUSAND, "Dollars per thousand units of reranking, as Cohere's."
    ),
    "characters": Key(
        value_types.PRICE_PER_MILLION, "Dollars per million characters of texts to speak."
    ),
    "audio_hours": Key(value_types.PRICE_PER_HOUR, "Dollars per hour of recorded audio."),
    "above": Key(
        Table("tokens", value_types.TOKENS, TOKEN_PRICE),
        "What is different above a number of input tokens, such as 200000: for all tokens of the "
        "request, also those below.",
    ),
}

TIER_PRICE = Section(TIER_RATES, TierPrice)

PRICE = Section(
    {
        **TIER_RATES,
        "tiers": Key(
            Table("tier", value_types.TEXT, TIER_PRICE),
            "Prices by service tier or speed, by the names that the provider reports. "
            "The cost of a call in a tier without a price is unknown.",
        ),
    },
    Price,
)

MODEL_PRICES = Table("model", value_types.TEXT, PRICE)

PROVIDER_KEY = Section(
    {
        "key": Key(value_types.OPTIONAL_KEY, "The key.", default="required"),
        "weight": Key(value_types.WEIGHT, "Its share relative to the other keys."),
        "name": Key(
            value_types.NAME,
            "What records and logs call it.",
            default="its place in the list, from 1",
        ),
    },
    ProviderKey,
)

PROVIDER = Section(
    {
        "kind": Key(
            value_types.TEXT,
            "The kind of the provider, as `headway providers` lists them.",
            default="the provider's name, if that is a kind",
        ),
        "base_url": Key(
            value_types.URL,
            "The address. To a `base_url` of yours no key is sent unless `api_key` is set.",
            default="a standard variable, such as `OPENAI_BASE_URL`; else the kind's own",
        ),
        "api_key": Key(
            value_types.OPTIONAL_KEY,
            "The provider key. Write `${NAME}` and keep the key in the environment.",
            default="the kind's standard variable, such as `OPENAI_API_KEY`",
        ),
        "api_keys": Key(
            ListType(Forms(text=value_types.OPTIONAL_KEY, mapping=PROVIDER_KEY)),
            "Several provider keys, in place of `api_key`: a request uses one, and another where "
            "that is refused or has reached its limit.",
            default="none",
        ),
        "headers": Key(
            Table("header", value_types.HEADER_NAME, value_types.HEADER_VALUE),
            "Headers of every request to the provider.",
        ),
        "timeouts": Key(TIMEOUTS, "Timeouts that differ from `timeouts`."),
        "models": Key(ListType(value_types.TEXT), "The models to list, by the provider's names."),
        "prices": Key(MODEL_PRICES, "Prices that differ from the published ones, by model."),
        "proxy": Key(
            value_types.PROXY,
            'HTTP proxy for the provider; `""` uses none.',
            default="`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`",
        ),
        "ca_file": Key(
            value_types.TEXT,
            "Authorities (PEM) to trust at `base_url`, in place of the well-known ones.",
        ),
        "client_cert": Key(
            value_types.TEXT, "Client certificate (PEM), if the provider requires one."
        ),
        "client_key": Key(
            value_types.TEXT, "The certificate's key (PEM).", default="in the file of `client_cert`"
        ),
        "verify": Key(value_types.FLAG, "`false` accepts any certificate. For tests only."),
    },
    Provider,
    is_open=True,
)

ONLY = Key(
    ListType(value_types.NAME),
    "What the gateway serves. These providers count as configured, and a call to any other one is "
    "a 404. No provider can be called `only`.",
    default="all",
)

ROOT = Section(
    {
        "server": Key(SERVER, "The gateway's address and limits for clients."),
        "providers": Key(
            Table("name", value_types.NAME, PROVIDER, {"only": ONLY}),
            "Providers by the name in the route; several may be of one kind. Every kind is "
            "available under its own name without an entry, but for servers of your own (vLLM, "
            "Ollama and the like): these need an entry, or the variable of their address.",
        ),
        "models": Key(
            Table("name", value_types.ALIAS, ROUTE),
            "Other names for models. Each means one `provider/model`, or it is a route: a list of "
            "targets that are tried in this order, or a mapping with further rules. A star in a "
            "name matches any text, and a star in its model stands for that text. The name "
            "`unknown` is for every name that no provider has; without it such a request is "
            "refused.",
        ),
        "routing": Key(ROUTING, "What holds for all routes."),
        "timeouts": Key(TIMEOUTS, "Timeouts for providers without their own."),
        "prices": Key(
            Table("provider", value_types.NAME, MODEL_PRICES),
            "Prices that differ from the published ones, by provider and model.",
        ),
        "cache": Key(CACHE, "Answers to identical requests."),
        "ledger": Key(LEDGER, "Where records are kept."),
    }
)
