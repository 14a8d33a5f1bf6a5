"""Build the adapter of an OpenAI-compatible vendor: OpenAI's, with the vendor's differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from msgspec.structs import replace

from headway.errors import InvalidField
from headway.events import Event
from headway.providers.base import Adapted, Provider, State
from headway.providers.capabilities import unsupported_parameters
from headway.providers.converted_messages import drop_details, fit_media
from headway.providers.model_lists import ModelList
from headway.providers.openai import fast_path as openai_fast_path
from headway.providers.openai import provider as openai
from headway.providers.openai import request as openai_request
from headway.providers.openai import response as openai_response
from headway.providers.openai import wire_rules as openai_wire_rules
from headway.providers.openai.completions import with_completions
from headway.providers.openai_compatible.errors import decode_formatted_error
from headway.providers.openai_compatible.reasoning import convert_reasoning
from headway.providers.openai_compatible.request_rules import CompiledRules, RequestRules
from headway.providers.openai_compatible.response_transforms import (
    EventTransform,
    ResponseInterceptor,
)
from headway.providers.openai_compatible.vendor import AddressOption, Vendor
from headway.providers.openai_compatible.wire_rules import SCHEMA_IN_PROMPT, default_rules
from headway.providers.operations import located
from headway.providers.wire_rules import Rule, chain, override, with_rules
from headway.types import ChatRequest, EmbeddingsRequest, Frame, HttpRequest, Target


def build_provider(name: str, vendor: Vendor) -> Provider:
    """``name`` is the name of the vendor's module."""
    has_embeddings = "embeddings" in vendor.capabilities
    provider = replace(
        openai.CHAT,
        name=name,
        title=vendor.title,
        base_url=vendor.base_url,
        key_env=vendor.key_env,
        wire=vendor.wire,
        has_custom_tools=False,
        price_id=vendor.price_id,
        price_conditions=vendor.price_conditions,
        list_models=vendor.model_list,
        key_check=vendor.key_check,
        encode_request=vendor.encode_request or openai_request.encode_request,
        adapt=_adapter(vendor),
        wire_rules=_wire_rules(vendor),
        decode_error=vendor.decode_error or partial(decode_formatted_error, vendor.errors),
        encode_embeddings=vendor.encode_embeddings if has_embeddings else None,
        decode_embeddings=vendor.decode_embeddings if has_embeddings else None,
        operations=vendor.operations,
        prefill_models=vendor.prefill_models,
        takes_routing_fields=vendor.takes_routing_fields,
        capabilities=vendor.capabilities,
    )
    if vendor.event_transforms or vendor.response_interceptor or vendor.transform_body:
        provider = _with_transformed_responses(provider, vendor)
    if vendor.address_option is not None:
        provider = _with_address_option(provider, vendor.address_option, vendor)
    if vendor.completions is not None:
        provider = with_completions(provider, vendor.completions)
    return provider


def _wire_rules(vendor: Vendor) -> tuple[Rule, ...]:
    schemas = SCHEMA_IN_PROMPT if vendor.request_rules.schema_in_prompt else ()
    return override(openai_wire_rules.RULES, *schemas, *_own_rules(vendor))


def _own_rules(vendor: Vendor) -> tuple[Rule, ...]:
    rules = default_rules(vendor.title, has_documents="documents" in vendor.capabilities)
    return override(rules, *vendor.wire_rules)


def _adapter(vendor: Vendor) -> Callable[[ChatRequest], Adapted]:
    rules = CompiledRules(_request_rules(vendor), vendor.title).apply
    reasoning = (convert_reasoning(*vendor.reasoning),) if vendor.reasoning else ()
    transforms = (*reasoning, *vendor.request_transforms)
    fit = (fit_media,) if _replays_details(vendor) else (fit_media, drop_details)
    adapt = partial(chain, (*fit, *transforms, rules))
    return with_rules(_own_rules(vendor), adapt)


def _replays_details(vendor: Vendor) -> bool:
    return vendor.capabilities.get("reasoning_replay", "").startswith("native")


