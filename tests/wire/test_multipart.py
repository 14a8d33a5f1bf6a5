"""Parts are found where the standard library's parser finds them, and what two readers could split
differently is refused."""

from __future__ import annotations

import email.policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.wire.multipart import MAX_HEADERS, MAX_PARTS, find_boundary, find_parts, media_type

BOUNDARY = b"a1b2"
HEAD = b'--a1b2\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
END = b"\r\n--a1b2--"


def values(body: bytes) -> list[tuple[str, bytes, bool]]:
    found = find_parts(body, BOUNDARY)
    return [(part.name, body[part.start : part.end], part.is_file) for part in found]


def test_fields_and_files_are_found_with_their_values() -> None:
    file = b"--a1b2 \t\r\ncontent-type: audio/wav\r\nContent-DISPOSITION: Form-Data ; Name=f;"
    file += (
        b' filename="a;b\\"c.wav"\r\nContent-Transfer-Encoding: binary\r\n\r\n\r\n--a1b\r\n-\x00'
    )
    for body in (
        HEAD + b"1\r\n" + file + END,
        b"preamble\r\n" + HEAD + b"1\r\n" + file + END + b"\r\nx",
    ):
        assert values(body) == [("a", b"1", False), ("f", b"\r\n--a1b\r\n-\x00", True)]
    assert values(HEAD + END) == [("a", b"", False)]
    assert values(b"--a1b2--") == []
    for name, expected in (
        (b'"a\\"b"', 'a"b'),
        (b'"a%22b"', "a%22b"),
        ('"é"'.encode(), "é"),
        (b'"a\\\\"', "a\\"),
        (b'""', ""),
    ):
        body = HEAD.replace(b'"a"', name) + END
        assert values(body) == [(expected, b"", False)]
    body = HEAD.replace(b'"a"', b"a; filename*=utf-8''b") + END
    assert values(body) == [("a", b"", True)]


def test_a_malformed_form_is_refused_with_what_is_wrong() -> None:
    for body, reason in (
        (b"", "nowhere"),
        (b"x--a1b2--", "nowhere"),
        (HEAD + b"1", "no end"),
        (HEAD.replace(b"\r\n", b"\n") + b"1" + END, "goes on"),
        (b"--a1b2x\r\n" + HEAD + END, "goes on"),
        (HEAD + b"1\r\n--a1b2-\r\n" + END, "goes on"),
        (HEAD[:-2] + b"1" + END, "headers of part 1 have no end"),
        (HEAD[:-2] + b"1" + END + b"\r\n\r\n", "header that is none"),
        (HEAD[:-2] + END, "begins with the boundary"),
        (HEAD + b"--a1b2" + END, "begins with the boundary"),
        (b"--a1b2\r\n\r\n1" + END, "have no end"),
        (HEAD.replace(b"form-data", b"attachment") + END, "content-disposition"),
        (HEAD.replace(b'; name="a"', b"") + END, "field's name"),
        (HEAD.replace(b'name="a"', b'name="a"; name="b"') + END, "field's name"),
        (HEAD.replace(b'name="a"', b'name="a"; filename=a; filename=b') + END, "two file names"),
        (HEAD.replace(b'name="a"', b'name="a') + END, "parameter"),
        (HEAD.replace(b'"a"', b"a" + b"; b=c" * 20) + END, "too many"),
        (HEAD[:-2] + b"".join(b"x-%d: a\r\n" % at for at in range(20)) + b"\r\n" + END, "headers"),
        (HEAD.replace(b'"a"', b'"\xff"') + END, "UTF-8"),
        (HEAD.replace(b'"a"', b'"a\x00"') + END, "none"),
        (HEAD[:-2] + b"content-disposition: form-data; name=b\r\n\r\n" + END, "twice"),
        (HEAD[:-2] + b"content-transfer-encoding: base64\r\n\r\n" + END, "encoding base64"),
        (HEAD[:-2] + b"x: " + b"a" * MAX_HEADERS + b"\r\n\r\n" + END, "over 8192 bytes"),
        ((HEAD + b"\r\n") * (MAX_PARTS + 1) + END[2:], "1000 parts"),
    ):
        with pytest.raises(ValueError, match=r".") as found:
            find_parts(body, BOUNDARY)
        assert reason in str(found.value), body


