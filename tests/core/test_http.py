"""Fetching what strangers name: never from our own network, never for long, never much."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core import http
from core.outbound import OutboundRefused


@contextmanager
def serving(answer: Callable[[socket.socket], None], asked: list[bytes] | None = None) -> Iterator[int]:
    """A server on loopback that gives each connection to `answer`."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.2)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                try:
                    request = connection.recv(65536)
                    if asked is not None:
                        asked.append(request)
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        listener.close()


@pytest.fixture
def public(monkeypatch):
    """Names stand for loopback and pass for public ones; ports are those of the test's server."""

    def use(port: int) -> None:
        monkeypatch.setattr(http, "checked_addresses", lambda host, _port: ["127.0.0.1"])
        monkeypatch.setattr(http, "PORTS", {"http": port})

    return use


def ok(body: bytes, kind: str = "image/png") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0.0.0.0/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://224.0.0.1/",
        "http://100.64.0.1/",
        "http://user:password@example.com/",
        "http://example.com:22/",
        "http://example.com:99999/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ftp://example.com/",
        "//example.com/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://[broken/",
        "http:///",
        "",
    ],
)
def test_what_is_not_on_the_public_web_is_refused(url):
    with pytest.raises(OutboundRefused):
        http.get(url, seconds=2)


def test_a_picture_is_fetched_without_cookies_or_referrer(public):
    asked: list[bytes] = []
    with serving(lambda connection: connection.sendall(ok(b"PNG", "Image/PNG; charset=x")), asked) as port:
        public(port)
        fetched = http.get(f"http://pictures.test:{port}/a b?c=ü\r\nX: y")
    assert (fetched.content_type, fetched.content) == ("image/png", b"PNG")
    first, *headers = asked[0].decode().strip().split("\r\n")
    assert first == "GET /a%20b?c=%C3%BCX:%20y HTTP/1.1"
    assert sorted(header.partition(":")[0] for header in headers) == ["Accept", "Accept-Encoding", "Host"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_redirect_is_checked_again(status, public, monkeypatch):
    asked: list[str] = []

    def check(host, _port):
        asked.append(host)
        if host != "pictures.test":
            raise OutboundRefused("not public")
        return ["127.0.0.1"]

    def answer(connection):
        connection.sendall(
            f"HTTP/1.1 {status} Elsewhere\r\nLocation: http://internal.test:{port}/\r\nContent-Length: 0\r\n\r\n".encode()
        )

    with serving(answer) as port:
        public(port)
        monkeypatch.setattr(http, "checked_addresses", check)
        with pytest.raises(OutboundRefused, match="not public"):
            http.get(f"http://pictures.test:{port}/")
    assert asked == ["pictures.test", "internal.test"]


def test_redirects_end(public):
    hits = []

    def answer(connection):
        hits.append(1)
        connection.sendall(b"HTTP/1.1 302 Round\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as port:
        public(port)
        with pytest.raises(OutboundRefused, match="too many redirects"):
            http.get(f"http://pictures.test:{port}/")
    assert len(hits) == 4


def test_a_long_answer_is_cut(public):
    def endless(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as port:
        public(port)
        with pytest.raises(OutboundRefused, match="too long"):
            http.get(f"http://pictures.test:{port}/", limit=200_000)


@pytest.mark.parametrize("drip", [b"x", b"H"])
def test_a_slow_answer_is_cut(drip, public):
    def slow(connection):
        if drip == b"x":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(drip)
            time.sleep(0.1)

    with serving(slow) as port:
        public(port)
        begun = time.monotonic()
        with pytest.raises(OutboundRefused):
            http.get(f"http://pictures.test:{port}/", seconds=0.6)
    assert time.monotonic() - begun < 3


def test_redirects_have_one_time_together(public):
    def slow(connection):
        time.sleep(0.4)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: http://pictures.test:{port}/\r\n\r\n".encode())

    with serving(slow) as port:
        public(port)
        with pytest.raises(OutboundRefused, match=r"too long|no answer"):
            http.get(f"http://pictures.test:{port}/", seconds=0.6)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500,
    ],
)
def test_what_is_no_answer_is_refused(answer, public):
    with serving(lambda connection: connection.sendall(answer)) as port:
        public(port)
        with pytest.raises(OutboundRefused):
            http.get(f"http://pictures.test:{port}/", seconds=2)
