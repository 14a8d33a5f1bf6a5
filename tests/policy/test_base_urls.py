from __future__ import annotations

import pytest

from headway.errors import Forbidden
from headway.policy.base_urls import BaseUrlPolicy, check_base_url
from headway.policy.keys import ANONYMOUS, KeyRing

ADMIN, USER = KeyRing.from_keys(["hw-admin"]).ids, KeyRing.from_keys(["hw-user"]).ids


def test_an_open_gateway_lets_every_client_name_an_address() -> None:
    check_base_url(BaseUrlPolicy(), ANONYMOUS)
    check_base_url(BaseUrlPolicy(), *USER)


def test_a_closed_gateway_lets_only_the_owners_of_some_keys() -> None:
    policy = BaseUrlPolicy(is_open=False, key_ids=ADMIN)
    check_base_url(policy, *ADMIN)
    for key_id in (ANONYMOUS, *USER):
        with pytest.raises(Forbidden, match=r"server\.base_url_keys") as caught:
            check_base_url(policy, key_id)
        assert caught.value.param == "base_url"
