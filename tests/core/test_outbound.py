"""The HTTP client never reaches into our own network (S-55 … S-57)."""

from __future__ import annotations

import gzip
import socket
import ssl
import time

import pytest

from core import outbound
from core.outbound import OutboundRefused, checked_addresses, post_form
from tests.core.test_http import serving
from tests.servers.https_server import HttpsServer, dripping


@pytest.fixture
def server(tmp_path, settings):
    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    made = HttpsServer(tmp_path)
    yield made
    made.close()


def post(server, **options):
    return post_form(server.url, {"a": "1 & 2"}, ca=server.authority.pem, **options)


def test_a_form_and_its_answer(server):
    server.answer = (201, {}, b'{"x": 1}')
    answer = post(server)
    assert (answer.status, answer.json()) == (201, {"x": 1})
    assert server.asked == [{"a": "1 & 2"}]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fc00::1",
     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "224.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_private_addresses_are_refused(monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    answers = [(family, 1, 6, "", (address, 443)), (socket.AF_INET, 1, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(OutboundRefused):
        checked_addresses("rebind.example.com", 443)


def test_the_checked_address_is_the_one_that_is_called(monkeypatch, server):
    """S-55: the name is asked for once."""
    asked = []
    real = socket.getaddrinfo

    def once(host, *args, **kwargs):
        asked.append(host)
        return real(host, *args, **kwargs)

    monkeypatch.setattr(outbound.socket, "getaddrinfo", once)
    post(server)
    assert asked.count("localhost") == 1


@pytest.mark.parametrize(
    "url", ["http://example.com/", "ftp://example.com/", "https:///x", "https://u:p@example.com/", "file:///etc/passwd"]
)
def test_only_plain_https(url):
    with pytest.raises(OutboundRefused):
        post_form(url, {})


@pytest.mark.parametrize("url", ["https://example.com:99999/", "https://[broken/", f"https://{'ü' * 63}.example.com/"])
def test_what_cannot_be_an_address_is_refused(url):
    with pytest.raises(OutboundRefused):
        post_form(url, {})


def test_an_address_in_any_script_is_called(server):
    server.url += "提醒?von=Zoë Ä"
    assert post(server).status == 200


@pytest.mark.parametrize(
    ("host", "never"),
    [
        ("10.0.0.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("2130706433", True),
        ("0x7f.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("localhost", True),
        ("Shop.LOCALHOST.", True),
        ("93.184.216.34", False),
        ("2606:4700::1", False),
        ("shop.example.com", False),
        ("10.0.0.1.example.com", False),
        ("ü" * 64, False),
        ("192.168.7.7", False),
    ],
)
def test_an_address_that_is_never_called_is_known_without_asking(host, never, settings):
    settings.OUTBOUND_PRIVATE_HOSTS = ["192.168.7.7"]
    assert outbound.never_called(host) is never


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("goal", ["", "http://127.0.0.1/", "file:///etc/passwd", "gopher://x/"])
def test_no_redirect_is_followed(server, status, goal):
    """S-56"""
    server.answer = (status, {"Location": goal or server.url}, b'<meta http-equiv="refresh" content="0;url=/x">')
    assert post(server).status == status
    assert len(server.asked) == 1


def test_a_packed_answer_is_not_unpacked(server):
    """S-57: nothing is asked for packed, and what comes so is bytes."""
    bomb = gzip.compress(b"x" * 5_000_000)
    server.answer = (200, {"Content-Encoding": "gzip", "Content-Type": "text/html"}, bomb)
    assert post(server).body == bomb
    assert post(server).json() == {}


def test_long_and_slow_answers_are_cut(server):
    server.answer = (200, {}, b"x" * 300_000)
    with pytest.raises(OutboundRefused, match="too long"):
        post(server)
    server.answer = (200, {}, dripping(0.05))
    with pytest.raises(OutboundRefused, match=r"too long|takes too long"):
        post(server, seconds=0.5)


def test_an_answer_whose_head_never_ends_is_cut(server):
    """S-57: each line comes in time, and there is always another one."""

    class Endless(dict):
        def items(self):
            for number in range(90):
                time.sleep(0.1)
                yield f"X-{number}", "y"

    server.answer = (200, Endless(), b"{}")
    server.unbuffered = True
    begun = time.monotonic()
    with pytest.raises(OutboundRefused, match="takes too long"):
        post(server, seconds=0.5)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("first", ["deadline", "socket"])
def test_a_handshake_that_never_ends_is_cut(settings, monkeypatch, first):
    """Whichever of the two clocks rings first."""
    if first == "socket":
        monkeypatch.setattr(outbound.Deadline, "_cut", lambda self: None)

    def drip(connection):
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KB is to follow
        for _ in range(100):
            connection.sendall(b"\x02")
            time.sleep(0.1)

    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost"]
    with serving(drip) as port:
        begun = time.monotonic()
        with pytest.raises(OutboundRefused, match="takes too long"):
            post_form(f"https://localhost:{port}/", {}, seconds=0.5)
    assert time.monotonic() - begun < 5


def test_the_certificate_is_checked(server, settings):
    settings.OUTBOUND_PRIVATE_HOSTS = ["localhost", "127.0.0.1"]
    with pytest.raises(ssl.SSLError):
        post_form(server.url, {})
    with pytest.raises(ssl.SSLError):
        post_form(server.url.replace("localhost", "127.0.0.1"), {}, ca=server.authority.pem)
