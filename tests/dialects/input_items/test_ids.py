"""Ids of responses and items lead back to the call that they were made for."""

from __future__ import annotations

from headway.dialects.input_items.ids import call_id_of, input_id_of, response_id_of, seed_of
from support.for_each import for_each

CALL = "0b0a4fd1-93b5-4c3e-9b1e-58f1f6b0c1de"


def test_every_id_of_a_response_leads_to_its_call() -> None:
    names = [response_id_of(CALL), input_id_of(CALL, 12)]
    names += [f"{prefix}_{seed_of(CALL)}0003" for prefix in ("msg", "rs", "fc", "ctc", "ig")]
    assert {call_id_of(name) for name in names} == {CALL}


@for_each(
    "name",
    ["", "resp_1", CALL, "resp_" + "f" * 31, "resp_" + "f" * 33, "resp_" + "F" * 32,
     "msg_" + "f" * 32 + "ix", "msg_" + "f" * 32 + "0000\n", "67ccd2bed1ec8190b14f964abc054267"],
)  # fmt: skip
def test_any_other_id_leads_nowhere(name: str) -> None:
    assert call_id_of(name) is None
