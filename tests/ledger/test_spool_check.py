"""Whether records can be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headway.ledger.spool_check import check_access, find_problem


@pytest.mark.parametrize("creates", [True, False])
def test_serving_and_checking_agree_on_a_ledger(tmp_path: Path, creates: bool) -> None:
    (tmp_path / "file").write_text("")
    for path, reason in [
        ("file/spool", "Not a directory"),
        ("file", "Not a directory"),
        ("new/spool", None),
    ]:
        problem = find_problem(str(tmp_path / path), creates=creates)
        assert (problem is None) if reason is None else reason in (problem or "")
    assert (tmp_path / "new").exists() == creates


def test_a_directory_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(OSError, match="Permission denied"):
        check_access(tmp_path / "new" / "log")
