from __future__ import annotations

import pytest

from headway.providers.parameter_rules import ParameterRules, apply_parameter_rules
from support.adapter_requests import chat

RULES = ParameterRules(
    dropped={"seed": "unsupported by Acme", "top_p": "unsupported by Acme"},
    renamed={"stop": "stop_sequences"},
)

# given parameters, sent parameters, transformations
CASES: list[tuple[dict[str, object], dict[str, bytes], list[str]]] = [
    ({"user": "u"}, {"user": b'"u"'}, []),
    ({"user": None, "seed": None, "stop": None}, {}, []),
    ({"seed": 1}, {}, ["dropped seed: unsupported by Acme"]),
    ({"stop": "a"}, {"stop_sequences": b'"a"'}, ["renamed stop -> stop_sequences"]),
    ({"stop": "a", "stop_sequences": "b"}, {"stop_sequences": b'"a"'},
     ["renamed stop -> stop_sequences", "dropped stop_sequences: stop is given too"]),
    ({"stop": "a", "stop_sequences": "a"}, {"stop_sequences": b'"a"'},
     ["renamed stop -> stop_sequences"]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "sent", "said"), CASES)
def test_parameters_are_dropped_and_renamed_by_the_rules(
    given: dict[str, object], sent: dict[str, bytes], said: list[str]
) -> None:
    request, transformations = apply_parameter_rules(chat("m", [], **given), RULES)
    assert {name: bytes(raw) for name, raw in request.parameters.items()} == sent
    assert [str(each) for each in transformations] == said


def test_dropping_a_default_parameter_is_not_listed() -> None:
    request = chat("m", [], uses_default_parameters=True, top_p=1, seed=1)
    adapted, transformations = apply_parameter_rules(request, RULES)
    assert adapted.parameters == {}
    assert [each.parameter for each in transformations] == ["seed"]
