"""``python -m headway.providers.docs``: write docs/providers.md from the adapters."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from headway.providers import ALIASES, FACTS, KINDS
from headway.providers.base import Provider
from headway.providers.capabilities import CAPABILITIES
from headway.providers.openai.completions import WIRE as COMPLETIONS
from headway.providers.operations import OPERATIONS

INTRODUCTION = """\
# Providers

A *kind* is an API that Headway can call; a *provider* is a configured instance of one. Every vendor
can be used under the name of its kind without configuration, with the key in its environment
variable; the configuration can name any number of further providers of each kind. Servers of your
own, whose default address is on this machine, are there when they are configured, if only by
`ollama:` without a value, or by the variable of their address.

```yaml
providers:
  groq:
    api_key: ${GROQ_API_KEY}
  gpu:
    kind: vllm
    base_url: http://gpu-box:8000/v1
  bedrock:
    region: us-east-1
    profile: production
  box:
    kind: openai
    base_url: https://llm.example.com/v1
    api_key: ${BOX_KEY}
```

Any other OpenAI-compatible API is `kind: openai`, or one of the kinds for self-hosted servers, with
its `base_url`. Every kind takes a `base_url`, and the `api_key` or credentials for it; with a
`base_url` other than the vendor's, no key is sent unless the configuration has one. Where the table
shows a variable next to a base URL or an option, it is the one that the vendor's own SDK reads, and
it counts where the configuration has no value (see docs/configuration.md).

Parameters of a request that a provider, or one of its models, does not support are dropped,
renamed, clamped or emulated, and the reply's `transformations` lists each; with `strict: true` the
request is refused instead. A default for a parameter that the request left out is listed too, and
refuses nothing. Fields that Headway does not know are passed on. A finish reason that a complete
answer lacks is inferred, and listed too.
"""
CLOUD_CREDENTIALS = """
## Credentials of clouds

Where a provider of these kinds has no `api_key`, Headway looks for credentials when a request first
needs them, keeps them while they last, and renews them in the background shortly before they
expire. An error names what was tried and what to do. Requests for tokens use the provider's proxy
and certificates.

**AWS**, in this order: `access_key` and `secret_key`; the `profile`; `AWS_ACCESS_KEY_ID` and
`AWS_SECRET_ACCESS_KEY`. All else is botocore's chain and needs `pip install botocore`: a profile
(also one of IAM Identity Center after `aws sso login`, with a `credential_process`, or with a
role), `AWS_WEB_IDENTITY_TOKEN_FILE`, the endpoint of an ECS or EKS container, the role of an EC2
instance. A `role_arn` in the configuration is assumed with what was found, or with
`web_identity_token_file`.

**Google Cloud**, in this order: `credentials_file`; the metadata server at `metadata_url`; the file
that `GOOGLE_APPLICATION_CREDENTIALS` names; the file that `gcloud auth application-default login`
writes; the metadata server of this machine. A file needs `pip install google-auth`; it holds
a service account, a user, workload identity federation (`external_account`), or an impersonated
service account. Federation and impersonation do not say which `project` to use: set it.

**Entra ID**, in this order: the application that the configuration describes with `tenant_id`,
`client_id` and one of `client_secret`, `client_certificate` (which needs
`pip install cryptography`) and `federated_token_file`; the one that the `AZURE_` variables of
Azure's SDKs describe; the managed identity of this machine, app or container.
"""
CAPABILITIES_HEAD = """
## What each can do

`yes` is native, `emul.` is emulated, `part` has limits, which the notes below describe. An empty
cell means unsupported: a parameter that asks for it is dropped or emulated, and `transformations`
says so; images, documents and audio are refused, by Headway or by the provider. A model may support
less than its provider.

"""
COMPLETIONS_HEAD = """\
`POST /v1/completions` is sent as it is to the models of these kinds that have legacy completions,
and through chat completions to any other: """
OPERATIONS_HEAD = """
## Images, audio, moderations and reranking

The routes below `/v1` that are passed on to the provider, each with the kinds that have it. A
server of your own with OpenAI's API, `kind: openai` with its `base_url`, is sent all of them, and
reranking in Jina's shape.

