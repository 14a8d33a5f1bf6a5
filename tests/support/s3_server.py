"""A small server of the S3 protocol, on loopback: objects in memory, single and multipart uploads.
Signatures are not checked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import BinaryIO
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIDTEST",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Bucket:
    """What the server holds: ``bucket/key`` -> bytes."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.refuses_writes = False


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Sets AWS's environment variables, so that clients use this server."""
    bucket = Bucket()
    handler = type("Handler", (_Handler,), {"bucket": bucket})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(name, value)
    try:
        yield bucket
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing on standard error."""

    def do_PUT(self) -> None:
        body, query = self._body(), self._query()
        if self.bucket.refuses_writes:
            self._send(403, _error("AccessDenied"))
        elif "partNumber" in query:
            self.bucket.uploads[query["uploadId"]][int(query["partNumber"])] = body
            self._send(200, b"", ETag='"part"')
        else:
            self.bucket.objects[self._key()] = body
            self._send(200, b"", ETag='"object"')

    def do_POST(self) -> None:
        self._body()
        query = self._query()
        if "uploads" in query:
            if self.bucket.refuses_writes:
                self._send(403, _error("AccessDenied"))
                return
            upload = f"upload-{len(self.bucket.uploads)}"
            self.bucket.uploads[upload] = {}
            self._send(200, _xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"))
        else:
            parts = self.bucket.uploads.pop(query["uploadId"])
            self.bucket.objects[self._key()] = b"".join(parts[at] for at in sorted(parts))
            self._send(200, _xml("CompleteMultipartUploadResult", "<ETag>all</ETag>"))

    def do_DELETE(self) -> None:
        self.bucket.objects.pop(self._key(), None)
        self._send(204, b"")

    def do_HEAD(self) -> None:
        found = self.bucket.objects.get(self._key())
        self._send(404 if found is None else 200, found or b"", has_body=False)

    def do_GET(self) -> None:
        query = self._query()
        if "list-type" in query:
            self._list(query)
            return
        found = self.bucket.objects.get(self._key())
        if found is None:
            self._send(404, _error("NoSuchKey"))
            return
        if "Range" in self.headers:
            first, last = self.headers["Range"].removeprefix("bytes=").split("-")
            found = found[int(first) : int(last) + 1]
        self._send(206 if "Range" in self.headers else 200, found)

    def _list(self, query: dict[str, str]) -> None:
        start = f"{self._key()}/{query.get('prefix', '')}"
        found = {
            key.partition("/")[2]: value
            for key, value in self.bucket.objects.items()
            if key.startswith(start)
        }
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(value)}</Size>"
            "<LastModified>2026-11-29T00:00:00.000Z</LastModified></Contents>"
            for key, value in sorted(found.items())
        )
        count = f"<KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>"
        self._send(200, _xml("ListBucketResult", count + items))

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).strip("/")

    def _query(self) -> dict[str, str]:
        parsed = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[-1] for name, values in parsed.items()}

    def _body(self) -> bytes:
        """Without HTTP's own chunks, and without those that S3 clients add for checksums."""
        if self.headers.get("transfer-encoding") == "chunked":
            body = _read_chunks(self.rfile)
        else:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
        is_chunked = "aws-chunked" in self.headers.get("content-encoding", "")
        return _read_chunks(BytesIO(body)) if is_chunked else body

    def _send(self, status: int, body: bytes, *, has_body: bool = True, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("last-modified", "Sun, 29 Nov 2026 00:00:00 GMT")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if has_body:
            self.wfile.write(body)


def _read_chunks(file: BinaryIO) -> bytes:
    """The data of all chunks; trailers are skipped."""
    found = []
    while size := int(file.readline().partition(b";")[0], 16):
        found.append(file.read(size))
        file.readline()
    while file.readline().strip():
        pass
    return b"".join(found)


def _xml(name: str, content: str) -> bytes:
    return f'<?xml version="1.0"?><{name}>{content}</{name}>'.encode()


def _error(code: str) -> bytes:
    return _xml("Error", f"<Code>{code}</Code><Message>{code}</Message>")
