"""What the servers of this suite logged. Nothing that a client or a provider does is our defect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway import SKINS, Gateway


@pytest.mark.parametrize("which", SKINS)
def test_no_defect_showed_in_the_log_of_the_whole_suite(
    shared: Callable[[str], Gateway], which: str
) -> None:
    log = "".join(shared(which).output)
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]