def _request_rules(vendor: Vendor) -> RequestRules:
    """The vendor's rules, and those that follow from its capabilities."""
    rules = vendor.request_rules
    unsupported = (*rules.unsupported, *unsupported_parameters(vendor.capabilities))
    kept = [name for name in dict.fromkeys(unsupported) if name not in rules.ignored]
    return replace(rules, unsupported=tuple(kept))


# --- Responses ------------------------------------------------------------------------------------


def _with_transformed_responses(provider: Provider, vendor: Vendor) -> Provider:
    transforms, interceptor = vendor.event_transforms, vendor.response_interceptor
    decode_response, decode_event = transformed_decoders(
        *transforms, interceptor=interceptor, transform_body=vendor.transform_body
    )
    return replace(
        provider,
        decode_response=decode_response,
        decode_event=decode_event,
        summarize=None,
        read_text=None if interceptor is not None else _read_text(transforms),
    )


def transformed_decoders(
    *transforms: EventTransform,
    interceptor: ResponseInterceptor | None = None,
    transform_body: Callable[[bytes], bytes] | None = None,
) -> tuple[Callable[[bytes], list[Event]], Callable[[Frame, State], list[Event]]]:
    """OpenAI's ``decode_response`` and ``decode_event``, each followed by ``transforms``."""

    def decode_response(body: bytes) -> list[Event]:
        if interceptor is not None and (final := interceptor(body)) is not None:
            return final
        if transform_body is not None:
            body = transform_body(body)
        events = openai_response.decode_response(body)
        for transform in transforms:
            events = transform.apply(body, events, {})
        return events

    def decode_event(frame: Frame, state: State) -> list[Event]:
        if not state:
            state["openai"] = {}
            state["transforms"] = [(transform.apply, {}) for transform in transforms]
        data = frame.data
        if interceptor is not None and (final := interceptor(data)) is not None:
            return final
        events = openai_response.decode_event(frame, state["openai"])
        for apply, memory in state["transforms"]:
            events = apply(data, events, memory)
        return events

    return decode_response, decode_event


def _read_text(transforms: Sequence[EventTransform]) -> Callable[[bytes], str | None] | None:
    """OpenAI's ``read_text`` for the chunks that no transform changes. None if there are no such
    chunks."""
    markers = [one.text_marker for one in transforms if one.text_marker is not None]
    if not markers:
        return openai_fast_path.read_text
    if b"" in markers:
        return None

    def read_text(data: bytes) -> str | None:
        for marker in markers:
            if data.find(marker) >= 0:
                return None
        return openai_fast_path.read_text(data)

    return read_text


# --- Addresses ------------------------------------------------------------------------------------


def _with_address_option(provider: Provider, option: AddressOption, vendor: Vendor) -> Provider:
    variable = vendor.environ.get(option.name)
    resolve = partial(_resolve, option, None if variable is None else variable.name)
    encode_chat, encode_embeddings = provider.encode_request, provider.encode_embeddings

    def encode_request(request: ChatRequest, target: Target) -> HttpRequest:
        return encode_chat(request, resolve(target))

    def encode_vectors(request: EmbeddingsRequest, target: Target) -> HttpRequest:
        assert encode_embeddings is not None
        return encode_embeddings(request, resolve(target))

    models, native = provider.list_models, provider.native
    return replace(
        provider,
        native=replace(native, base_url=lambda target: native.base_url(resolve(target))),
        encode_request=encode_request,
        encode_embeddings=encode_embeddings and encode_vectors,
        list_models=models
        and ModelList(lambda target, page: models.encode(resolve(target), page), models.decode),
        operations=located(provider.operations, lambda target, model: resolve(target)),
        options={option.name: option.meaning},
    )


def _resolve(option: AddressOption, variable: str | None, target: Target) -> Target:
    """The target with its base URL. Raises InvalidField where the configuration has neither the
    base URL nor the option; ``variable`` is an environment variable for the option."""
    if target.base_url:
        return target
    value = target.options.get(option.name)
    if not value:
        by_variable = "" if variable is None else f"{variable} in the gateway's environment, or "
        raise InvalidField(
            f"{target.provider} has no address yet: set {by_variable}{option.name} or base_url of"
            f" providers.{target.provider} in its configuration.",
            param=option.name,
        )
    return replace(target, base_url=option.template.format(value))
