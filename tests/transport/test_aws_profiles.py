"""The shared files of AWS's tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from headway.errors import UpstreamAuth
from headway.transport.aws_profiles import read_profiles

CONFIG = """\
# a comment
[default]
region = us-east-1
s3 =
  max_concurrent_requests = 20
  addressing_style = path

[profile work]
role_arn = arn:aws:iam::123456789012:role/work
source_profile=default
percent = 100%

[profile with spaces ]
region = eu-west-1
[sso-session mine]
sso_region = us-east-1
[odd]
region = nowhere
"""
CREDENTIALS = """\
[default]
AWS_ACCESS_KEY_ID = AKID
aws_secret_access_key = secret=with/signs+
[only]
aws_access_key_id = ONLY
flag
"""


def written(folder: Path) -> dict[str, str]:
    (folder / ".aws").mkdir()
    (folder / ".aws" / "config").write_text(CONFIG)
    (folder / ".aws" / "credentials").write_text(CREDENTIALS)
    return {"HOME": str(folder)}


def test_both_files_make_one_table_of_profiles(tmp_path: Path) -> None:
    profiles = read_profiles(written(tmp_path))

    assert sorted(profiles) == ["default", "only", "with spaces", "work"]
    assert profiles["default"]["region"] == "us-east-1"
    assert profiles["default"]["aws_access_key_id"] == "AKID"
    assert profiles["default"]["aws_secret_access_key"] == "secret=with/signs+"
    assert profiles["work"]["source_profile"] == "default"
    assert profiles["work"]["percent"] == "100%"
    assert profiles["only"] == {"aws_access_key_id": "ONLY"}


def test_variables_name_other_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("[profile x]\nregion = r\naws_access_key_id = old\n")
    (tmp_path / "b").write_text("[x]\naws_access_key_id = new\n")

    profiles = read_profiles(
        {
            "HOME": str(tmp_path),
            "AWS_CONFIG_FILE": str(tmp_path / "a"),
            "AWS_SHARED_CREDENTIALS_FILE": "~/b",
        }
    )

    assert profiles == {"x": {"region": "r", "aws_access_key_id": "new"}}


@pytest.mark.parametrize("environ", [{}, {"HOME": "/nowhere/at/all"}])
def test_no_files_hold_no_profiles(environ: dict[str, str]) -> None:
    assert read_profiles(environ) == {}


@pytest.mark.parametrize("content", [b"aws_secret_access_key = hush\n", b"[a]\nx = \xff\xfe\n"])
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad").write_bytes(content)

    with pytest.raises(UpstreamAuth) as caught:
        read_profiles({"AWS_CONFIG_FILE": str(tmp_path / "bad")})

    assert str(tmp_path / "bad") in caught.value.message
    assert "hush" not in caught.value.message
    assert caught.value.code == "aws_file_unreadable"