def test_a_boundary_is_named_once_and_well_formed() -> None:
    for content_type, boundary in (
        ("multipart/form-data; boundary=a1b2", b"a1b2"),
        ('multipart/form-data;BOUNDARY="a b/c" ; charset=utf-8;', b"a b/c"),
        (f"multipart/form-data; boundary={'x' * 70}", b"x" * 70),
    ):
        assert find_boundary(content_type) == boundary
    for content_type in (
        "multipart/form-data",
        "multipart/form-data; boundary",
        "multipart/form-data; boundary=a; boundary=b",
        'multipart/form-data; boundary=""',
        'multipart/form-data; boundary="a "',
        'multipart/form-data; boundary="a{"',
        f"multipart/form-data; boundary={'x' * 71}",
    ):
        with pytest.raises(ValueError, match=r"boundary|parameter"):
            find_boundary(content_type)
    assert media_type(" Multipart/Form-Data ; boundary=a") == "multipart/form-data"


PARTS = st.lists(
    st.tuples(
        st.text("abc[]_", min_size=1, max_size=5),
        st.binary(max_size=20).filter(lambda value: not value.startswith(b"--a1b2"))
        | st.sampled_from([b"\r\n--a1b", b"\r\n", b"x--a1b2"]),
        st.booleans(),
    ),
    max_size=4,
)


def write(parts: list[tuple[str, bytes, bool]]) -> bytes:
    lines = b""
    for name, value, is_file in parts:
        filename = b'; filename="f"' if is_file else b""
        lines += b"--a1b2\r\nContent-Disposition: form-data; name=%b%b\r\n\r\n%b\r\n" % (
            b'"%b"' % name.encode(), filename, value,
        )  # fmt: skip
    return lines + b"--a1b2--\r\n"


@given(PARTS)
def test_what_is_written_is_read_and_the_rest_of_the_bytes_stays(
    parts: list[tuple[str, bytes, bool]],
) -> None:
    body = write(parts)
    assert values(body) == parts
    for at, (part, (name, _, is_file)) in enumerate(
        zip(find_parts(body, BOUNDARY), parts, strict=True)
    ):
        changed = body[: part.start] + b"new" + body[part.end :]
        assert changed == write([*parts[:at], (name, b"new", is_file), *parts[at + 1 :]])


@given(PARTS)
def test_the_standard_library_reads_the_same_parts(parts: list[tuple[str, bytes, bool]]) -> None:
    parts = [(name, value.hex().encode(), is_file) for name, value, is_file in parts]
    head = b"Content-Type: multipart/form-data; boundary=a1b2\r\n\r\n"
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + write(parts))
    theirs = [] if not parts else list(message.iter_parts())
    got = [(part.get_param("name", header="content-disposition"), part.get_payload(decode=True))
           for part in theirs]  # fmt: skip
    assert got == [(name, value) for name, value, _ in parts]


@given(st.binary(max_size=60) | st.lists(st.sampled_from([
    b"--a1b2", b"\r\n", b"--", b"content-disposition: form-data; name=model", b"x", b" ", b"\n",
]), max_size=14).map(b"".join))  # fmt: skip
def test_any_bytes_are_parts_in_order_or_a_refusal(body: bytes) -> None:
    try:
        parts = find_parts(body, BOUNDARY)
    except ValueError:
        return
    ends = [0, *(part.end for part in parts)]
    assert all(ends[at] <= part.start <= part.end <= len(body) for at, part in enumerate(parts))
    assert all(b"\r\n--a1b2" not in body[part.start : part.end] for part in parts)
