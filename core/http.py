"""Fetching from addresses that strangers name (pictures in mail): public hosts only, bounded in time, size and hops.

As in `core.outbound`, the name is resolved once, every address of it is checked, and the connection goes to a checked
address (DNS rebinding, S-55). Every redirect is checked again (S-56). A deadline ends the connection whatever the other
side does: one byte a second, or headers without end (S-57).
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from core.outbound import Deadline, OutboundRefused, checked_addresses, secured, target

SECONDS = 10.0
BYTES = 10 * 1024 * 1024
HOPS = 3
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back: the claimed type (lower case, without parameters) and the body."""

    content_type: str
    content: bytes


class _Plain(http.client.HTTPConnection):
    """Connects to one checked address."""

    def __init__(self, host: str, port: int, address: str, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)


class _Secure(_Plain):
    """The same over TLS; the certificate is asked for the name."""

    default_port = http.client.HTTPS_PORT

    def connect(self) -> None:
        super().connect()
        self.sock = secured(self.sock, self.host, ssl.create_default_context())
        self.sock.do_handshake()


def get(url: str, *, seconds: float = SECONDS, limit: int = BYTES) -> Fetched:
    """GET `url` without cookies, referrer or compression, all redirects together within `seconds`.

    Raises OutboundRefused for an address that may not be called, an answer other than 200, too long or too late.
    """
    until = time.monotonic() + seconds
    for _hop in range(HOPS + 1):
        left = until - time.monotonic()
        if left <= 0:
            raise OutboundRefused("the answer takes too long")
        answer = _once(url, left, limit)
        if isinstance(answer, Fetched):
            return answer
        url = urljoin(url, answer)
    raise OutboundRefused("too many redirects")


def _once(url: str, seconds: float, limit: int) -> Fetched | str:
    """What is there, or where it says that it is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise OutboundRefused("not an address") from fault
    usual = PORTS.get(parts.scheme)
    if usual is None or not parts.hostname or parts.username or port not in (None, usual):
        raise OutboundRefused("only plain web addresses are called")
    try:
        host = parts.hostname.encode("idna").decode()
    except UnicodeError as fault:
        raise OutboundRefused("not a host name") from fault
    address = checked_addresses(host, usual)[0]
    connection = (_Secure if parts.scheme == "https" else _Plain)(host, usual, address, seconds)
    with Deadline(connection, seconds):
        return _asked(connection, parts, limit)


def _asked(connection: http.client.HTTPConnection, parts: SplitResult, limit: int) -> Fetched | str:
    try:
        connection.request("GET", target(parts), headers={"Accept": "image/*", "Accept-Encoding": "identity"})
        response = connection.getresponse()
        if response.status in (301, 302, 303, 307, 308):
            return response.getheader("Location") or ""
        if response.status != 200:
            raise OutboundRefused(f"the answer was {response.status}")
        body = response.read(limit + 1)
        if len(body) > limit:
            raise OutboundRefused("the answer is too long")
        expected = response.getheader("Content-Length") or ""
        if expected.isdigit() and int(expected) != len(body):
            raise OutboundRefused("the answer was cut off")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        return Fetched(kind, body)
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise OutboundRefused(f"no answer: {type(fault).__name__}") from fault
