"""``providers.only``: what the gateway serves at all."""

from __future__ import annotations

import pytest

MINE = "  mine: {kind: vendor, base_url: 'http://box/v1'}\n"


def test_only_these_are_served_and_they_count_as_configured(read) -> None:
    providers = read("providers:\n  only: [vendor, mine]\n" + MINE).providers
    assert list(providers) == ["vendor", "mine"]
    assert all(one.is_configured for one in providers.values())


def test_without_it_all_are_served(read) -> None:
    for text in ("providers:\n  only:\n" + MINE, "providers:\n" + MINE):
        assert list(read(text).providers) == ["vendor", "cloud", "here", "mine"]


def test_what_is_not_served_may_be_configured(read) -> None:
    config = read(f"providers:\n  only: [here]\n{MINE}prices: {{cloud: {{a: {{input: 1}}}}}}")
    assert list(config.providers) == ["here"]


def test_the_variables_of_what_is_served_must_be_right(refused) -> None:
    [line] = refused("providers: {only: [vendor]}", VENDOR_BASE_URL="nonsense")
    assert line.startswith("environment: VENDOR_BASE_URL: must be a URL")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "providers:\n  only: [vendor, vendro]",
            "2: providers.only: names an unknown provider; did you mean vendor?",
        ),
        (
            "providers:\n  only: [xyz]",
            "2: providers.only: names an unknown provider; known: cloud, here, vendor",
        ),
        (
            "providers:\n  only: []",
            "2: providers.only: names no provider, so that none would be served",
        ),
        (
            "providers:\n  only: vendor",
            "2: providers.only: must be a list, each a name of letters, digits, dots, dashes and "
            "underscores",
        ),
        (
            "providers:\n  only: {kind: vendor, base_url: 'http://box/v1'}",
            "2: providers.only: is a reserved key, which takes a list: choose another name",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(refused, text: str, line: str) -> None:
    assert refused(text) == [f"headway.yaml:{line}"]