"""
MARKS = {"native": "yes", "emulated": "emul.", "partial": "part"}


def markdown() -> str:
    capabilities = (_capabilities(), _meanings(), _completions(), _operations())
    parts = (_kinds(), _aliases(), CLOUD_CREDENTIALS, *capabilities, _notes())
    return INTRODUCTION + "".join(parts)


def _kinds() -> str:
    rows = "".join(_row(provider) for provider in KINDS.values())
    head = "| kind | name | base URL | key |\n|---|---|---|---|\n"
    return f"\n## Kinds\n\n{head}{rows}"


def _row(provider: Provider) -> str:
    cells = (f"`{provider.name}`", provider.title, _address(provider), _key(provider))
    return f"| {' | '.join(cells)} |\n"


def _address(provider: Provider) -> str:
    variable = FACTS[provider.name].environ.get("base_url")
    return _default_address(provider) + ("" if variable is None else f" or `{variable.name}`")


def _default_address(provider: Provider) -> str:
    if provider.launch is not None:
        return "started on this machine"
    if provider.base_url is None:
        if provider.credentials is not None:
            return "depends on the account: set `base_url`"
        sources = " or ".join(f"`{name}`" for name in ("base_url", *provider.options))
        return f"from {sources}"
    return f"`{provider.base_url}`"


CREDENTIALS = {
    "aws": "AWS credentials",
    "entra": "Entra ID tokens",
    "google": "Google Cloud credentials",
}


def _key(provider: Provider) -> str:
    sources = [f"`{provider.key_env}`"] if provider.key_env else []
    if provider.credentials is not None:
        sources.append(CREDENTIALS[provider.credentials])
    return " or ".join(sources) or "none"


def _aliases() -> str:
    known = [f"`{alias}` is `{kind}`" for alias, kind in ALIASES.items() if kind in KINDS]
    return f"\nAliases: {', '.join(known)}.\n"


def _capabilities() -> str:
    names = list(CAPABILITIES)
    head = f"| kind | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
    rows = (
        f"| `{provider.name}` | {' | '.join(_mark(provider, name) for name in names)} |\n"
        for provider in KINDS.values()
    )
    return CAPABILITIES_HEAD + head + "".join(rows)


def _mark(provider: Provider, feature: str) -> str:
    return MARKS.get(provider.capabilities.get(feature, "").partition(":")[0], "")


def _meanings() -> str:
    return "\n" + "".join(f"- `{name}`: {meaning}\n" for name, meaning in CAPABILITIES.items())


def _completions() -> str:
    """The kinds with legacy completions: the wire format of the clients that may ask for them."""
    kinds = [f"`{one.name}`" for one in KINDS.values() if COMPLETIONS in one.other_wires]
    return f"\n## Completions\n\n{COMPLETIONS_HEAD}{', '.join(kinds)}.\n"


def _operations() -> str:
    kinds = [one for one in KINDS.values() if any(_has(one, name) for name in OPERATIONS)]
    head = f"| kind | {' | '.join(OPERATIONS)} |\n|---|{'---|' * len(OPERATIONS)}\n"
    rows = (
        f"| `{kind.name}` | {' | '.join('yes' * _has(kind, name) for name in OPERATIONS)} |\n"
        for kind in kinds
    )
    meanings = "".join(f"- `{name}`: {meaning}\n" for name, meaning in OPERATIONS.items())
    return f"{OPERATIONS_HEAD}{head}{''.join(rows)}\n{meanings}"


def _has(provider: Provider, operation: str) -> bool:
    found = provider.operations.get(operation)
    return found is not None and found.is_vendors


def _notes() -> str:
    return "\n## Notes\n" + "".join(part for one in KINDS.values() for part in _notes_of(one))


def _notes_of(provider: Provider) -> Iterator[str]:
    notes = [
        f"- {feature}: {note.partition(': ')[2]}\n"
        for feature, note in provider.capabilities.items()
        if ": " in note
    ]
    options = [
        f"- `{name}` ({_where(provider, name)}): {text}\n"
        for name, text in provider.options.items()
    ]
    if notes or options:
        yield f"\n### {provider.title} (`{provider.name}`)\n\n"
        yield from (*options, *notes)


def _where(provider: Provider, option: str) -> str:
    variable = FACTS[provider.name].environ.get(option)
    also = "" if variable is None else f", or `{variable.name}`"
    return f"configuration{also}{', secret' if option in provider.secrets else ''}"


if __name__ == "__main__":
    sys.stdout.write(markdown())
