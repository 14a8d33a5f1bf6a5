"""Whether records can be kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headway.ledger import spool_check
from headway.ledger.spool_check import check_access, find_missing_library, find_problem


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


def test_a_library_that_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = {"asyncpg", "pyarrow"}
    monkeypatch.setattr(spool_check, "find_spec", lambda name: name in installed or None)
    sqlite, postgresql = "sqlite:////h.db", "postgresql://host/db"
    assert find_missing_library(postgresql, "s3://bucket") is None
    installed.clear()
    assert find_missing_library(sqlite, None) is None
    problem = find_missing_library(postgresql, None)
    assert problem == "ledger.url needs asyncpg: pip install 'headway[postgresql]'"
    assert "ledger.archive needs pyarrow" in (find_missing_library(sqlite, "/archive") or "")
