"""What the servers of this suite logged. Nothing that a client or a provider does is our defect."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support.gateway_process import SERVER_MODES, Gateway


@pytest.mark.parametrize("which", SERVER_MODES)
def test_the_log_of_the_whole_suite_shows_no_defect(
    shared: Callable[[str], Gateway], which: str
) -> None:
    log = "".join(shared(which).output)
    assert "Traceback" not in log, log[log.index("Traceback") - 300 :][:3000]
